"""Trajectories: closed forms, what results depend on, errors, refusals."""

import numpy as np
import pytest

from qloom.circuits import Circuit
from qloom.engines import TrajectoryEngine, make_batch
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from qloom.observables import X, Z
from tests.engines.trajectories.circuits import OTHERS, PAULI, RandomCircuit

KINDS = pytest.mark.parametrize("channels", [PAULI, PAULI + OTHERS], ids=["pauli", "any"])


def estimate(circuit, observables, n_trajectories=40_000, seed=0):
    return TrajectoryEngine(n_trajectories, seed).prepare(circuit, observables).estimate(make_batch(circuit))


def ghz(n_qubits):
    circuit = Circuit(n_qubits).h(0)
    for q in range(1, n_qubits):
        circuit.cx(q - 1, q)
    return circuit


def every(circuit, channel, rate):
    for q in range(circuit.n_qubits):
        getattr(circuit, channel)(rate, q)
    return circuit


def all_x(n_qubits):
    word = X(0)
    for q in range(1, n_qubits):
        word = word @ X(q)
    return word


# Each is off by more than 5 standard errors in one run of 1.7 million.
@pytest.mark.parametrize(
    ("circuit", "observable", "expected"),
    [
        (Circuit(1).x(0).depolarizing(0.5, 0), Z(0), -1 / 3),
        (Circuit(1).x(0).depolarizing(0.75, 0), Z(0), 0.0),
        (every(ghz(2), "depolarizing", 0.3), X(0) @ X(1), (1 - 4 * 0.3 / 3) ** 2),
        (ghz(2).depolarizing(0.4, 0, 1), Z(0) @ Z(1), 1 - 16 * 0.4 / 15),
        (every(ghz(5), "phase_flip", 0.2), all_x(5), (1 - 2 * 0.2) ** 5),
        (every(ghz(3), "amplitude_damping", 0.3), all_x(3), (1 - 0.3) ** 1.5),
        (Circuit(1).h(0).measure(0), X(0), 0.0),
        (ghz(2).reset(0), Z(0) + 2 * Z(1), 1.0),
    ],
)
def test_closed_forms(circuit, observable, expected):
    found = estimate(circuit, observable)
    assert abs(found.values[0, 0] - expected) <= 5 * found.errors[0, 0] + 1e-12


def test_outcomes_of_a_damped_cat():
    g = 0.4
    found = estimate(every(ghz(2), "amplitude_damping", g), "probabilities")
    expected = [0.5 + g**2 / 2, g * (1 - g) / 2, g * (1 - g) / 2, (1 - g) ** 2 / 2]
    assert (np.abs(found.values[0] - expected) <= 5 * found.errors[0] + 1e-12).all()


def walk(circuit, batch, n_trajectories=5, threads=1, seed=3):
    evaluator = TrajectoryEngine(n_trajectories, seed, threads).prepare(circuit, [Z(0), X(1) @ Z(2)])
    values, kept = evaluator.forward(batch, True)
    return values, *evaluator.backward(batch, np.ones_like(values), kept, (True, True))


def noisy(channels, size, seed=5):
    drawn = RandomCircuit(seed, channels)
    x = drawn.inputs + 0.01 * np.random.default_rng(0).normal(size=(size, 4))
    return drawn.circuit, x, drawn.weights


@KINDS
def test_results_do_not_depend_on_threads(channels):
    circuit, x, w = noisy(channels, 40)
    for one, two in zip(*(walk(circuit, make_batch(circuit, x, w), threads=t) for t in (1, 2)), strict=True):
        np.testing.assert_array_equal(one, two)


@KINDS
def test_rows_do_not_depend_on_each_other(channels):
    circuit, x, w = noisy(channels, 40)
    whole, part = (walk(circuit, make_batch(circuit, x[:size], w)) for size in (40, 30))
    np.testing.assert_array_equal(whole[0][:30], part[0])
    np.testing.assert_array_equal(whole[1][:30], part[1])


@KINDS
def test_pieces_do_not_change_what_is_drawn(channels, monkeypatch):
    circuit, x, w = noisy(channels, 6)
    batch = make_batch(circuit, x, w)
    whole = walk(circuit, batch, 50)
    monkeypatch.setattr("qloom.engines.trajectories.pieces.MOST_NUMBERS", 200)
    for all_at_once, piecewise in zip(whole, walk(circuit, batch, 50), strict=True):
        np.testing.assert_allclose(piecewise, all_at_once, rtol=0, atol=1e-12)


