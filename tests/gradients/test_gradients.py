"""One contract over all differentiators, and what sets each apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.engines import FinalState, ReferenceEngine
from qloom.gradients import DIFFERENTIATORS, gradient
from qloom.testing import check_differentiator
from tests.circuits.strategies import circuits, random_values

OBSERVABLES = {
    "paulis": lambda n: [ql.Z(0), 0.7 * ql.pauli("XYZ"[: min(n, 3)], range(min(n, 3))) - 0.2],
    "probabilities": lambda n: "probabilities",
}
EXACT = [name for name, kind in DIFFERENTIATORS.items() if kind.is_exact]


@pytest.mark.parametrize("outputs", OBSERVABLES)
@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=25)
@given(circuit=circuits(max_qubits=4, max_gates=8), seed=st.integers(0, 2**32 - 1), own_weights=st.booleans())
def test_contract(name, outputs, circuit, seed, own_weights):
    inputs, weights = random_values(circuit, 2, seed)
    if own_weights:
        weights = np.stack([weights, -weights])
    observables = OBSERVABLES[outputs](circuit.n_qubits)
    check_differentiator(name, circuit, observables, inputs, weights, seed=seed, tolerance=1e-6)


@settings(max_examples=100)
@given(circuits(max_qubits=4), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_parameter_shift_equals_adjoint(circuit, n_samples, seed):
    inputs, weights = random_values(circuit, n_samples, seed)
    observables = OBSERVABLES["paulis"](circuit.n_qubits)
    cotangents = np.random.default_rng(seed).normal(size=(n_samples, 2))
    adjoint = gradient(circuit, observables, inputs, weights, cotangents, differentiator="adjoint")
    shift = gradient(circuit, observables, inputs, weights, cotangents, differentiator="parameter-shift")
    half = gradient(circuit, observables, inputs.astype("f4"), weights.astype("f4"), cotangents)
    size = 1 + np.abs(cotangents).sum()
    for a, b, c in zip(adjoint, shift, half, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)
        assert c.dtype == np.float32
        np.testing.assert_allclose(c, a, rtol=0, atol=1e-5 * size)


@settings(max_examples=30)
@given(circuits(max_qubits=3, max_gates=6, amplitudes=True), st.integers(0, 2**32 - 1))
def test_amplitudes_are_differentiated(circuit, seed):
    inputs, weights = random_values(circuit, 2, seed)
    check_differentiator("adjoint", circuit, [ql.Z(0)], inputs, weights, seed=seed, tolerance=1e-6)


@pytest.mark.parametrize("linear", [False, True])
@settings(max_examples=40)
@given(circuit=circuits(max_qubits=4, max_gates=8, amplitudes=True), seed=st.integers(0, 2**32 - 1))
def test_states_are_differentiated(linear, circuit, seed):
    """As numbers: phases count too."""
    inputs, weights = random_values(circuit, 2, seed)
    outputs = FinalState(circuit.n_qubits, linear)
    check_differentiator("adjoint", circuit, outputs, inputs, weights, seed=seed, tolerance=1e-6)


@pytest.mark.parametrize("n_qubits", [5, 9, 15])
def test_adjoint_of_large_registers_and_few_samples(n_qubits):
    """Lanes are amplitudes here; the truth is parameter shift, on the reference engine up to 9 qubits."""
    circuit = ql.encoders.angle(n_qubits, "x") + ql.ansatze.strongly_entangling(n_qubits, 1)
    inputs, weights = random_values(circuit, 1, 0)
    engine = ReferenceEngine() if n_qubits <= 9 else None
    observables = [ql.Z(0) @ ql.X(n_qubits - 1), ql.Y(1)]
    adjoint = gradient(circuit, observables, inputs, weights)
    shift = gradient(circuit, observables, inputs, weights, engine=engine, differentiator="parameter-shift")
    for a, b in zip(adjoint, shift, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)


def test_shots_are_unbiased():
    """Parameter shift with shots: 6 standard errors, so a false alarm in 5e8 derivatives; here 5."""
    circuit = ql.encoders.angle(2) + ql.ansatze.strongly_entangling(2, 1)
    inputs, weights = random_values(circuit, 1, 3)
    observables = [ql.Z(0) @ ql.X(1)]
    exact = np.concatenate([g.ravel() for g in gradient(circuit, observables, inputs, weights)])
    shots, runs = 200, 100
    noisy = np.array(
        [
            np.concatenate([g.ravel() for g in gradient(circuit, observables, inputs, weights, shots=shots, seed=s)])
            for s in range(runs)
        ]
    )
    error = np.abs(noisy.mean(axis=0) - exact)
    # Each derivative is half a difference of two means of +-1: variance at most 1 / (2 shots), per rotation.
    assert (error < 6 * np.sqrt(1 / (2 * shots * runs))).all()
    assert noisy.std(axis=0).max() > 0


def test_expectation_with_shots_is_unbiased_and_seeded():
    """Non-commuting words in three groups; within 6 standard errors (2e-9 a value)."""
    circuit = ql.Circuit(2).ry(0.7, 0).cx(0, 1).rx(0.4, 1)
    observable = 0.5 * ql.Z(0) @ ql.Z(1) + ql.X(0) @ ql.X(1) - 0.3 * ql.Y(1) + 2
    exact = ql.expectation(circuit, observable)
    shots = 40_000
    noisy = ql.expectation(circuit, observable, shots=shots, seed=5)
    assert abs(noisy - exact)[0] < 6 * np.sqrt((0.25 + 1 + 0.09) / shots)
    assert noisy != exact
    assert ql.expectation(circuit, observable, shots=shots, seed=5) == noisy
    with pytest.raises(ql.errors.CircuitError, match="shots=0, expected an integer of at least 1"):
        ql.expectation(circuit, observable, shots=0)


def test_refusals():
    circuit = ql.encoders.angle(1)
    with pytest.raises(ql.errors.UnsupportedError, match='use differentiator="parameter-shift"'):
        gradient(circuit, None, [0.1], engine=ReferenceEngine(), differentiator="adjoint")
    with pytest.raises(ql.errors.UnsupportedError, match=r"that walks back .*, got Shots\(.*, shots=10\)"):
        gradient(circuit, None, [0.1], differentiator="adjoint", shots=10)
    with pytest.raises(ql.errors.UnsupportedError, match="are noise"):
        gradient(circuit, None, [0.1], differentiator="finite-difference", shots=10)
    with pytest.raises(ql.errors.CircuitError, match="expected one of auto, adjoint"):
        gradient(circuit, None, [0.1], differentiator="backprop")
    with pytest.raises(ql.errors.UnsupportedError, match="no derivative of initial amplitudes"):
        gradient(ql.encoders.amplitude(2), None, [1.0, 0.0], differentiator="parameter-shift")
    with pytest.raises(ql.errors.ShapeError, match="cotangents has dtype complex128"):
        gradient(circuit, None, [0.1], cotangents=[1j])
    with pytest.raises(ql.errors.ShapeError, match=r"cotangents has shape \(2,\), expected \(1,\)"):
        gradient(circuit, None, [0.1], cotangents=[1.0, 2.0])
