"""Readout: inverted, as nearest probabilities, and twirled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from qloom import Circuit
from qloom.engines import Shots, expectation, make_batch, probabilities
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients import FiniteDifference, gradient
from qloom.mitigation import ReadoutInversion, TwirledReadout, measured_confusion
from qloom.mitigation.confusion import checked_blocks
from qloom.mitigation.outcome_tables import BoundedOutcomes, ConfusedTable
from qloom.observables import X, Y, Z
from tests.mitigation.circuits import INPUTS, WEIGHTS, circuit
from tests.mitigation.noisy import Noisy, none

ARRAYS = INPUTS, WEIGHTS
WORDS = [Z(0) + 0.25, X(0) @ Y(1) - 0.5 * Z(1)]
A, B = np.array([[0.97, 0.06], [0.03, 0.94]]), np.array([[0.99, 0.1], [0.01, 0.9]])


def misread(*blocks):
    return Noisy(DensityEngine(), none, lambda c: [c.confusion(matrix, qubits) for qubits, matrix in blocks])


def product():
    return misread(((0,), A), ((1,), B))


def together():
    shifts = 0.02 * np.array([[-1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, -1]])
    return misread(((0, 1), np.kron(A, B) + shifts))


def test_product_confusion_is_undone_exactly_with_derivatives():
    engine = ReadoutInversion(product())
    exact, raw = expectation(circuit(), WORDS, *ARRAYS), expectation(circuit(), WORDS, *ARRAYS, engine=product())
    assert np.abs(raw - exact).max() > 0.02
    np.testing.assert_allclose(expectation(circuit(), WORDS, *ARRAYS, engine=engine), exact, atol=1e-13)
    mine, plain = gradient(circuit(), WORDS, *ARRAYS, engine=engine), gradient(circuit(), WORDS, *ARRAYS)
    for a, b in zip(mine, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-13)


@pytest.mark.parametrize("qubits", [(0, 1), (1, 0), (0,), (1,)])
@pytest.mark.parametrize("engine", [product(), together()])
def test_probabilities_are_undone_exactly_of_some_qubits_too(engine, qubits):
    found = probabilities(circuit(), *ARRAYS, qubits=qubits, engine=ReadoutInversion(engine))
    np.testing.assert_allclose(found, probabilities(circuit(), *ARRAYS, qubits=qubits), atol=1e-13)


def test_joint_confusion_is_undone_for_words_of_z():
    words = [Z(0), Z(1), Z(0) @ Z(1)]
    found = expectation(circuit(), words, *ARRAYS, engine=ReadoutInversion(together()))
    np.testing.assert_allclose(found, expectation(circuit(), words, *ARRAYS), atol=1e-13)


def test_confusion_is_measured_by_calibration_circuits():
    found = measured_confusion(product(), 2)
    np.testing.assert_allclose([found[0], found[1]], [A, B], atol=1e-13)
    engine = ReadoutInversion(product(), found)
    np.testing.assert_allclose(
        expectation(circuit(), WORDS, *ARRAYS, engine=engine), expectation(circuit(), WORDS, *ARRAYS), atol=1e-12
    )


def test_nearest_probabilities_are_those_of_an_optimizer_with_derivatives():
    table = ConfusedTable((0, 1), checked_blocks({0: A, 1: B}))
    nearest, confusion = BoundedOutcomes(table), np.kron(A, B)
    measured = np.array([[0.9, 0.02, 0.01, 0.07], [0.95, 0.05, 0, 0], [0.25, 0.25, 0.25, 0.25]])
    found = nearest.combine(measured[None])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    assert found.min() >= -1e-12
    for p, m in zip(found, measured, strict=True):
        best = minimize(
            lambda q, m=m: ((confusion @ q - m) ** 2).sum(), np.full(4, 0.25), bounds=[(0, 1)] * 4, tol=1e-14,
            constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
        )  # fmt: skip
        np.testing.assert_allclose(p, best.x, atol=2e-6)
    cotangents = np.random.default_rng(0).normal(size=(3, 4))
    pulled = nearest.pulled_back(measured[None], cotangents)[0]
    for b in range(3):
        for k in range(4):
            step = np.zeros((3, 4))
            step[b, k] = 1e-6
            slope = (nearest.combine((measured + step)[None]) - nearest.combine((measured - step)[None])) / 2e-6
            assert pulled[b, k] == pytest.approx((slope * cotangents).sum(), abs=1e-7)


def test_least_squares_of_few_shots_gives_probabilities_where_the_inverse_does_not():
    c = Circuit(2).rx(0.2, 0)
    measured = lambda method: ReadoutInversion(Shots(product(), 50, 1), method=method)  # noqa: E731
    assert probabilities(c, engine=measured("inverse")).min() < 0
    found = probabilities(c, engine=measured("least_squares"))
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("engine", [product(), together()])
def test_all_twirls_leave_a_factor_that_is_measured(engine):
    """Of words on the same letters everywhere they are misread, joint confusion too."""
    mitigated = TwirledReadout(engine, None)
    words = [*WORDS, Z(0) @ Z(1)]
    found = expectation(circuit(), words, *ARRAYS, engine=mitigated)
    np.testing.assert_allclose(found, expectation(circuit(), words, *ARRAYS), atol=1e-12)


def test_twirled_values_have_derivatives():
    engine, one = TwirledReadout(product(), None), (INPUTS[:1], WEIGHTS)
    mine = gradient(circuit(), WORDS, *one, engine=engine)
    truth = gradient(circuit(), WORDS, *one, engine=engine, differentiator=FiniteDifference(1e-4))
    for a, b in zip(mine, truth, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_drawn_twirls_are_within_their_errors_and_count_their_calibration():
    engine = TwirledReadout(Shots(product(), 200, 3), 16)
    evaluator = engine.prepare(circuit(), WORDS)
    found = evaluator.estimate(make_batch(circuit(), *ARRAYS))
    # Errors of 16 twirls are themselves uncertain: of four values one beyond 6 once in 10,000 seeds.
    assert (np.abs(found.values - expectation(circuit(), WORDS, *ARRAYS)) < 6 * found.errors).all()
    assert found.shots == 2 * 2 * 16 * 200
    assert (evaluator.prepared_runs, evaluator.prepared_shots) == (3 * 16, 3 * 16 * 200)


def test_bad_confusion_is_refused_in_a_sentence():
    for confusion, what in [
        ({0: [[1, 0]]}, "has shape"), ({0: [[0.9, 0.2], [0.2, 0.8]]}, "add up to 1 within 0.1"),
        ({0: [[0.5, 0.5], [0.5, 0.5]]}, "hardly apart"), ({0: A, (0, 1): np.eye(4)}, "each qubit in one"),
        ({0: [[1.1, 0], [-0.1, 1]]}, "least entry -0.1"),
    ]:  # fmt: skip
        with pytest.raises(CircuitError, match=what):
            ReadoutInversion(product(), confusion)
    with pytest.raises(CircuitError, match="method='magic'"):
        ReadoutInversion(product(), method="magic")
    with pytest.raises(UnsupportedError, match="no readout error that it could tell"):
        ReadoutInversion(Noisy(DensityEngine(), lambda c, op: c.rz(0.1, 0))).prepare(circuit())
    with pytest.raises(UnsupportedError, match="gives no expectations"):
        ReadoutInversion(product(), method="least_squares").prepare(circuit())
    lost = misread(((0,), [[0.5, 0.5], [0.5, 0.5]]))
    with pytest.raises(UnsupportedError, match="readout leaves"):
        TwirledReadout(lost, None).prepare(circuit())
