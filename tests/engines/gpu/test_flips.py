"""Rotations that turn the other way in some samples, as the CPU's evaluator turns them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.engines import Engine, StatevectorEngine
from qloom.engines.gpu import launches
from tests.engines.gpu.host_engine import HostEngine
from tests.engines.gpu.kernel_script import KINDS, arrays_of, check_near, cotangents_of, cut_small, exact, outputs_of
from tests.engines.trajectories.test_flips import ansatz, packed

ENGINE, SWEPT = HostEngine(), HostEngine(most_whole=6)
BOTH = pytest.mark.parametrize(("engine", "n_qubits", "n_samples"), [(ENGINE, 3, 20), (ENGINE, 8, 3), (SWEPT, 7, 3)])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """So that several blocks walk over one state."""
    cut_small(monkeypatch.setattr)


def random_flips(n_samples: int, n_rotations: int, share: float = 0.3) -> np.ndarray:
    """Bits (B, numbers), uint64; every third sample has none."""
    flipped = np.random.default_rng(n_rotations).random((n_samples, n_rotations)) < share
    flipped[::3] = False
    return packed(flipped)


def walk(evaluator: Any, arrays: list[Any], flips: Any, keep: bool) -> list[Any]:
    """Values and both derivatives, of arrays or of tensors: inputs, weights, cotangents."""
    inputs, weights, cotangents = arrays
    values, d_inputs, d_weights = (0 * array for array in (cotangents, inputs, weights))
    kept = evaluator.forward_into(values, inputs, weights, keep, flips)
    evaluator.backward_into(d_inputs, d_weights, inputs, weights, cotangents, kept, flips)
    return [values, d_inputs, d_weights]


def on_device(engine: Engine, circuit: ql.Circuit, outputs: Any, arrays: list[np.ndarray], flips: Any, keep: bool):
    there = None if flips is None else torch.from_numpy(flips.view(np.int64))
    found = walk(engine.prepare(circuit, outputs), [torch.from_numpy(array) for array in arrays], there, keep)
    return [tensor.numpy() for tensor in found]


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_flipped_rotations_turn_the_other_way(engine, n_qubits, n_samples, kind):
    circuit, outputs = ansatz(n_qubits, 3), outputs_of(kind, n_qubits)
    own, keep = kind in KINDS[::2], kind in KINDS[:2]
    for dtype in ("f4", "f8"):
        batch, evaluator = arrays_of(circuit, n_samples, dtype, own), StatevectorEngine(1).prepare(circuit, outputs)
        flips, cotangents = random_flips(n_samples, evaluator.program.n_rotations), cotangents_of(batch, outputs.size)
        assert (flips.shape[1] > 1) == (n_qubits > 5)
        right = walk(evaluator, [exact(batch).inputs, exact(batch).weights, cotangents.astype("f8")], flips, False)
        found = on_device(engine, circuit, outputs, [batch.inputs, batch.weights, cotangents], flips, keep)
        check_near(found, right, dtype)


@BOTH
def test_no_flips_are_no_flips(engine, n_qubits, n_samples):
    circuit, outputs = ansatz(n_qubits, 2), outputs_of("expectations", n_qubits)
    batch, evaluator = arrays_of(circuit, n_samples, own=True), engine.prepare(circuit, outputs)
    arrays = [batch.inputs, batch.weights, cotangents_of(batch, outputs.size)]
    flips = random_flips(n_samples, evaluator.program.n_rotations)
    flipped, plain, none = (on_device(engine, circuit, outputs, arrays, one, True) for one in (flips, None, 0 * flips))
    for turned, mine, nothing in zip(flipped, plain, none, strict=True):
        np.testing.assert_array_equal(mine, nothing)
        np.testing.assert_array_equal(turned[::3], mine[::3])
        assert (turned[1::3] != mine[1::3]).any()


def test_large_states_some_at_a_time_have_their_own_flips(monkeypatch):
    circuit, outputs = ansatz(7, 2), outputs_of("probabilities", 7)
    batch, evaluator = arrays_of(circuit, 4), SWEPT.prepare(circuit, outputs)
    arrays = [batch.inputs, batch.weights, cotangents_of(batch, outputs.size)]
    flips = random_flips(4, evaluator.program.n_rotations)
    together = on_device(SWEPT, circuit, outputs, arrays, flips, True)
    monkeypatch.setattr(launches, "MOST_LOCAL_NUMBERS", 1)
    for mine, theirs in zip(on_device(SWEPT, circuit, outputs, arrays, flips, True), together, strict=True):
        np.testing.assert_array_equal(mine, theirs)
