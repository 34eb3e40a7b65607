"""Sequences of low autocorrelation: the contract, published optima, the search."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems import autocorrelation_search
from qloom.combinatorial.problems.autocorrelation import LowAutocorrelation
from qloom.combinatorial.problems.autocorrelation_search import SequenceSearches, energies, flip_changes
from qloom.combinatorial.qaoa import Polynomial
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared


def published_energies() -> dict[int, int]:
    with (INSTANCES / "labs" / "LABS_optimal_merit_factors.csv").open(newline="") as file:
        return {int(row["N"]): int(row["E"]) for row in csv.DictReader(file)}


def energy(spins: np.ndarray) -> int:
    """By its definition."""
    n = len(spins)
    return sum(sum(int(spins[i] * spins[i + k]) for i in range(n - k)) ** 2 for k in range(1, n))


@pytest.mark.parametrize("n", [2, 3, 6, 8])
def test_contract(n):
    check_problem(LowAutocorrelation(n))


@pytest.mark.parametrize("n", [5, 12, 21])
def test_energies_of_problem_model_and_polynomial_are_the_definition(n):
    problem, random = LowAutocorrelation(n), np.random.default_rng(n)
    model = problem.model
    terms = {tuple(row): value for indices, values in model.terms for row, value in zip(indices, values, strict=True)}
    polynomial = Polynomial.from_terms(n, terms | {(): model.constant})
    for _ in range(20):
        solution = problem.random_solution(random)
        spins = problem.encode(solution)
        expected = energy(spins)
        assert problem.objective(solution) == expected
        assert model.objective(spins) == expected
        assert polynomial.energies(spins) == pytest.approx(expected)
        assert problem.merit_factor(solution) == n**2 / 2 / expected


@pytest.mark.parametrize("n", [2, 3, 13, 32, 33, 120])
def test_energies_and_changes_of_all_flips_are_exact(n):
    random = np.random.default_rng(n)
    spins = np.vstack([random.choice([-1, 1], (5, n)), np.ones((1, n), int)])
    assert energies(spins).tolist() == [energy(row) for row in spins]
    changes = flip_changes(spins)
    for i in range(n):
        flipped = spins.copy()
        flipped[:, i] *= -1
        assert (energies(spins) + changes[:, i]).tolist() == energies(flipped).tolist()


@shared
@pytest.mark.parametrize("n", range(3, 15))
def test_published_optima_are_those_of_all_sequences(n):
    bits = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
    assert energies(1 - 2 * bits).min() == published_energies()[n]
    assert LowAutocorrelation(n).lower_bound <= published_energies()[n]


@shared
def test_bounds_by_parities_are_below_all_published_optima_and_prove_barker_sequences():
    published = published_energies()
    met = [n for n, value in published.items() if LowAutocorrelation(n).lower_bound == value]
    assert all(LowAutocorrelation(n).lower_bound <= value for n, value in published.items())
    assert {3, 4, 5, 7, 11, 13} <= set(met)


def test_a_barker_sequence_is_its_own_certificate():
    problem = LowAutocorrelation(13)
    barker = np.array([bit == "+" for bit in "+++++--++-+-+"], np.int64)
    certificate = problem.certify(60, barker)
    assert (certificate.status, certificate.objective, certificate.bound) == ("optimal", 6, 6)
    assert problem.describe(barker)["lengths of runs"] == [5, 2, 2, 1, 1, 1, 1]
    assert problem.merit_factor(barker) == pytest.approx(14.083, abs=1e-3)


@shared
@pytest.mark.parametrize("n", [9, 12, 15])
def test_published_optima_are_proven(n):
    problem = LowAutocorrelation(n)
    certificate = problem.certify(60)
    assert problem.lower_bound < published_energies()[n]
    assert (certificate.status, certificate.objective) == ("optimal", published_energies()[n])
    assert problem.objective(certificate.solution) == certificate.objective


@pytest.mark.parametrize("flipped", [0, 1])
def test_certificates_that_run_out_of_time_keep_the_hint_and_the_bound(flipped):
    """The hint is Packebusch and Mertens' optimum of 27 signs, run lengths 34313131211211, or its negative."""
    problem = LowAutocorrelation(27)
    hint = np.repeat(np.arange(14) % 2 ^ flipped, [3, 4, 3, 1, 3, 1, 3, 1, 2, 1, 1, 2, 1, 1])
    certificate = problem.certify(2, hint)
    assert certificate.status != "optimal"
    assert certificate.objective == 37
    assert problem.lower_bound <= certificate.bound < 37


