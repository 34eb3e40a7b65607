"""The restricted Boltzmann machine against sums over all states of both layers, and on distributions it can learn."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from sklearn.base import clone

from qloom.errors import ConfigError, DataError, UnsupportedError
from qloom.models import IndependentBits, RestrictedBoltzmannMachine

QUICK = {"n_steps": 20, "burn_in": 10}


def machine(n_visible: int, n_hidden: int, seed: int = 0) -> RestrictedBoltzmannMachine:
    """With weights that are not small."""
    generator = np.random.default_rng(seed)
    made = RestrictedBoltzmannMachine(n_hidden, **QUICK).fit(generator.integers(0, 2, (30, n_visible)))
    made.weights_ = generator.normal(size=(n_hidden, n_visible))
    made.visible_biases_, made.hidden_biases_ = generator.normal(size=n_visible), generator.normal(size=n_hidden)
    return made


def states(n: int) -> np.ndarray:
    return np.array(list(product([0, 1], repeat=n)))


def joint(made: RestrictedBoltzmannMachine) -> np.ndarray:
    """exp(v.a + h.b + h W v) for all v and h, from the definition."""
    hidden, visible = states(len(made.hidden_biases_)), states(len(made.visible_biases_))
    energies = (
        (visible @ made.visible_biases_)[:, None] + hidden @ made.hidden_biases_ + visible @ made.weights_.T @ hidden.T
    )
    return np.exp(energies)


@pytest.mark.parametrize(("n_visible", "n_hidden"), [(5, 3), (3, 5), (1, 1)])
def test_scores_and_their_sum_are_those_of_the_definition(n_visible, n_hidden):
    made = machine(n_visible, n_hidden)
    weights = joint(made)
    np.testing.assert_allclose(made.score_samples(states(n_visible)), np.log(weights.sum(1)), atol=1e-12)
    assert made.log_partition() == pytest.approx(np.log(weights.sum()), abs=1e-12)


def test_sums_over_many_states_are_taken_in_blocks():
    """14 hidden units without weights: each is a factor 1 + exp(b)."""
    made = machine(30, 14)
    made.weights_ *= 0
    expected = np.log1p(np.exp(np.r_[made.visible_biases_, made.hidden_biases_])).sum()
    assert made.log_partition() == pytest.approx(expected, abs=1e-10)


def test_chains_draw_from_the_distribution():
    """All 63 moments of 20,000 rows within 5.5 standard errors: false alarms below 1e-5 once chains have mixed."""
    made = machine(6, 3)
    made.burn_in = 100
    rows, shares = made.sample(20_000, random_state=1), joint(made).sum(1)
    shares /= shares.sum()
    for chosen in (list(c) for size in range(1, 7) for c in combinations(range(6), size)):
        truth = shares @ (1 - 2 * (states(6)[:, chosen].sum(1) % 2))
        found = np.mean(1.0 - 2 * (rows[:, chosen].sum(1) % 2))
        assert abs(found - truth) < 5.5 * np.sqrt((1 - truth**2) / len(rows))
    np.testing.assert_array_equal(rows, made.sample(20_000, random_state=1))


def test_bars_and_stripes_are_learnt():
    """Six patterns of 2 x 2 pixels, entropy ln 6. Independent bits are fair: they miss by ln 16 - ln 6 = .98."""
    patterns = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]])
    rows = np.repeat(patterns, 50, axis=0)
    made = RestrictedBoltzmannMachine(n_hidden=8, n_steps=2000).fit(rows)
    missed = -np.mean(made.score_samples(rows) - made.log_partition()) - np.log(6)
    apart = -np.mean(IndependentBits().fit(rows).score_samples(rows)) - np.log(6)
    assert apart == pytest.approx(np.log(16 / 6), abs=1e-3)
    assert 0 <= missed < apart / 3


def test_parameters_are_those_that_were_asked_for():
    rows = np.random.default_rng(0).integers(0, 2, (30, 9))
    for given, n_hidden in (({"n_hidden": 4}, 4), ({"n_parameters": 49}, 4), ({"n_parameters": 58}, 4), ({}, 3)):
        made = RestrictedBoltzmannMachine(**given, **QUICK).fit(rows)
        assert made.weights_.shape == (n_hidden, 9)
        counted = made.weights_.size + made.visible_biases_.size + made.hidden_biases_.size
        assert counted <= given.get("n_parameters", 1e9)
    assert RestrictedBoltzmannMachine(n_steps=1, burn_in=1).fit(np.eye(784)[:5]).weights_.shape == (391, 784)


def test_constant_bits_and_one_row_stay_finite():
    made = RestrictedBoltzmannMachine(3, **QUICK).fit([[0, 1, 1]])
    assert np.isfinite(made.score_samples(states(3))).all()
    rows = np.random.default_rng(0).integers(0, 2, (200, 4))
    rows[:, 2] = 1
    drawn = RestrictedBoltzmannMachine(3, n_steps=200, burn_in=50).fit(rows).sample(500, random_state=0)
    assert drawn[:, 2].mean() > 0.95


def test_one_seed_one_machine():
    rows = np.random.default_rng(0).integers(0, 2, (30, 5))
    once, again, other = (RestrictedBoltzmannMachine(3, **QUICK, random_state=k).fit(rows) for k in (4, 4, 5))
    np.testing.assert_array_equal(once.weights_, again.weights_)
    assert not np.array_equal(once.weights_, other.weights_)


def test_moments_and_discrepancies_are_of_samples():
    """Moments of 100,000 rows within 5.5 standard errors: false alarms below 1e-6."""
    made = machine(4, 2)
    made.burn_in = 20
    shares = joint(made).sum(1)
    signs = 1 - 2.0 * states(4)
    truth = shares / shares.sum() @ (signs[:, 0] * signs[:, 3])
    assert abs(made.moments([(0, 3)])[0] - truth) < 5.5 / np.sqrt(100_000)
    assert abs(made.mmd(made.sample(2000, random_state=3), width=1.0)) < 0.02
    with pytest.raises(UnsupportedError, match="RestrictedBoltzmannMachine has moments from samples only"):
        made.moments([(0,)], exact=True)


@pytest.mark.parametrize(("settings", "message"), [
    ({"n_hidden": 0}, "n_hidden=0, expected an integer of at least 1"),
    ({"n_hidden": 2, "n_parameters": 40}, "n_hidden=2 and n_parameters=40, expected one of them"),
    ({"n_parameters": 6}, "n_parameters=6, expected an integer of at least 7"),
    ({"n_steps": 0}, "n_steps=0, expected an integer of at least 1"),
    ({"batch_size": 2.5}, "batch_size=2.5, expected an integer of at least 1"),
    ({"burn_in": -1}, "burn_in=-1, expected an integer of at least 1"),
    ({"learning_rate": float("nan")}, "learning_rate=nan, expected a number above 0"),
])  # fmt: skip
def test_settings_out_of_range_are_one_line(settings, message):
    with pytest.raises(ConfigError, match=message):
        RestrictedBoltzmannMachine(**settings).fit([[0, 1, 1], [1, 1, 0]])


def test_bad_input_is_one_line():
    with pytest.raises(DataError, match="X holds nan, expected bits"):
        RestrictedBoltzmannMachine(2, **QUICK).fit([[0, 1.0], [np.nan, 0]])
    made = machine(25, 21)
    with pytest.raises(UnsupportedError, match="has 25 bits and 21 hidden units, expected at most 20 of one kind"):
        made.log_partition()
    with pytest.raises(ConfigError, match="n_samples=0"):
        made.sample(0)
    with pytest.raises(Exception, match="not fitted yet"):
        clone(made).log_partition()
