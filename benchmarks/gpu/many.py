"""1,000 different circuits in one call, beside a loop over them on the same GPU.

The circuits are those of `benchmarks.circuits.many`: 8 qubits, 50 gates, 30 weights that all share; asked for are Z on
every qubit and the gradient of their sum. In the loop each circuit has an evaluator that was prepared beforehand, and
its tensors are there.
"""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.circuits.many import N_WEIGHTS, random_circuit
from benchmarks.gpu.cases import Checked, GpuCase, check_near
from qloom.benchmarking.gpu import Function, Place
from qloom.benchmarking.gpu_floor import Limits
from qloom.circuits import Circuit
from qloom.engines.circuit_batch import CircuitBatch, PreparedBatch
from qloom.engines.gpu import GpuBatch

COUNT, GOAL, ROUNDS = 1000, 50.0, 5
Found = tuple[Function, list[torch.Tensor]]


def in_one_call(prepared: PreparedBatch, weights: np.ndarray, place: Place) -> Found:
    """Forward and back, and the values and slopes that are filled."""
    there, w = GpuBatch(prepared, place.engine.machine), torch.tensor(weights, dtype=torch.float32, device=place.device)
    inputs = w.new_empty((len(prepared.batch), 0))
    values, slopes = w.new_empty((len(prepared.batch), prepared.n_outputs)), torch.empty_like(w)
    cotangents = torch.ones_like(values)

    def call() -> None:
        kept = there.forward_into(values, inputs, w, keep=True)
        there.backward_into(None, slopes, inputs, w, cotangents, kept)

    return call, [values, slopes]


def in_a_loop(circuits: list[Circuit], weights: np.ndarray, place: Place) -> Found:
    """The same, a circuit after the other."""
    evaluators: list[Any] = [place.engine.prepare(circuit) for circuit in circuits]
    w = torch.tensor(weights, dtype=torch.float32, device=place.device)
    inputs = w.new_empty((1, 0))
    values, slopes = w.new_empty((len(circuits), evaluators[0].n_outputs)), torch.zeros_like(w)
    cotangents, mine = torch.ones_like(values[:1]), torch.empty_like(w)

    def loop() -> None:
        slopes.zero_()
        for row, evaluator in enumerate(evaluators):
            kept = evaluator.forward_into(values[row : row + 1], inputs, w, keep=True)
            evaluator.backward_into(None, mine, inputs, w, cotangents, kept)
            slopes.add_(mine)

    return loop, [values, slopes]


def prepare(count: int, place: Place, limits: Limits) -> Checked:
    random = np.random.default_rng(0)
    circuits = [random_circuit(random) for _ in range(count)]
    weights = random.normal(size=N_WEIGHTS).astype(np.float32).astype(np.float64)
    prepared = CircuitBatch(circuits).prepare()
    values, _, slopes = prepared.derivatives(None, None, weights)
    (call, found), (loop, apart) = in_one_call(prepared, weights, place), in_a_loop(circuits, weights, place)
    call()
    loop()
    check_near(found, (values, slopes))
    check_near(apart, (values, slopes))
    seconds = median(place.times(loop, ROUNDS))
    return Checked(call, over=seconds, note=f"the loop takes {1e3 * seconds:.3g} ms")


CASES = [GpuCase("circuits in one call over a loop", {"circuits": COUNT, "n": 8}, partial(prepare, COUNT), goal=GOAL)]
