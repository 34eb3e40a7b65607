"""Rotations that turn the other way in some samples: as if those samples had other angles."""

import numpy as np
import pytest

from qloom import _native
from qloom.circuits import Circuit
from qloom.engines import Expectations, Probabilities, StatevectorEngine, make_batch
from qloom.engines.statevector.native_program import prepared
from qloom.observables import X, Y, Z


def ansatz(n_qubits, n_layers):
    """Every rotation has a slot of its own, so that its sign is the slot's."""
    circuit = Circuit(n_qubits)
    x, w = circuit.inputs(n_qubits), circuit.weights(4 * n_layers * n_qubits)
    slots = iter(range(4 * n_layers * n_qubits))
    for q in range(n_qubits):
        circuit.ry(x[q], q)
    for _ in range(n_layers):
        for q in range(n_qubits):
            circuit.rz(w[next(slots)], q).ry(w[next(slots)], q).rz(w[next(slots)], q)
        for q in range(n_qubits):
            circuit.rzz(w[next(slots)], q, (q + 1) % n_qubits)
        for q in range(n_qubits):
            circuit.cx(q, (q + 1) % n_qubits)
    return circuit


@pytest.mark.parametrize(("n_qubits", "n_samples"), [(3, 20), (6, 35), (8, 3), (14, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flipped_rotations_turn_the_other_way(n_qubits, n_samples, dtype):
    circuit, random = ansatz(n_qubits, 2), np.random.default_rng(n_qubits)
    outputs = Expectations((Z(0), X(1) @ Y(2) + 0.3 * Z(2)))
    x = random.uniform(-3, 3, (n_samples, circuit.n_inputs)).astype(dtype)
    w = random.uniform(-3, 3, circuit.n_weights).astype(dtype)
    cotangents = random.normal(size=(n_samples, 2)).astype(dtype)
    program, native = prepared(circuit, outputs)
    flipped = random.random((n_samples, program.n_rotations)) < 0.1
    flipped[::3] = False
    values, d_x, d_w = walk(native, x, w, cotangents, packed(flipped))

    signs_x, signs_w = np.ones_like(x), np.ones((n_samples, len(w)), dtype)
    r = program.rotations
    for k, (source, index) in enumerate(zip(r.source, r.index, strict=True)):
        (signs_x if source == 1 else signs_w)[flipped[:, k], index] = -1
    evaluator = StatevectorEngine(1).prepare(circuit, outputs)
    batch = make_batch(circuit, signs_x * x, signs_w * w)
    tolerance = 3e-5 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(values, evaluator.values(batch), rtol=0, atol=tolerance)
    right_x, right_w = evaluator.backward(batch, cotangents, None, (True, True))
    np.testing.assert_allclose(d_x, signs_x * right_x, rtol=0, atol=10 * tolerance)
    np.testing.assert_allclose(d_w, (signs_w * right_w).sum(axis=0), rtol=0, atol=10 * n_samples * tolerance)


def test_no_flips_are_no_flips():
    circuit, random = ansatz(5, 2), np.random.default_rng(0)
    _, native = prepared(circuit, Probabilities((0, 3)))
    x, w = random.normal(size=(40, 5)), random.normal(size=circuit.n_weights)
    cotangents = random.normal(size=(40, 4))
    none = np.zeros((40, (prepared(circuit, Probabilities((0, 3)))[0].n_rotations + 63) // 64), np.uint64)
    for mine, plain in zip(walk(native, x, w, cotangents, none), walk(native, x, w, cotangents, None), strict=True):
        np.testing.assert_array_equal(mine, plain)


def packed(flipped):
    rows = np.zeros((len(flipped), (flipped.shape[1] + 63) // 64 * 64), np.uint8)
    rows[:, : flipped.shape[1]] = flipped
    return np.packbits(rows, axis=1, bitorder="little").view(np.uint64)


def walk(native, x, w, cotangents, flips, threads=2):
    values, d_x, d_w = np.empty_like(cotangents), np.empty_like(x), np.empty_like(w)
    _native.forward(native, x, w, values, None, threads, flips=flips)
    _native.backward(native, x, w, cotangents, None, d_x, d_w, None, threads, flips=flips)
    return values, d_x, d_w
