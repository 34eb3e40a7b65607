"""Quantum Boltzmann machines: convex where they should be, the classical machine without X, better than it with."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from sklearn.base import clone

from qloom.errors import ConfigError, DataError, ShapeError, UnsupportedError
from qloom.models import QuantumBoltzmannMachine
from qloom.models.generative.gibbs import Data, WordSum, visible_loss
from qloom.models.generative.words import bits_of, outcomes_of

CLASSICAL = ("Z", "ZZ")


def rows(n: int = 4, seed: int = 0, n_rows: int = 200) -> np.ndarray:
    """Bits of which every outcome occurs, the likelier ones in no pattern that pairs of bits could tell."""
    random = np.random.default_rng(seed)
    drawn = random.choice(1 << n, n_rows, p=random.dirichlet(np.ones(1 << n)))
    return bits_of(np.r_[np.arange(1 << n), drawn], n)


def shares(bits: np.ndarray) -> np.ndarray:
    return np.bincount(outcomes_of(bits), minlength=1 << bits.shape[1]) / len(bits)


def divergence(bits: np.ndarray, model) -> float:
    of_rows, found = shares(bits), model.probabilities()
    return float(np.sum(of_rows[of_rows > 0] * np.log((of_rows / found)[of_rows > 0])))


def ising(theta: np.ndarray, n: int) -> np.ndarray:
    """Probabilities of exp(sum h_i s_i + sum J_ij s_i s_j), summed up outcome by outcome."""
    found = []
    for bits in product([1, -1], repeat=n):
        pairs = [a * b for a, b in combinations(bits, 2)]
        found.append(np.exp(theta @ np.r_[bits, pairs]))
    return np.array(found) / np.sum(found)


def test_without_x_it_is_the_classical_machine():
    bits = rows()
    model = QuantumBoltzmannMachine(CLASSICAL).fit(bits)
    np.testing.assert_allclose(model.probabilities(), ising(model.theta_, 4), atol=1e-13)
    operators = [(i,) for i in range(4)] + list(combinations(range(4), 2))
    signs = np.array([np.prod(1.0 - 2.0 * bits[:, list(qubits)], axis=1).mean() for qubits in operators])
    np.testing.assert_allclose(model.moments(operators), signs, atol=1e-7)  # the maximum of likelihood
    # A transverse field of strength 0 changes nothing, and of data without coherence that is the best one.
    with_field = QuantumBoltzmannMachine(data_state="diagonal").fit(bits)
    np.testing.assert_allclose(with_field.theta_, np.insert(model.theta_, 4, np.zeros(4)), atol=1e-5)
    with_field.theta_ = np.insert(model.theta_, 4, np.zeros(4))
    np.testing.assert_allclose(np.diagonal(with_field.state()), model.probabilities(), atol=1e-10)


@pytest.mark.parametrize("data_state", ["diagonal", "pure"])
def test_ten_starts_reach_one_optimum(data_state):
    found = [QuantumBoltzmannMachine(data_state=data_state, random_state=seed).fit(rows()) for seed in range(10)]
    entropies, thetas = [model.relative_entropy_ for model in found], np.array([model.theta_ for model in found])
    assert np.ptp(entropies) < 1e-9
    assert np.ptp(thetas, axis=0).max() < 1e-3
    words = WordSum(found[0].words_, 4)
    data = Data.pure(shares(rows())) if data_state == "pure" else Data.mixture(shares(rows()))
    assert np.abs(visible_loss(words, data)(thetas[0])[1]).max() < 1e-5


def test_x_and_hidden_qubits_come_nearer_to_data():
    """Rows around four centers, as in Amin and others 2018, of fewer bits."""
    random = np.random.default_rng(2)
    centers = random.integers(0, 2, (4, 5))
    bits = centers[random.integers(0, 4, 5000)] ^ (random.random((5000, 5)) > 0.9)
    settings = [{"operators": CLASSICAL}, {}, {"data_state": "measured"}, {"n_hidden": 1, "data_state": "measured"}]
    models = [QuantumBoltzmannMachine(max_steps=200, **each).fit(bits) for each in settings]
    classical, pure, measured, hidden = (divergence(bits, model) for model in models)
    assert hidden < measured < pure < classical
    assert measured < classical / 2
    assert [model.relative_entropy_ for model in models[2:]] == pytest.approx([measured, hidden], abs=1e-12)


@pytest.mark.parametrize("operators", [CLASSICAL, ("Z", "X", "ZZ")])
def test_a_hidden_qubit_learns_parity(operators):
    """Three bits of even parity, of which no pair tells anything: ln 2 away from the best machine without."""
    bits = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    without = QuantumBoltzmannMachine(CLASSICAL).fit(bits)
    assert divergence(bits, without) == pytest.approx(np.log(2), abs=1e-6)
    model = QuantumBoltzmannMachine(operators, n_hidden=1, data_state="measured", random_state=1).fit(bits)
    assert divergence(bits, model) < 0.01


@pytest.mark.parametrize(
    ("connections", "pairs"),
    [
        ("full", list(combinations(range(5), 2))),
        ("semi-restricted", [pair for pair in combinations(range(5), 2) if pair != (3, 4)]),
        ("restricted", list(product(range(3), (3, 4)))),
    ],
)
def test_connections(connections, pairs):
    model = QuantumBoltzmannMachine(n_hidden=2, connections=connections, max_steps=2).fit(rows(3))
    single = [(letter, (q,)) for letter in "ZX" for q in range(5)]
    assert model.words_ == single + [("ZZ", pair) for pair in pairs]
    assert model.probabilities().shape == (8,)
    assert model.state().shape == (8, 8)


def test_a_penalty_keeps_strengths_finite():
    """Bars and stripes leave outcomes out: without a penalty strengths grow, with one the slopes balance it."""
    bits = bits_of(np.array([0, 3, 5, 10, 12, 15]), 4)
    free, held = (QuantumBoltzmannMachine(penalty=penalty).fit(bits) for penalty in (0, 0.01))
    assert np.abs(free.theta_).max() > 5 > np.abs(held.theta_).max()
    slope = visible_loss(WordSum(held.words_, 4), Data.pure(shares(bits)))(held.theta_)[1]
    np.testing.assert_allclose(slope, -0.01 * held.theta_, atol=1e-6)
    assert divergence(bits, free) < 1e-6 < divergence(bits, held)


@pytest.mark.parametrize("settings", [{}, {"operators": CLASSICAL}, {"n_hidden": 1}, {"operators": ("Y", "ZZ")}])
def test_one_row_and_constant_bits_stay_finite(settings):
    for bits in ([[0, 1, 1]], [[0, 1, 0], [0, 1, 1], [0, 0, 1]]):
        model = clone(QuantumBoltzmannMachine(**settings)).fit(bits)
        assert np.isfinite(model.theta_).all()
        assert model.probabilities().sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("settings", "bits", "error", "message"),
    [
        ({}, [[0, 2]], DataError, "X holds 2, expected bits 0 and 1 only"),
        ({}, np.zeros((2, 13)), UnsupportedError, "given 13 bits, expected at most 12 in all; take fewer"),
        ({"n_hidden": 5}, np.zeros((2, 8)), UnsupportedError, "8 bits and 5 hidden qubits, expected at most 12"),
        ({"operators": CLASSICAL}, np.zeros((2, 21)), UnsupportedError, "given 21 bits, expected at most 20"),
        ({"operators": ("Z", "AB")}, [[0, 1]], ConfigError, r"operators=\('Z', 'AB'\), expected words of X, Y and Z"),
        ({"operators": ("ZZZ",)}, [[0, 1]], ConfigError, r"make no word of 2 qubit\(s\); give shorter"),
        ({"n_hidden": -1}, [[0, 1]], ConfigError, "n_hidden=-1, expected an integer of at least 0"),
        ({"penalty": -1}, [[0, 1]], ConfigError, "penalty=-1, expected a number of at least 0"),
        ({"connections": "some"}, [[0, 1]], ConfigError, "connections='some', expected one of full"),
        ({"data_state": "mixed"}, [[0, 1]], ConfigError, "data_state='mixed', expected one of diagonal"),
        ({"max_steps": 0}, [[0, 1]], ConfigError, "max_steps=0, expected an integer of at least 1"),
    ],
)
def test_errors(settings, bits, error, message):
    with pytest.raises(error, match=message):
        QuantumBoltzmannMachine(**settings).fit(bits)


def test_rows_of_other_widths_are_refused():
    model = QuantumBoltzmannMachine(max_steps=2).fit(rows())
    with pytest.raises(ShapeError, match="X has 3 columns, expected 4 bits"):
        model.score_samples([[0, 1, 1]])
