"""What a GPU is said to do at most, what calls need there, and how they are timed; the host stands in for one."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from qloom.benchmarking import Work
from qloom.benchmarking import gpu_floor as floors
from qloom.benchmarking.gpu import counted_launches, gpu_place, measure_there
from qloom.benchmarking.gpu_floor import Limits, Needs, floor_of, n_sweeps, needs_of_forward, needs_of_step, packed_of
from qloom.engines.gpu.machine import KERNELS
from qloom.errors import UnsupportedError
from tests.engines.gpu.host_place import LIMITS, host_place
from tests.engines.gpu.packed import Packed, constants

WHOLE, SWEPT = host_place(), host_place(most_whole=6)
SMALL, LARGE = Work(4, 3, 2), Work(7, 2, 1)


def test_the_floor_is_the_longest_of_what_a_call_needs():
    limits = Limits(multiply_adds=10.0, shared_bytes=20.0, memory_bytes=5.0, launches=1.0)
    assert floor_of(Needs(100.0, 20.0, 10.0, 3.0), limits) == (10.0, "multiply-adds")
    assert floor_of(Needs(10.0, 20.0, 10.0, 3.0), limits) == (3.0, "launches")
    assert floor_of(Needs(10.0, 20.0, 40.0, 3.0), limits) == (8.0, "global memory")
    assert floor_of(Needs(10.0, 2000.0, 40.0, 3.0), limits) == (100.0, "shared memory")


@pytest.mark.parametrize(("place", "work"), [(WHOLE, SMALL), (SWEPT, LARGE)])
def test_sweeps_are_those_of_the_packed_program(place, work):
    packed = packed_of(work, place, back=True)
    sweeps = Packed(packed.table.numpy()).sweeps
    assert n_sweeps(packed) == (sweeps["table"] == constants()["NONE"]).sum()
    first = re.search(
        r"struct Program \{.*?\n(    u32 n_rotations[^;]*);", (KERNELS / "program.h").read_text(), re.DOTALL
    )
    assert first is not None
    # Two numbers before these.
    assert first[1].split("u32")[1].replace(" ", "").split(",")[floors._N_SWEEPS - 2] == "n_sweeps"


def test_what_a_call_in_shared_memory_needs():
    state, sweeps = 3 * 8 * 2**4, n_sweeps(packed_of(SMALL, WHOLE, back=True))
    needs = needs_of_step(SMALL, WHOLE, launches=3)
    assert needs == Needs(SMALL.step_multiply_adds, 6 * sweeps * state, 2 * state, 3)
    sweeps = n_sweeps(packed_of(SMALL, WHOLE, back=False))
    assert needs_of_forward(SMALL, WHOLE, 1) == Needs(SMALL.forward_multiply_adds, 2 * sweeps * state, 0, 1)


def test_what_a_call_in_global_memory_needs():
    packed = packed_of(LARGE, SWEPT, back=False)
    state, tiles = 2 * 8 * 2**7, len(packed.tiles)
    assert tiles > 1
    needs = needs_of_forward(LARGE, SWEPT, 9)
    assert (needs.shared_bytes, needs.memory_bytes) == (2 * (n_sweeps(packed) + tiles) * state, 2 * tiles * state)


def test_launches_are_counted_and_then_no_more():
    step = SMALL.step(engine=WHOLE.engine)
    with counted_launches(WHOLE) as launched:
        step()
    assert [kernel for kernel in launched if kernel.startswith("circuit")] == ["circuit_forward", "circuit_back"]
    count = len(launched)
    step()
    assert len(launched) == count


def test_times_are_those_of_calls_after_the_first():
    calls = []
    timing = measure_there(WHOLE, lambda: calls.append(len(calls)), 1e9, seconds=0.0, least=4)
    assert timing.repeats == 4
    assert len(calls) > 4
    assert 0 < timing.minimum <= timing.median
    assert timing.fma_rate == 1e9


def test_a_step_there_is_the_step_here():
    mine, right = SMALL.step(engine=WHOLE.engine)(), SMALL.step(dtype=torch.float64)()
    for found, truth in zip(mine, right, strict=True):
        np.testing.assert_allclose(found.detach(), truth.detach(), atol=1e-4)


def test_copying_has_a_rate():
    assert 1e6 < floors.copy_rate_of(WHOLE, 1 << 16) < 1e13


def test_states_that_have_no_room_are_known():
    assert floors.has_room(Work(16, 1, 1), WHOLE)
    assert not floors.has_room(Work(17, 1, 1), WHOLE)


@pytest.mark.parametrize(("capability", "units"), [("9.0", 128), ("8.0", 64), ("7.5", 64), ("8.6", 128)])
def test_rates_follow_from_the_units_and_the_clock(monkeypatch, capability, units):
    facts = {"name": "a GPU", "memory": 1, "multiprocessors": 10, "capability": capability, "clock": 2e9}
    monkeypatch.setattr(floors, "describe", lambda index: facts)
    monkeypatch.setattr(floors, "copy_rate_of", lambda place: 3.0)
    assert floors.limits_of(WHOLE) == Limits(10 * units * 2e9, 10 * 128 * 2e9, 3.0, LIMITS.launches)


def test_without_a_gpu_it_is_said(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(UnsupportedError, match="is built without CUDA, expected a build for CUDA 12"):
        gpu_place()
