"""Portfolios: the contract, weights against scipy, the frontier of OR-Library's first problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.portfolio import Portfolio, least_quadratic, read_portfolio
from qloom.combinatorial.problems.tangents import frontier
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared

PORTFOLIOS = INSTANCES / "portfolio"


def random_portfolio(seed: int, trade_off: float = 0.5, n_assets: int = 3) -> Portfolio:
    random = np.random.default_rng(seed)
    factors = random.normal(size=(8, 8))
    return Portfolio(random.normal(size=8), factors @ factors.T / 4, n_assets, trade_off, minimum=0.1)


@pytest.mark.parametrize("trade_off", [0.0, 0.3, 0.8, 1.0])
def test_contract(trade_off):
    check_problem(random_portfolio(round(10 * trade_off), trade_off), seed=1)


@pytest.mark.parametrize("seed", range(6))
def test_weights_are_those_of_scipy(seed):
    problem, held = random_portfolio(seed, [0.0, 0.2, 0.5, 0.7, 0.9, 1.0][seed], 8), np.ones(8, int)
    problem = replace(problem, minimum=0.05)
    limits = {"type": "eq", "fun": lambda w: w.sum() - 1}
    peer = minimize(
        problem.value, np.full(8, 1 / 8), bounds=[(0.05, 1)] * 8, constraints=limits, tol=1e-12, method="SLSQP"
    )
    weights = problem.weights(held)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights.min() >= 0.05 - 1e-12
    assert problem.value(weights) <= peer.fun + 1e-9


def test_weights_of_independent_assets_are_the_closed_form():
    """Risk alone: shares go by the inverse of the variance."""
    variances = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(
        least_quadratic(np.diag(variances), np.zeros(3), 0.0), np.array([4, 2, 1]) / 7, atol=1e-9
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_minima_that_leave_nothing_make_equal_weights(n):
    random = np.random.default_rng(n)
    factors = random.normal(size=(n, n))
    np.testing.assert_allclose(least_quadratic(factors @ factors.T, random.normal(size=n), 1 / n), 1 / n, rtol=1e-12)


def test_without_any_risk_the_best_return_is_proven():
    certificate = Portfolio([1, 2, 3], np.zeros((3, 3)), n_assets=1, trade_off=0.25).certify(10)
    assert certificate.status == "optimal"
    assert certificate.bound == pytest.approx(-0.75 * 3)
    assert certificate.solution.tolist() == [0, 0, 1]


def test_labels_of_assets_do_not_overlap():
    from matplotlib.figure import Figure

    axes = Figure(figsize=(9, 5)).add_subplot()
    problem = replace(random_portfolio(0), means=np.append(np.full(7, 1e-3), 1), covariance=np.diag([1.0] * 7 + [9]))
    problem.draw(np.ones(8, np.int64), axes)
    assert len(axes.texts) == 2


@shared
@pytest.mark.parametrize("number", [1, 3])
def test_unconstrained_portfolios_lie_on_the_published_frontier(number):
    """Of all assets, with no minimum; the file's points are joined by straight lines."""
    problem = read_portfolio(PORTFOLIOS / f"port{number}.txt")
    published = np.loadtxt(PORTFOLIOS / f"portef{number}.txt")[::-1]
    everything = np.ones(len(problem.means), int)
    for trade_off in (0.6, 0.9, 0.99):
        free = replace(problem, n_assets=len(everything), minimum=0.0, trade_off=trade_off)
        weights = free.weights(everything)
        variance = weights @ free.covariance @ weights
        assert variance == pytest.approx(np.interp(weights @ free.means, *published.T), rel=1e-5)


@shared
def test_frontier_of_ten_assets_is_proven_and_never_beats_the_unconstrained_one():
    problem, published = read_portfolio(PORTFOLIOS / "port1.txt"), np.loadtxt(PORTFOLIOS / "portef1.txt")[::-1]
    points = frontier(problem, 5, 60)
    for point in points:
        assert (point.weights > 0).sum() == 10
        assert point.weights[point.weights > 0].min() >= 0.01 - 1e-12
        assert point.weights.sum() == pytest.approx(1)
        assert 0 <= point.gap <= 1e-7 * (point.variance + abs(point.mean))
        assert point.variance >= np.interp(point.mean, *published.T) * (1 - 1e-5)
    means = [point.mean for point in points]
    assert means == sorted(means, reverse=True)
    best = np.sort(problem.means)[::-1][:10]
    assert points[0].mean == pytest.approx(0.91 * best[0] + 0.01 * best[1:].sum())


@shared
def test_search_finds_what_is_proven():
    problem, random = read_portfolio(PORTFOLIOS / "port1.txt", trade_off=0.8), np.random.default_rng(0)
    certificate = problem.certify(30)
    assert certificate.status == "optimal"
    found = problem.improve(problem.random_solution(random), 2.0, random)
    assert problem.objective(found) >= certificate.bound - 1e-12
    assert problem.objective(found) <= certificate.objective + 1e-5


TEXT = "2\n.01 .1\n.02 .2\n1 1 1\n1 2 .5\n2 2 1\n"


def test_files_are_read(tmp_path):
    (tmp_path / "port.txt").write_text(TEXT)
    problem = read_portfolio(tmp_path / "port.txt", n_assets=1)
    assert problem.means.tolist() == [0.01, 0.02]
    np.testing.assert_allclose(problem.covariance, [[0.01, 0.01], [0.01, 0.04]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-4], r"line 6: the file ends, expected 9 numbers \(i, j, correlation\), there are 7"),
        (TEXT.replace("1 2 .5", "1 2 1.5"), r"line 5: correlation 1\.5 of 1 and 2, expected -1 to 1"),
        (TEXT.replace("1 2 .5", "1 1 1"), "no correlation of 1 and 2"),
        (TEXT.replace("2 2 1", "2 3 1"), "line 6: '3', expected an integer from 1 to 2"),
        (TEXT + "1", "line 7: '1', expected the end of the file"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "port.txt").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_portfolio(tmp_path / "port.txt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covariance": np.ones((2, 3))}, r"expected \(N,\), \(N, N\)"),
        ({"covariance": [[1, 2], [2, 1]]}, "covariance has a negative eigenvalue"),
        ({"covariance": [[1, 0.5], [0, 1]]}, "covariance is not symmetric"),
        ({"n_assets": 3}, "n_assets=3, .* expected 1 to 2"),
        ({"minimum": 0.6}, r"minimum=0\.6"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"means": np.ones(2), "covariance": np.eye(2), "n_assets": 2} | change
    with pytest.raises(ProblemError, match=message):
        Portfolio(**given)


def test_a_time_of_zero_is_refused():
    with pytest.raises(ProblemError, match="time_limit=0"):
        random_portfolio(0).certify(0)