@shared
@pytest.mark.parametrize("n", [20, 22, 24])
def test_improving_finds_published_optima(n, monkeypatch):
    """Bounded by steps of the search, not by time; a run needs some thousand, and there are 16."""
    problem, random, optimum = LowAutocorrelation(n), np.random.default_rng(0), published_energies()[n]
    monkeypatch.setattr(LowAutocorrelation, "lower_bound", optimum)
    assert problem.objective(problem.improve(problem.random_solution(random), 60, random)) == optimum


def test_ctrl_c_gives_the_best_so_far(monkeypatch):
    problem, random = LowAutocorrelation(20), np.random.default_rng(0)
    start, steps = problem.random_solution(random), iter(range(50))
    step = SequenceSearches.step

    def interrupted(self):
        if next(steps, None) is None:
            raise KeyboardInterrupt
        step(self)

    monkeypatch.setattr(SequenceSearches, "step", interrupted)
    assert problem.objective(problem.improve(start, 60, random)) < problem.objective(start)


# --- the search


def test_first_populations_that_hold_the_target_end_at_once():
    populations = np.random.default_rng(0).choice([-1, 1], (3, 5, 13))
    populations[1, 3] = [1, 1, 1, 1, 1, -1, -1, 1, 1, -1, 1, -1, 1]
    searches = SequenceSearches(populations, np.random.default_rng(1))
    searches.run(6, 0)
    assert (searches.lowest[1], searches.evaluations[1]) == (6, 4)
    assert (searches.lowest == energies(searches.best)).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_run_counts_the_energies_it_asks_for(seed, monkeypatch):
    asked = [0]

    def counted(function, each):
        def call(spins):
            asked[0] += spins.size // each
            return function(spins)

        return call

    monkeypatch.setattr(autocorrelation_search, "energies", counted(energies, 17))
    monkeypatch.setattr(autocorrelation_search, "flip_changes", counted(flip_changes, 1))
    random = np.random.default_rng(seed)
    searches = SequenceSearches(random.choice([-1, 1], (1, 10, 17)), random)
    assert searches.lowest[0] > 32
    searches.run(32, 10**6)
    # The next child is there as soon as a tabu search ends.
    assert asked[0] - searches.evaluations[0] in (0, 1)


def test_runs_repeat_by_seed():
    def run() -> list[int]:
        random = np.random.default_rng(3)
        searches = SequenceSearches(random.choice([-1, 1], (6, 10, 17)), random)
        searches.run(32, 10**6)
        assert (searches.lowest == 32).all()
        return searches.evaluations.tolist()

    assert run() == run()


def test_populations_become_those_of_improved_children():
    random = np.random.default_rng(0)
    searches = SequenceSearches(random.choice([-1, 1], (20, 5, 40)), random)
    before = energies(searches.populations)
    searches.run(0, 20_000)
    after = energies(searches.populations)
    assert (after.mean(axis=1) < 0.6 * before.mean(axis=1)).all()
    assert (searches.lowest <= after.min(axis=1)).all()


def test_a_run_ends_at_its_budget():
    random = np.random.default_rng(0)
    searches = SequenceSearches(random.choice([-1, 1], (4, 10, 20)), random)
    searches.run(0, 1000)
    assert not len(searches.going)
    assert (searches.evaluations <= 1000 + 20 + 1).all()
    assert (searches.lowest == energies(searches.best)).all()


def test_flips_are_held():
    """In a search of 30 steps or more for 3 steps at least, except those that lead below all before."""
    random = np.random.default_rng(0)
    searches = SequenceSearches(random.choice([-1, 1], (20, 4, 60)), random)
    path = [searches._spins.copy()]
    for _ in range(29):
        searches.step()
        path.append(searches._spins.copy())
    for run in np.swapaxes(path, 0, 1):
        flips = (run[1:] != run[:-1]).argmax(axis=1)
        levels = energies(run)
        assert ((run[1:] != run[:-1]).sum(axis=1) == 1).all()
        for step in range(1, 29):
            assert flips[step] not in flips[max(0, step - 3) : step] or levels[step + 1] < levels[: step + 1].min()


@pytest.mark.parametrize("bad", [np.ones((2, 5)), np.zeros((1, 2, 5)), np.ones((0, 2, 5))])
def test_bad_populations_are_refused(bad):
    with pytest.raises(ProblemError, match=r"expected \(R, K, N\) of -1 and 1"):
        SequenceSearches(bad, np.random.default_rng(0))


@pytest.mark.parametrize("n", [1, 0, -3, 2.5, True, "7"])
def test_lengths_that_are_none_are_refused(n):
    with pytest.raises(ProblemError, match="expected an integer from 2"):
        LowAutocorrelation(n)
