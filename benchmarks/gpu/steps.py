"""Training steps: as a user takes them, as one CUDA graph, and the engine's kernels alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.gpu.cases import Checked, GpuCase, check_near
from qloom.benchmarking import Work
from qloom.benchmarking.gpu import Function, Place, counted_launches
from qloom.benchmarking.gpu_floor import Floor, Limits, floor_of, needs_of_step
from qloom.engines.gpu import packing

Size = tuple[int, int, int]
# (n, B, L) -> goals: milliseconds, fraction of the floor.
GOALS: dict[Size, dict[str, float]] = {
    (8, 256, 4): {"goal": 0.15}, (8, 4096, 4): {"goal_fraction": 0.4}, (10, 4096, 4): {"goal_fraction": 0.4},
}  # fmt: skip
OTHER_BITS = 4


@cache
def truth(size: Size) -> list[torch.Tensor]:
    """Loss and gradients of the CPU's engine in double precision."""
    return list(Work(*size).step(dtype=torch.float64)())


@contextmanager
def holding(register_bits: int) -> Iterator[None]:
    """Programs that are packed meanwhile are for threads that hold 2^register_bits amplitudes."""
    with patch.object(packing, "REGISTER_BITS", register_bits):
        yield


def checked_step(size: Size, place: Place) -> tuple[Function, int]:
    """A step that gives what the CPU's gives, and how many kernels it launches."""
    step = Work(*size).step(engine=place.engine, device=place.device)
    with counted_launches(place) as launched:
        found = step()
    check_near(found, truth(size))
    return step, len(launched)


def whole(size: Size, register_bits: int, place: Place, limits: Limits) -> Checked:
    """Through QuantumLayer, a loss and `loss.backward()`, a launch after the other."""
    with holding(register_bits):
        step, launches = checked_step(size, place)
        return Checked(step, _floor(size, place, limits, launches), note=f"{launches} launches of the engine")


def in_a_graph(size: Size, register_bits: int, place: Place, limits: Limits) -> Checked:
    """The same step captured: no time of the host between its kernels."""
    with holding(register_bits):
        step, _ = checked_step(size, place)
        replay, found = place.captured(step)
        replay()
        check_near(found, truth(size))
        return Checked(replay, _floor(size, place, limits, launches=1))


def kernels_alone(size: Size, register_bits: int, place: Place, limits: Limits) -> Checked:
    """The engine's launches of a step, captured; without the loss and without torch's sums."""
    with holding(register_bits):
        walk, found = engine_walk(size, place)
        replay, _ = place.captured(walk)
        replay()
        check_near(found, truth(size)[1:])
        return Checked(replay, _floor(size, place, limits, launches=1))


def engine_walk(size: Size, place: Place) -> tuple[Function, list[torch.Tensor]]:
    """Forward and back with the cotangents of the loss, and the gradients that it fills."""
    work = Work(*size)
    evaluator: Any = place.engine.prepare(work.circuit())
    x, targets = (tensor.detach() for tensor in work.tensors(device=place.device))
    weights = torch.tensor(work.problem()[1], dtype=x.dtype, device=place.device)
    values, d_inputs, d_weights = torch.empty_like(targets), torch.empty_like(x), torch.empty_like(weights)
    evaluator.forward_into(values, x, weights, keep=False)
    cotangents = 2 * (values - targets) / work.batch

    def walk() -> None:
        kept = evaluator.forward_into(values, x, weights, keep=True)
        evaluator.backward_into(d_inputs, d_weights, x, weights, cotangents, kept)

    return walk, [d_inputs, d_weights]


def _floor(size: Size, place: Place, limits: Limits, launches: int) -> Floor:
    work = Work(*size)
    return floor_of(needs_of_step(work, place, launches), limits)


def cases_of(size: Size, register_bits: int, goals: dict[str, Any]) -> list[GpuCase]:
    """A size in every way; goals are of the step as it is, the fraction of the floor also of the kernels alone."""
    n, batch, layers = size
    sizes = {"n": n, "batch": batch, "layers": layers, "register_bits": register_bits}
    of_kernels = {name: goal for name, goal in goals.items() if name == "goal_fraction"}
    return [
        GpuCase("training step", sizes, partial(whole, size, register_bits), **goals),
        GpuCase("training step as a graph", sizes, partial(in_a_graph, size, register_bits)),
        GpuCase("kernels of a step", sizes, partial(kernels_alone, size, register_bits), **of_kernels),
    ]


CASES = [case for size, goals in GOALS.items() for case in cases_of(size, packing.REGISTER_BITS, goals)]
OTHERS = [cases_of(size, OTHER_BITS, {})[2] for size in GOALS]
