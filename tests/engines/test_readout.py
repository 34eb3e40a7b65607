"""Readout errors: exact on values and probabilities of any engine, in bits, with slopes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

import qloom as ql
from qloom.circuits import Circuit
from qloom.engines import DensityEngine, Probabilities, ReferenceEngine, Shots, StatevectorEngine, TrajectoryEngine
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from qloom.gradients import prepare_gradient

A, B = 0.08, 0.03  # 0 read as 1, 1 read as 0
JOINT = np.array([[0.9, 0.05, 0.02, 0], [0.05, 0.9, 0.03, 0.1], [0.03, 0.05, 0.9, 0.1], [0.02, 0, 0.05, 0.8]])


def turned(n: int = 3) -> Circuit:
    circuit = Circuit(n)
    for q in range(n):
        circuit.ry(0.4 + 0.5 * q, q)
    return circuit.cx(0, 1).cx(1, 2).rx(0.3, 0)


def test_probabilities_are_multiplied_by_the_matrices():
    single = np.array([[1 - A, B], [A, 1 - B]])
    true = ql.probabilities(turned())
    expected = np.kron(JOINT, np.eye(2)) @ np.kron(np.eye(4), single) @ true
    read = turned().confusion(JOINT, (0, 1)).readout_error(A, B, 2)
    np.testing.assert_allclose(ql.probabilities(read), expected, atol=1e-14)
    cube = expected.reshape(2, 2, 2)
    np.testing.assert_allclose(ql.probabilities(read, qubits=[2, 0]), cube.sum(axis=1).T.ravel(), atol=1e-14)
    np.testing.assert_allclose(ql.probabilities(turned().confusion(JOINT, (1, 0)), qubits=[1, 0]),
                               JOINT @ ql.probabilities(turned(), qubits=[1, 0]), atol=1e-14)  # fmt: skip


def test_words_are_read_letter_by_letter():
    """Whatever basis a letter is measured in: turn it into Z, then read."""
    read = turned().readout_error(A, B, 0).confusion(JOINT, (1, 2))
    words = [ql.X(0) @ ql.Y(2), ql.Z(0) @ ql.Z(1) @ ql.Z(2), 0.5 * ql.X(1) + 2.0, ql.Y(0)]
    found = ql.expectation(read, words)
    measured = turned().h(0).sdg(2).h(2).readout_error(A, B, 0).confusion(JOINT, (1, 2))
    signs = np.array([[1, -1]]).repeat(3, axis=0)
    cube = ql.probabilities(measured).reshape(2, 2, 2)
    assert found[0] == pytest.approx(np.einsum("abc,a,c->", cube, signs[0], signs[2]), abs=1e-14)
    plain = ql.probabilities(read).reshape(2, 2, 2)
    assert found[1] == pytest.approx(np.einsum("abc,a,b,c->", plain, *signs), abs=1e-14)
    # Qubit 2, which the third word leaves alone, is measured in Z.
    beside = ql.probabilities(turned().h(1).confusion(JOINT, (1, 2)), qubits=[1])
    assert found[2] == pytest.approx(2 + 0.5 * (beside[0] - beside[1]), abs=1e-14)
    assert found[3] == pytest.approx(B - A + (1 - A - B) * ql.expectation(turned(), [ql.Y(0)])[0], abs=1e-14)


@pytest.mark.parametrize("observables", [[ql.Z(0) @ ql.X(1), ql.Y(1) - 0.5 * ql.Z(0)], "probabilities"])
def test_slopes_by_angles_and_rates(observables):
    circuit = Circuit(2)
    x, w = circuit.inputs(2), circuit.weights(2)
    circuit.ry(x[0], 0).rx(w[0], 1).cx(0, 1).ry(0.3, 1).readout_error(0.1 * x[1], w[1], 1).readout_error(w[1], 0.02, 0)
    batch = ql.engines.make_batch(circuit, np.array([[0.3, 0.7], [1.1, 0.2]]), np.array([0.5, 0.04]))
    evaluator = prepare_gradient(circuit, observables)
    truth = prepare_gradient(circuit, observables, ReferenceEngine(), "finite-difference")
    values, kept = evaluator.forward(batch, keep=True)
    cotangents = np.random.default_rng(0).normal(size=values.shape)
    for kept_or_not in (kept, None):
        for mine, theirs in zip(evaluator.backward(batch, cotangents, kept_or_not, (True, True)),
                                truth.backward(batch, cotangents, None, (True, True)), strict=True):  # fmt: skip
            np.testing.assert_allclose(mine, theirs, atol=1e-7)


@pytest.mark.parametrize("engine", [StatevectorEngine(), DensityEngine(), TrajectoryEngine(3, 0)], ids=repr)
@pytest.mark.parametrize("observables", [None, "probabilities", ql.engines.Probabilities((2, 0))], ids=repr)
def test_a_batch_without_samples(engine, observables):
    circuit = Circuit(3)
    x, w = circuit.inputs(2), circuit.weights(2)
    if "channel" in engine.runs:
        circuit.reset_error(x[1], w[1], 0)
    circuit.ry(x[0], 0).rx(w[0], 1).cx(0, 1).readout_error(0.1 * x[1], w[1], 2).confusion(JOINT, (1, 0))
    evaluator = prepare_gradient(circuit, observables, engine)
    for weights in (np.zeros(2), np.zeros((0, 2))):
        batch = ql.engines.Batch(np.zeros((0, 2)), weights, False)
        values, kept = evaluator.forward(batch, keep=True)
        assert values.shape == (0, evaluator.n_outputs)
        d_inputs, d_weights = evaluator.backward(batch, values, kept, (True, True))
        assert d_inputs.shape == (0, 2)
        np.testing.assert_array_equal(d_weights, np.zeros(weights.shape))


def test_bits_are_flipped_by_chance():
    """Within 5 standard errors, seeded: a false alarm in a million."""
    read, shots = turned().confusion(JOINT, (0, 1)).readout_error(A, B, 2), 40_000
    truth = ql.probabilities(read)
    drawn = ql.sample(read, shots, seed=1) @ [4, 2, 1]
    shares = np.bincount(drawn, minlength=8) / shots
    assert (np.abs(shares - truth) < 5 * np.sqrt(truth * (1 - truth) / shots)).all()
    words = [ql.X(0) @ ql.Z(2), ql.Y(1), ql.Z(0) @ ql.Z(1)]
    estimate = Shots(StatevectorEngine(), shots, 2).prepare(read, words).estimate(ql.engines.make_batch(read))
    assert (np.abs(estimate.values - ql.expectation(read, words)) < 5 * estimate.errors).all()


NOISY = turned().bit_flip(0.1, 0).depolarizing(0.2, 1, 2)


@pytest.mark.parametrize(
    ("engine", "circuit"),
    [(StatevectorEngine(), turned()), (DensityEngine(), NOISY), (TrajectoryEngine(1), NOISY)],
    ids=["statevector", "density", "trajectories"],
)
@pytest.mark.parametrize("shots", [200, 1_000_000])
def test_counts_are_those_of_what_is_read(engine, circuit, shots):
    """Chi-square of outcomes, and parities of several qubits; alarms in two of a million runs of other seeds."""
    read = circuit.copy().confusion(JOINT, (2, 0)).readout_error(A, B, 1)
    batch = ql.engines.make_batch(read)
    for qubits in ((1, 0, 2), (0,)):
        truth = DensityEngine().prepare(read, Probabilities(qubits)).values(batch)[0]
        shares = Shots(engine, shots, 3).prepare(read, Probabilities(qubits)).values(batch)[0]
        assert shares.sum() == pytest.approx(1)
        assert chi2.sf((shots * (shares - truth) ** 2 / truth).sum(), len(truth) - 1) > 1e-7
    words = [ql.Z(0) @ ql.Z(1) @ ql.Z(2), ql.X(0) @ ql.Z(1) @ ql.Y(2), ql.Z(1) @ ql.Z(2)]
    found = Shots(engine, shots, 4).prepare(read, words).estimate(batch)
    truth = DensityEngine().prepare(read, words).values(batch)
    assert (np.abs(found.values - truth) < 5.5 * found.errors).all()


def test_samples_have_rates_of_their_own():
    """Each of two is read with its own, from tables and from counts: within 5 standard errors."""
    circuit, shots = Circuit(1).bit_flip(0.2, 0), 40_000
    circuit.readout_error(circuit.inputs(1)[0], 0.1, 0)
    batch = ql.engines.make_batch(circuit, np.array([[0.05], [0.4]]))
    ones = 0.8 * np.array([0.05, 0.4]) + 0.2 * 0.9
    for engine in (DensityEngine(), TrajectoryEngine(1)):
        shares = Shots(engine, shots, 0).prepare(circuit, Probabilities((0,))).values(batch)
        assert (np.abs(shares[:, 1] - ones) < 5 * np.sqrt(ones * (1 - ones) / shots)).all()


def test_refused():
    with pytest.raises(CircuitError, match="rx follows readout_error on qubit 0, expected readout errors last"):
        ql.expectation(Circuit(1).readout_error(0.1, 0.1, 0).rx(0.1, 0))
    with pytest.raises(CircuitError, match="confusion follows readout_error on qubit 0"):
        ql.expectation(Circuit(2).readout_error(0.1, 0.1, 0).confusion(JOINT, (0, 1)))
    with pytest.raises(UnsupportedError, match="readout errors change what is measured, got state"):
        ql.state(turned().readout_error(A, B, 0))
    circuit = Circuit(1)
    circuit.readout_error(circuit.weights(1)[0], 0.1, 0)
    with pytest.raises(ShapeError, match=r"readout_error on qubit 0: p1_given0 is -0.5"):
        ql.expectation(circuit, weights=[-0.5])
