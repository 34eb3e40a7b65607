"""Feature selection: the contract, mutual information of tables with known answers, descent."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.problems.feature_selection import FeatureSelection
from qloom.errors import ProblemError
from qloom.testing import check_problem


def random_selection(seed: int, k: int = 3, balance: float = 0.5) -> FeatureSelection:
    random = np.random.default_rng(seed)
    shared = random.random((7, 7))
    return FeatureSelection(random.random(7), shared + shared.T, k, balance)


@pytest.mark.parametrize(("k", "balance"), [(1, 0.5), (3, 0.5), (4, 0.8), (7, 0.2)])
def test_contract(k, balance):
    check_problem(random_selection(k, k, balance), seed=k)


def test_objective_is_mean_relevance_less_mean_redundancy_of_pairs():
    problem, solution = random_selection(0), np.array([1, 0, 1, 0, 0, 1, 0])
    relevance = problem.relevance[[0, 2, 5]].mean()
    redundancy = np.mean([problem.redundancy[a, b] for a, b in ((0, 2), (0, 5), (2, 5))])
    assert problem.objective(solution) == pytest.approx(0.5 * relevance - 0.5 * redundancy)


def test_descent_ends_where_no_exchange_helps():
    problem, random = random_selection(1), np.random.default_rng(0)
    end = problem.descended(problem.random_solution(random))
    neighbours = [problem.neighbour(end, random) for _ in range(300)]
    assert max(map(problem.objective, neighbours)) <= problem.objective(end) + 1e-12


def test_mutual_information_of_correlated_normals_is_the_closed_form():
    """-log(1 - r^2) / 2 nats; the estimate's standard deviation is about 0.03 with so many rows."""
    random, r = np.random.default_rng(0), np.array([0.0, 0.6, 0.9])
    y = random.normal(size=2000)
    X = r * y[:, None] + np.sqrt(1 - r**2) * random.normal(size=(2000, 3))
    problem = FeatureSelection.of_table(X, y, 1, "regression")
    np.testing.assert_allclose(problem.relevance, -np.log(1 - r**2) / 2, atol=0.12)
    assert problem.redundancy[1, 2] == pytest.approx(-np.log(1 - 0.54**2) / 2, abs=0.12)


def test_mutual_information_of_codes_is_their_entropy():
    code = np.arange(400) % 4
    problem = FeatureSelection.of_table(np.stack([code, code % 2], axis=1), code, 1, discrete=True)
    np.testing.assert_allclose(problem.relevance, [np.log(4), np.log(2)])
    assert problem.redundancy[0, 1] == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_selected": 8}, "n_selected=8, expected at most 7"),
        ({"balance": 2.0}, r"balance=2\.0, expected 0 to 1"),
        ({"redundancy": np.triu(np.ones((7, 7)))}, r"expected \(N,\), \(N, N\) symmetric"),
        ({"relevance": np.full(7, np.nan)}, "relevance holds NaN"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"relevance": np.ones(7), "redundancy": np.ones((7, 7)), "n_selected": 2} | change
    with pytest.raises(ProblemError, match=message):
        FeatureSelection(**given)
