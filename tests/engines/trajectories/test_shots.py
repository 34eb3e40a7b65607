"""Measured trajectories: every shot has errors of its own."""

import numpy as np
import pytest
from scipy.stats import chi2

from qloom.circuits import Circuit
from qloom.encoders import amplitude
from qloom.engines import DensityEngine, Probabilities, Shots, TrajectoryEngine, make_batch
from qloom.engines.streams import Stream
from qloom.observables import X, Z
from tests.engines.trajectories.circuits import OTHERS, PAULI, RandomCircuit

KINDS = pytest.mark.parametrize("channels", [PAULI, PAULI + OTHERS], ids=["pauli", "any"])


def chi_square(counts, truth):
    """Of counts (B, D) with these probabilities: its value and how likely one as large is; rare outcomes are pooled."""
    shots, value, freedom = counts[0].sum(), 0.0, 0
    for row, p in zip(counts, truth, strict=True):
        rare = p * shots < 10
        seen, expected = (np.append(a[~rare], a[rare].sum()) for a in (row, p * shots))
        kept = expected > 1
        assert seen[~kept].sum() < 12
        value += (((seen - expected) ** 2)[kept] / expected[kept]).sum()
        freedom += kept.sum() - 1
    return value, chi2.sf(value, freedom)


def two_samples(seed, channels):
    drawn = RandomCircuit(seed, channels)
    inputs = np.stack([drawn.inputs, drawn.inputs * [1, -1, 0.5, 0.7]])
    return drawn, make_batch(drawn.circuit, inputs, drawn.weights)


@KINDS
@pytest.mark.parametrize("seed", range(6))
def test_outcomes_are_those_of_density_matrices(seed, channels):
    """Counted, and drawn bit by bit; 24 right ones raise an alarm once in 40,000 runs of other seeds."""
    circuit, batch = (drawn := two_samples(seed, channels))[0].circuit, drawn[1]
    outputs, shots = Probabilities((2, 0, 1)), 20_000
    truth = DensityEngine().prepare(circuit, outputs).values(batch)
    counts = Shots(TrajectoryEngine(1), shots, seed).prepare(circuit, outputs).values(batch) * shots
    assert chi_square(counts, truth)[1] > 1e-6
    bits = TrajectoryEngine(1).sampler(circuit, (2, 0, 1)).draw(batch, shots, Stream(seed + 100))
    places = bits @ [4, 2, 1]
    assert chi_square(np.array([np.bincount(row, minlength=8) for row in places]), truth)[1] > 1e-6


@pytest.mark.parametrize("channel", ["depolarizing", "amplitude_damping"])
def test_given_amplitudes_are_measured(channel):
    circuit = amplitude(8).ry(0.4, 0)
    getattr(getattr(circuit, channel)(0.3, 0).cx(0, 1).rx(0.7, 1), channel)(0.2, 1).cz(1, 2).h(2)
    inputs = np.random.default_rng(0).normal(size=(3, 8))
    batch = make_batch(circuit, inputs / np.linalg.norm(inputs, axis=1, keepdims=True))
    outputs, shots = Probabilities((1, 2, 0)), 20_000
    truth = DensityEngine().prepare(circuit, outputs).values(batch)
    counts = Shots(TrajectoryEngine(1), shots, 0).prepare(circuit, outputs).values(batch) * shots
    assert chi_square(counts, truth)[1] > 1e-6


@KINDS
def test_stated_errors_are_those_of_the_spread(channels):
    """Squares of 500 deviations in standard errors: their mean is off by 6 of its own once in 10^8 runs."""
    drawn = RandomCircuit(1, channels)
    observables = [Z(0) @ Z(1) - 0.7 * Z(2), X(1) + Z(0)]
    one = make_batch(drawn.circuit, drawn.inputs[None], drawn.weights)
    truth = DensityEngine().prepare(drawn.circuit, observables).values(one)[0]
    batch = make_batch(drawn.circuit, np.tile(drawn.inputs, (500, 1)), drawn.weights)
    found = Shots(TrajectoryEngine(1), 200, seed=2).prepare(drawn.circuit, observables).estimate(batch)
    squares = ((found.values - truth) / found.errors) ** 2
    # Errors are those of 200 shots, so the mean is that of Student's t, 1.01.
    assert (np.abs(squares.mean(axis=0) - 1.01) < 6 * np.sqrt(2.1 / 500)).all()
    means = (found.values.mean(axis=0) - truth) / np.sqrt((found.errors**2).mean(axis=0) / 500)
    assert (np.abs(means) < 5).all()


@KINDS
def test_shots_are_taken_up_again_whatever_the_engine_is(channels):
    drawn, batch = two_samples(3, channels)
    stream = Stream(5)
    evaluator = Shots(TrajectoryEngine(1, seed=0, threads=1), 50, stream).prepare(drawn.circuit, [Z(0), X(1)])
    state = stream.state
    first, second = evaluator.values(batch), evaluator.values(batch)
    assert (first != second).any()
    stream.state = state
    np.testing.assert_array_equal(evaluator.values(batch), first)
    other = Shots(TrajectoryEngine(70, seed=1, threads=2), 50, Stream(5)).prepare(drawn.circuit, [Z(0), X(1)])
    np.testing.assert_array_equal(other.values(batch), first)


@KINDS
def test_pieces_do_not_change_what_is_drawn(channels, monkeypatch):
    drawn, batch = two_samples(4, channels)
    evaluator = Shots(TrajectoryEngine(1), 300, stream := Stream(0)).prepare(drawn.circuit, Probabilities((0, 2)))
    state = stream.state
    whole = evaluator.values(batch)
    for name in ("pieces", "samplers"):
        monkeypatch.setattr(f"qloom.engines.trajectories.{name}.MOST_NUMBERS", 100)
    stream.state = state
    np.testing.assert_array_equal(evaluator.values(batch), whole)


def test_parities_of_a_wide_register():
    """Closed forms at 40 qubits; off by 5 standard errors once in 1.7 million runs."""
    circuit, p = Circuit(40).h(0), 0.1
    for q in range(1, 40):
        circuit.cx(q - 1, q)
    circuit.bit_flip(p, 0).bit_flip(p, 20).depolarizing(0.3, 39)
    estimator = Shots(TrajectoryEngine(1), 4000, seed=0).prepare(circuit, [Z(0) @ Z(20), Z(20) @ Z(39), Z(7) @ Z(9)])
    found = estimator.estimate(make_batch(circuit))
    truth = np.array([(1 - 2 * p) ** 2, (1 - 2 * p) * (1 - 4 * 0.3 / 3), 1.0])
    assert (np.abs(found.values[0] - truth) <= 5 * found.errors[0]).all()


def test_a_certain_outcome_is_flipped_by_its_errors():
    """Nothing but errors moves it: 3,000 of 10,000 within 5 standard errors."""
    circuit = Circuit(2).x(0).bit_flip(0.3, 1)
    bits = TrajectoryEngine(1).sampler(circuit, (0, 1)).draw(make_batch(circuit), 10_000, Stream(0))[0]
    assert bits[:, 0].all()
    assert abs(int(bits[:, 1].sum()) - 3000) < 5 * np.sqrt(10_000 * 0.3 * 0.7)
