"""The factorization machine: it learns what is of its kind, and is the problem that it makes."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.problems.base import every
from qloom.combinatorial.surrogate import FactorizationMachine, fit_factorization_machine
from qloom.errors import ProblemError

SIZES = np.array([3, 4, 2, 3])


def random_machine(seed: int, rank: int = 2) -> FactorizationMachine:
    random = np.random.default_rng(seed)
    return FactorizationMachine(SIZES, 0.7, random.normal(size=12), random.normal(size=(12, rank)))


def test_prediction_is_the_objective_of_its_problem_and_the_formula():
    machine, random = random_machine(0), np.random.default_rng(0)
    problem, choices = machine.problem(), random.integers(0, SIZES, (20, 4))
    np.testing.assert_allclose(machine.predict(choices), [problem.objective(row) for row in choices])
    columns = choices[0] + [0, 3, 7, 9]
    pairs = [machine.factors[a] @ machine.factors[b] for k, a in enumerate(columns) for b in columns[:k]]
    assert machine.predict(choices[:1])[0] == pytest.approx(0.7 + machine.linear[columns].sum() + sum(pairs))


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_a_machine_are_learnt(seed):
    """From two thirds of all choices; what is left of the others' variance is what the ridge leaves."""
    everything = np.array(list(every(SIZES.tolist())))
    scores, random = random_machine(seed).predict(everything), np.random.default_rng(seed)
    order = random.permutation(len(everything))
    seen, unseen = order[:48], order[48:]
    fitted = fit_factorization_machine(SIZES, everything[seen], scores[seen], rank=4, ridge=1e-3)
    error = fitted.predict(everything[unseen]) - scores[unseen]
    assert (error**2).mean() < 0.1 * scores.var()


def test_additive_scores_are_predicted_for_choices_never_seen_together():
    random, values = np.random.default_rng(0), np.random.default_rng(1).normal(size=(4, 3))
    choices = random.integers(0, 3, (40, 4))
    fitted = fit_factorization_machine([3] * 4, choices, values[np.arange(4), choices].sum(axis=1), 1, 1e-3)
    everything = np.array(list(every([3] * 4)))
    truth = values[np.arange(4), everything].sum(axis=1)
    assert np.corrcoef(fitted.predict(everything), truth)[0, 1] > 0.97


def test_a_measurement_without_weight_does_not_count():
    random = np.random.default_rng(0)
    choices, scores = random.integers(0, 2, (10, 3)), random.normal(size=10)
    spoilt, weights = scores.copy(), np.append(np.ones(9), 0.0)
    spoilt[-1] += 0.1
    fits = [fit_factorization_machine([2] * 3, choices, values, 1, weights=weights) for values in (scores, spoilt)]
    first, second = (fit.predict(choices[:-1]) for fit in fits)
    assert np.abs(first - second).max() < 0.01


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"choices": [[0, 1, 0]]}, r"expected \(B, 2\), \(B,\), \(B,\)"),
        ({"choices": [[0, 2]]}, "expected choices below n_choices"),
        ({"scores": [np.nan]}, "scores holds NaN"),
        ({"ridge": 0.0}, r"ridge=0\.0"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"n_choices": [2, 2], "choices": [[0, 1]], "scores": [1.0]} | change
    with pytest.raises(ProblemError, match=message):
        fit_factorization_machine(**given)
