"""Evaluation in one call: shapes, seeds and every refusal."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.engines import ReferenceEngine
from qloom.errors import CircuitError, MemoryLimitError, ShapeError

CIRCUIT = ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1)
X, W = np.array([0.1, 0.2]), np.array([0.3, 0.4])


def test_shapes_follow_the_batch():
    batch = np.stack([X] * 5)
    assert ql.expectation(CIRCUIT, None, X, W).shape == (2,)
    assert ql.expectation(CIRCUIT, ql.Z(0), batch, W).shape == (5, 1)
    assert ql.expectation(CIRCUIT, None, X, np.stack([W] * 3)).shape == (3, 2)
    assert ql.state(CIRCUIT, batch, W).shape == (5, 4)
    assert ql.probabilities(CIRCUIT, X, W, qubits=[1]).shape == (2,)
    assert ql.sample(CIRCUIT, 7, X, W, qubits=[1]).shape == (7, 1)
    assert ql.sample(CIRCUIT, 7, batch, W).shape == (5, 7, 2)
    assert len(ql.counts(CIRCUIT, 7, batch, W)) == 5


def test_samples_follow_the_probabilities():
    """Chi-squared of 20,000 shots over 8 outcomes: below 40 with 7 degrees of freedom, false alarm 1e-6."""
    circuit = ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 1)
    rng = np.random.default_rng(0)
    x, w, shots = rng.normal(size=3), rng.normal(size=9), 20_000
    bits = ql.sample(circuit, shots, x, w, seed=3)
    seen = np.bincount(bits @ [4, 2, 1], minlength=8)
    expected = shots * ql.probabilities(circuit, x, w, engine=ReferenceEngine())
    assert ((seen - expected) ** 2 / expected).sum() < 40
    np.testing.assert_array_equal(bits, ql.sample(circuit, shots, x, w, seed=3))
    assert not np.array_equal(bits, ql.sample(circuit, shots, x, w, seed=4))
    counts = ql.counts(circuit, shots, x, w, seed=3)
    assert counts == {f"{k:03b}": n for k, n in enumerate(seen) if n}


def test_integers_take_the_dtype_beside_them():
    assert ql.expectation(CIRCUIT, None, [0, 1], W.astype("f4")).dtype == np.float32
    assert ql.expectation(CIRCUIT, None, [0, 1], W).dtype == np.float64


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ql.expectation(CIRCUIT, None, X[:1], W), ShapeError, r"inputs has shape \(1,\), expected \(2,\) or"),
        (lambda: ql.expectation(CIRCUIT, None, X, W[:1]), ShapeError, r"weights has shape \(1,\), expected \(2,\)"),
        (lambda: ql.expectation(CIRCUIT, None, X), ShapeError, "weights not given, expected 2"),
        (lambda: ql.expectation(CIRCUIT, None, None, W), ShapeError, "inputs not given, expected 2"),
        (lambda: ql.expectation(CIRCUIT, None, np.ones((3, 2)), np.ones((4, 2))), ShapeError, "same number of samples"),
        (lambda: ql.expectation(CIRCUIT, None, X.astype("f4"), W), ShapeError, "expected one dtype"),
        (lambda: ql.expectation(CIRCUIT, None, X * 1j, W), ShapeError, "inputs has dtype complex128"),
        (lambda: ql.expectation(CIRCUIT, None, [[1.0], [1.0, 2.0]], W), ShapeError, "expected an array of numbers"),
        (lambda: ql.expectation(CIRCUIT, None, [np.nan, 0.0], W), ShapeError, r"inputs holds nan at \(0, 0\)"),
        (lambda: ql.counts(CIRCUIT, 5, X, [np.inf, 0.0]), ShapeError, r"weights holds inf at \(0,\)"),
        (lambda: ql.expectation("circuit"), ShapeError, "circuit is a str, expected a Circuit"),
        (lambda: ql.expectation(CIRCUIT, None, X, W, engine="native"), CircuitError, "expected an Engine"),
        (lambda: ql.expectation(CIRCUIT, "all", X, W), CircuitError, "expected Pauli sums, 'probabilities', 'state'"),
        (lambda: ql.expectation(CIRCUIT, [], X, W), CircuitError, "expected one Pauli sum or more"),
        (lambda: ql.expectation(CIRCUIT, X, W), CircuitError, "observables are numbers, expected Pauli sums"),
        (lambda: ql.expectation(CIRCUIT, [0.1, 0.2]), CircuitError, "observables are numbers, expected Pauli sums"),
        (lambda: ql.expectation(CIRCUIT, ql.Z(2), X, W), CircuitError, "acts on qubit 2, the circuit has qubits 0"),
        (lambda: ql.expectation(CIRCUIT, 1j * ql.Z(0), X, W), CircuitError, "complex coefficient"),
        (lambda: ql.expectation(CIRCUIT, None, X, W, shots=True), CircuitError, "shots=True, expected an integer"),
        (lambda: ql.sample(CIRCUIT, 0, X, W), CircuitError, "shots=0, expected an integer of at least 1"),
        (lambda: ql.expectation(CIRCUIT, None, X, W, shots=2**63), CircuitError, "shots=9223372036854775808, exp"),
        (lambda: ql.sample(CIRCUIT, 10**30, X, W), CircuitError, r"shots=10+, expected at most 2\^63 - 1"),
        (lambda: ql.counts(CIRCUIT, 2**63 - 1, X, W), MemoryLimitError, r"needs [\d,]+ bytes"),
        (lambda: ql.sample(CIRCUIT, 5, X, W, seed=-1), CircuitError, "seed=-1, expected an integer of at least 0"),
        (lambda: ql.probabilities(CIRCUIT, X, W, qubits=[1.7]), CircuitError, "expected different integers"),
        (lambda: ql.probabilities(CIRCUIT, X, W, qubits=[0, 0]), CircuitError, "expected different integers"),
        (lambda: ql.probabilities(CIRCUIT, X, W, qubits=5), CircuitError, "qubits 5, expected different integers"),
        (lambda: ql.engines.StatevectorEngine(threads=0), CircuitError, "threads=0, expected an integer from 1 to"),
        (lambda: ql.engines.StatevectorEngine(threads=2**31), CircuitError, "expected an integer from 1 to 1024"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_samples_too_many_for_memory_are_refused():
    with pytest.raises(MemoryLimitError, match=r"needs [\d,]+ bytes"):
        ql.sample(CIRCUIT, 10**13, X, W)


def test_probabilities_with_shots_need_no_square_table():
    """14 qubits: a 2^n x 2^n table would be 2 GB."""
    circuit = ql.Circuit(14).h(0)
    values = ql.expectation(circuit, "probabilities", shots=100, seed=0)
    assert values.sum() == pytest.approx(1)
    assert set(np.flatnonzero(values)) == {0, 2**13}


def test_counts_are_the_samples_counted():
    """Of every row of a batch; shots of a row are in no order: outcomes rise as often as they fall."""
    batch = np.stack([X, -X, 2 * X])
    bits = ql.sample(CIRCUIT, 2000, batch, W, seed=1)
    outcomes = bits @ [2, 1]
    for row, counts in zip(outcomes, ql.counts(CIRCUIT, 2000, batch, W, seed=1), strict=True):
        assert counts == {f"{k:02b}": n for k, n in enumerate(np.bincount(row)) if n}
        rises, falls = (np.diff(row) > 0).sum(), (np.diff(row) < 0).sum()
        assert rises > 5
        assert abs(rises - falls) <= 1 + len(counts)


@pytest.mark.parametrize(("n_qubits", "n_samples"), [(4, 20), (9, 20), (10, 3), (15, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_few_many_and_all_qubits(n_qubits, n_samples, dtype):
    """Batches and single states, small and large tables; one qubit is only flipped."""
    circuit = ql.Circuit(n_qubits)
    inputs, weights = circuit.inputs(n_qubits - 2), circuit.weights(n_qubits - 2)
    for q in range(n_qubits - 2):
        circuit.ry(inputs[q], q).rx(weights[q], q).cx(q, q + 1)
    circuit.x(n_qubits - 1)
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(n_samples, n_qubits - 2)).astype(dtype), rng.normal(size=n_qubits - 2).astype(dtype)
    states = ql.state(circuit, x.astype(float), w.astype(float), engine=ReferenceEngine())
    table = (abs(states) ** 2).reshape(n_samples, *[2] * n_qubits)
    for qubits in ([1], [n_qubits - 1, 0, 2], range(n_qubits - 1), range(n_qubits)):
        others = tuple(1 + q for q in range(n_qubits) if q not in qubits)
        left = sorted(qubits)
        truth = table.sum(axis=others).transpose(0, *(1 + left.index(q) for q in qubits)).reshape(n_samples, -1)
        found = ql.probabilities(circuit, x, w, qubits=list(qubits))
        np.testing.assert_allclose(found, truth, atol=1e-6 if dtype == np.float32 else 1e-13)


def test_slots_are_given_in_the_shape_they_were_declared_in():
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(2, 2), circuit.weights(2, 2, 3)
    for layer in range(2):
        for q in range(2):
            circuit.rx(x[layer, q], q).rot(*w[layer, q], q)
        circuit.cx(0, 1)
    rng = np.random.default_rng(0)
    xs, ws = rng.normal(size=(5, 2, 2)), rng.normal(size=(5, 2, 2, 3))
    rows = [ql.expectation(circuit, None, a.ravel(), b.ravel()) for a, b in zip(xs, ws, strict=True)]
    np.testing.assert_array_equal(ql.expectation(circuit, None, xs, ws), rows)
    np.testing.assert_array_equal(ql.expectation(circuit, None, xs[0], ws[0]), rows[0])
    shared = ql.expectation(circuit, None, xs, ws[0])
    np.testing.assert_array_equal(shared, ql.expectation(circuit, None, xs.reshape(5, 4), ws[0].ravel()))
    assert ql.state(circuit, xs[0], ws[0]).shape == (4,)
    assert ql.counts(circuit, 9, xs[0], ws[0], seed=0) == ql.counts(circuit, 9, xs[0].ravel(), ws[0].ravel(), seed=0)
    with pytest.raises(ShapeError, match=r"weights has shape \(2, 3, 3\), expected \(12,\) or \(B, 12\)"):
        ql.expectation(circuit, None, xs[0], np.zeros((2, 3, 3)))
