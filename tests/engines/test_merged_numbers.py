"""Rotations by numbers, merged into others about the same word after those are taken within a turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.engines import Expectations, ReferenceEngine, StatevectorEngine
from qloom.engines.statevector import lower, lower_states
from qloom.engines.statevector.independence import independent_parts
from qloom.engines.statevector.native_program import prepared
from qloom.gradients import gradient
from qloom.testing import check_engine
from tests.circuits.strategies import circuits, random_values

ENGINE = StatevectorEngine()
SIZES = [1.0, 1e6, 1e12]


def dressed(n: int) -> ql.Circuit:
    """H and RY of the inputs, numbers before and after rotations by weights, about all axes."""
    circuit = ql.Circuit(n)
    x, w = circuit.inputs(n), circuit.weights(3 * n)
    for q in range(n):
        circuit.h(q).ry(2 * x[q], q)
    for q in range(n):
        circuit.cx(q, (q + 1) % n).rz(w[q], q).rz(0.7, q)
        circuit.rx(-1.1, q).rx(-2 * w[n + q], q).rx(0.4, q)
        circuit.rzz(w[2 * n + q], q, (q + 1) % n).rzz(2.9, q, (q + 1) % n)
    for q in range(n):
        circuit.h(q).ry(w[q], q)
    return circuit


def words(n: int) -> tuple[ql.PauliSum, ...]:
    return ql.Z(0), ql.X(1) @ ql.Z(0) - 0.5 * ql.Y(n - 1), ql.Y(0) @ ql.Y(1)


def large_values(n: int, n_samples: int, size: float, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    inputs, weights = size * rng.uniform(-3, 3, (n_samples, n)), size * rng.uniform(-3, 3, 3 * n)
    return inputs.astype(dtype), weights.astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("n_qubits", "n_samples"), [(2, 1), (3, 9), (4, 2)])
def test_values_are_those_of_the_reference(dtype, size, n_qubits, n_samples):
    inputs, weights = large_values(n_qubits, n_samples, size, dtype)
    assert lower_states(dressed(n_qubits)).turns.any()
    check_engine(ENGINE, dressed(n_qubits), words(n_qubits), inputs, weights)


@pytest.mark.parametrize(("dtype", "near"), [("f4", 2e-5), ("f8", 1e-10)])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("own", [False, True])
def test_gradients_are_those_of_shifted_angles(dtype, near, size, own):
    """Of the reference, at the same angles within a turn: a shift would be lost beside 1e12."""
    circuit = dressed(3)
    inputs, weights = large_values(3, 5, size, dtype)
    if own:
        weights = weights * np.array([[1], [2], [-1], [4], [0.5]], dtype)
    small = (np.arctan2(np.sin(v), np.cos(v)) for v in (inputs.astype("f8"), weights.astype("f8")))
    mine = gradient(circuit, words(3), inputs, weights)
    truth = gradient(circuit, words(3), *small, differentiator="parameter-shift", engine=ReferenceEngine())
    for ours, theirs in zip(mine, truth, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=near)


@settings(max_examples=20)
@given(circuits(max_qubits=3), st.integers(0, 2**32 - 1))
def test_random_circuits_between_numbers_and_slots_keep_their_values(circuit, seed):
    n = circuit.n_qubits
    around = ql.Circuit(n)
    x, w = around.inputs(n), around.weights(n)
    for q in range(n):
        around.h(q).ry(x[q], q).p(0.3, q).p(w[q], q)
    whole = around + circuit + around
    check_engine(ENGINE, whole, (ql.Z(0), ql.X(n - 1)), *random_values(whole, 2, seed))


def test_what_does_not_commute_keeps_them_apart():
    circuit = ql.Circuit(2)
    (x,) = circuit.inputs(1)
    circuit.rx(0.3, 0).rz(0.2, 0).rx(x, 0)
    assert not lower_states(circuit).turns.any()
    circuit = ql.Circuit(2)
    (x,) = circuit.inputs(1)
    circuit.rx(0.3, 0).rzz(0.2, 0, 1).rxx(0.5, 0, 1).rx(x, 1).rx(-0.4, 1)
    (merged,) = lower_states(circuit).turns[lower_states(circuit).turns != 0]
    assert merged == pytest.approx(-0.4)


def test_numbers_alone_stay_as_they_are():
    program = lower_states(ql.Circuit(1).rx(0.3, 0).rx(0.4, 0))
    assert program.n_rotations == 2
    assert not program.turns.any()


@pytest.mark.parametrize("number", [3 * np.pi, 1e20, -2 * np.pi])
def test_numbers_that_are_merged_keep_the_states_sign(number):
    """A turn is 4 pi: a rotation by 2 pi is -1."""
    circuit = ql.Circuit(1)
    (x,) = circuit.inputs(1)
    circuit.rx(x, 0).rx(number, 0)
    half = np.array([1e6]) / 2
    cosine = np.cos(half) * np.cos(number / 2) - np.sin(half) * np.sin(number / 2)
    sine = np.sin(half) * np.cos(number / 2) + np.cos(half) * np.sin(number / 2)
    truth = [cosine[0], -1j * sine[0]]
    np.testing.assert_allclose(ql.state(circuit, 2 * half[None])[0], truth, atol=1e-14)


def test_parts_of_a_product_keep_them():
    circuit = ql.Circuit(3)
    x = circuit.inputs(3)
    for q in range(3):
        circuit.rx(x[q], q).rx(0.1 * (q + 1), q)
    parts = independent_parts(lower_states(circuit))
    assert sorted(float(turn) for part in parts for turn in part.turns) == pytest.approx([0.1, 0.2, 0.3])
    assert all(int(part.rotations.index[0]) == round(10 * part.turns[0]) - 1 for part in parts)


def test_hadamards_before_an_encoder_cost_nothing():
    """RY(pi / 2 + x): Z stays what is measured, and the program real."""
    plain, circuit = ql.encoders.angle(4), ql.Circuit(4)
    for q in range(4):
        circuit.h(q)
    ansatz, measured = ql.ansatze.hardware_efficient(4, 2, ("ry",), "ring"), [ql.Z(q) for q in range(4)]
    program = lower(circuit + plain + ansatz, measured)
    assert program.n_rotations == lower(plain + ansatz, measured).n_rotations
    assert not program.terms.x.any()
    assert prepared(circuit + plain + ansatz, Expectations(tuple(measured)))[1].is_real
