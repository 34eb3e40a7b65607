"""Rotations without effect are left out: values and derivatives stay, counts are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.engines import Probabilities, ReferenceEngine
from qloom.engines.statevector import lower, lower_states
from qloom.gradients import gradient
from tests.circuits.strategies import circuits, random_values


def brick(n: int, depth: int) -> ql.Circuit:
    """A ring of n qubits: RXX on alternating bonds, then RY on every qubit, `depth` times."""
    circuit = ql.Circuit(n)
    for layer, w in enumerate(circuit.weights(depth, 2, n)):
        for q in range(layer % 2, n, 2):
            circuit.rxx(w[0, q], q, (q + 1) % n)
        for q in range(n):
            circuit.ry(w[1, q], q)
    return circuit


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_light_cone_of_a_brick_circuit(depth):
    """k layers before the end the cone has k bonds; RY is felt on the qubits the cone had a layer later."""
    program = lower(brick(2 * depth + 2, depth), [ql.Z(1)])
    bonds, turns = depth * (depth + 1) // 2, 1 + depth * (depth - 1)
    assert program.n_rotations == bonds + turns


def test_measured_qubits_have_the_cone_of_their_z():
    circuit = brick(10, 3)
    assert lower_states(circuit, (1,)).n_rotations == lower(circuit, [ql.Z(1)]).n_rotations
    assert lower_states(circuit, range(10)).n_rotations == lower_states(circuit).n_rotations == 45


def test_diagonal_rotations_of_the_zero_state_are_left_out():
    """The first RZ layer meets |0>, the last one Z; both do nothing, but the state's phase feels them."""
    n, layers = 4, 3
    circuit = ql.ansatze.strongly_entangling(n, layers)
    assert lower(circuit, [ql.Z(q) for q in range(n)]).n_rotations == 3 * n * layers - 2 * n
    assert lower_states(circuit).n_rotations == 3 * n * layers


def test_given_amplitudes_feel_diagonal_rotations():
    circuit = ql.Circuit(2).prepare_amplitudes(np.full(4, 0.5))
    circuit.rz(circuit.weights(1)[0], 0)
    assert lower(circuit, [ql.X(0)]).n_rotations == 1


def test_constants_need_no_rotation():
    assert lower(brick(6, 2), [2.0 * ql.I()]).n_rotations == 0


@st.composite
def local_measurements(draw):
    """A circuit with one observable of one letter, or with one measured qubit."""
    circuit = draw(circuits(max_qubits=4, amplitudes=True))
    qubit = draw(st.integers(0, circuit.n_qubits - 1))
    letter = draw(st.sampled_from("XYZP"))
    return circuit, Probabilities((qubit,)) if letter == "P" else [ql.pauli(letter, (qubit,))]


@settings(max_examples=60)
@given(local_measurements(), st.integers(0, 2**32 - 1))
def test_values_and_derivatives_of_local_observables(measured, seed):
    circuit, observables = measured
    inputs, weights = random_values(circuit, 2, seed)
    reference = ReferenceEngine()
    evaluator = ql.engines.StatevectorEngine().prepare(circuit, observables)
    batch = ql.engines.make_batch(circuit, inputs, weights)
    np.testing.assert_allclose(
        evaluator.values(batch), reference.prepare(circuit, observables).values(batch), atol=1e-10
    )
    if circuit.initial is None or circuit.initial.values is not None:
        truth = gradient(circuit, observables, inputs, weights, engine=reference, differentiator="finite-difference")
        for mine, true in zip(gradient(circuit, observables, inputs, weights), truth, strict=True):
            np.testing.assert_allclose(mine, true, atol=1e-6)


def test_derivatives_outside_the_cone_are_zero():
    circuit = brick(8, 2)
    weights = np.random.default_rng(0).normal(size=circuit.n_weights)
    _, d_weights = gradient(circuit, [ql.Z(1)], None, weights)
    truth = gradient(circuit, [ql.Z(1)], None, weights, differentiator="parameter-shift")[1]
    np.testing.assert_allclose(d_weights, truth, atol=1e-12)
    assert np.count_nonzero(d_weights) == lower(circuit, [ql.Z(1)]).n_rotations