@KINDS
def test_a_walk_back_without_what_was_kept_draws_anew(channels):
    circuit, x, w = noisy(channels, 4)
    batch = make_batch(circuit, x, w)
    evaluator = TrajectoryEngine(3, seed=0).prepare(circuit)
    first, second = (evaluator.backward(batch, np.ones((4, 3)), None, (True, False))[0] for _ in range(2))
    assert not np.array_equal(first, second)


@KINDS
def test_single_precision(channels):
    circuit, x, w = noisy(channels, 20)
    double = walk(circuit, make_batch(circuit, x, w))
    single = walk(circuit, make_batch(circuit, x.astype(np.float32), w.astype(np.float32)))
    assert all(found.dtype == np.float32 for found in single)
    # A rate that is rounded may draw another error where it falls between two numbers: with 64 bits, not here.
    np.testing.assert_allclose(single[0], double[0], atol=1e-5)


@KINDS
def test_one_trajectory_says_nothing_of_its_error(channels):
    circuit, x, w = noisy(channels, 2)
    found = TrajectoryEngine(1, seed=0).prepare(circuit, Z(0)).estimate(make_batch(circuit, x, w))
    assert np.isinf(found.errors).all()
    assert found.runs == 2


def test_without_noise_values_are_exact():
    circuit = Circuit(2).ry(0.7, 0).cx(0, 1).depolarizing(0.5, 0)
    found = estimate(circuit, Z(1), 1)
    assert (found.values[0, 0], found.errors[0, 0]) == (pytest.approx(np.cos(0.7), abs=1e-12), 0)


@KINDS
def test_errors_are_those_of_means(channels):
    """Two hundred means of 50: the ratio of their spread to what is stated is 1 to 30% in all but one of 10^8 runs."""
    circuit, x, w = noisy(channels, 1)
    batch = make_batch(circuit, np.repeat(x, 200, axis=0), w)
    found = TrajectoryEngine(50, seed=1).prepare(circuit, Z(0)).estimate(batch)
    assert found.values.std(ddof=1) / np.sqrt((found.errors**2).mean()) == pytest.approx(1, abs=0.3)


def test_a_stream_is_taken_up_again():
    circuit, x, w = noisy(PAULI, 3)
    stream = Stream(7)
    evaluator = TrajectoryEngine(2, stream).prepare(circuit)
    state, batch = stream.state, make_batch(circuit, x, w)
    first = evaluator.values(batch)
    stream.state = state
    np.testing.assert_array_equal(evaluator.values(batch), first)


@pytest.mark.parametrize("count", [0, -1, 1.5, "3", True])
def test_trajectories_are_counted(count):
    with pytest.raises(CircuitError, match=r"n_trajectories=.*expected an integer from 1"):
        TrajectoryEngine(count)


@pytest.mark.parametrize("channel", ["depolarizing", "amplitude_damping"])
def test_rates_outside_their_range_are_named(channel):
    circuit = Circuit(1)
    getattr(circuit, channel)(circuit.weights(1)[0], 0)
    with pytest.raises(ShapeError, match=rf"{channel}: . is 1\.2, expected 0 to 1"):
        TrajectoryEngine(2).prepare(circuit).values(make_batch(circuit, None, np.array([1.2])))


@pytest.mark.parametrize(("channel", "rate"), [("depolarizing", 0.0), ("bit_flip", 1.0), ("amplitude_damping", 0.0)])
def test_slopes_of_what_is_never_drawn_are_refused(channel, rate):
    circuit = Circuit(1)
    w = circuit.weights(2)
    getattr(circuit.ry(w[1], 0), channel)(w[0], 0)
    evaluator, batch = TrajectoryEngine(2).prepare(circuit), make_batch(circuit, None, np.array([rate, 0.3]))
    with pytest.raises(UnsupportedError, match=f"{channel} on qubit 0 .*never draw"):
        evaluator.backward(batch, np.ones((1, 1)), None, (False, True))
    evaluator.trained = np.array([False, True])  # frozen, it is not asked for
    evaluator.backward(batch, np.ones((1, 1)), None, (False, True))
