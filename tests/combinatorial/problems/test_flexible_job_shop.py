"""Flexible job shops: the contract, schedules checked one by one, Brandimarte's files and best known makespans."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.flexible_job_shop import FlexibleJobShop, read_flexible_job_shop
from qloom.combinatorial.problems.job_shop import JobShop
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.combinatorial.problems.schedules import check_improving, check_schedules
from tests.shared import shared


def random_shop(seed: int, n_jobs: int = 3, shortest: int = 1) -> FlexibleJobShop:
    random = np.random.default_rng(seed)

    def choice() -> dict[int, int]:
        machines = random.choice(3, random.integers(1, 3), replace=False).tolist()
        return dict(zip(machines, random.integers(shortest, 9, len(machines)).tolist(), strict=True))

    return FlexibleJobShop([[choice() for _ in range(2)] for _ in range(n_jobs)])


def shared_shop(name: str) -> FlexibleJobShop:
    return read_flexible_job_shop(INSTANCES / "fjssp" / f"{name}.fjs")


def check_schedule(problem: FlexibleJobShop, solution: np.ndarray) -> int:
    """Time step by time step: no job and no machine does two things at once, jobs keep their order; the makespan."""
    starts, ends = problem.schedule(solution)
    machines, operation = solution[1].tolist(), 0
    for job in problem.operations:
        free = 0
        for choice in job:
            assert ends[operation] - starts[operation] == choice[machines[operation]]
            assert starts[operation] >= free
            free = ends[operation]
            operation += 1
    for t in range(ends.max()):
        running = solution[1][(starts <= t) & (t < ends)]
        assert len(running) == len(set(running.tolist()))
    return int(ends.max())


def test_contract():
    for seed in range(3):
        check_problem(random_shop(seed), seed=seed)
    check_problem(random_shop(9, shortest=0), seed=9)
    check_problem(random_shop(3, 8), small=False)


def test_schedules_meet_the_constraints():
    check_schedules(random_shop(5, 8), check_schedule, seed=5)


@pytest.mark.parametrize("seed", range(4))
def test_improving_small_shops_finds_the_optimum(seed):
    check_improving(random_shop(seed), 0.5, seed)


def test_one_machine_an_operation_is_a_job_shop():
    random = np.random.default_rng(0)
    machines = np.array([random.permutation(4) for _ in range(5)])
    shop = JobShop(machines, random.integers(1, 9, (5, 4)))
    flexible, order = FlexibleJobShop(shop.operations), shop.random_solution(random)
    assert flexible.objective(flexible.join(order, machines.ravel())) == shop.objective(order)
    assert flexible.certify(20).objective == shop.certify(20).objective


@shared
@pytest.mark.parametrize(("name", "best"), [("Mk01", 40), ("Mk03", 204), ("Mk04", 60)])
def test_best_known_makespans_are_proven(name, best):
    problem, random = shared_shop(name), np.random.default_rng(0)
    improved = problem.improve(problem.random_solution(random), 1, random)
    certificate = problem.certify(60, improved)
    assert (certificate.objective, certificate.bound, certificate.status) == (best, best, "optimal")
    assert check_schedule(problem, certificate.solution) == best
    assert check_schedule(problem, improved) >= best


@shared
@pytest.mark.parametrize(("name", "lower", "upper"), [("Mk02", 24, 26), ("Mk10", 165, 196)])
def test_a_moment_proves_nothing_wrong(name, lower, upper):
    """Best known bounds and what is found in a second lie on the same side of the optimum."""
    problem, random = shared_shop(name), np.random.default_rng(0)
    solution = problem.random_solution(random)
    improved = problem.improve(solution, 1, random)
    certificate = problem.certify(1, improved)
    assert certificate.bound <= upper
    assert lower <= check_schedule(problem, improved) < problem.objective(solution)


@shared
def test_a_model_too_wide_is_refused():
    with pytest.raises(
        ProblemError, match=r"17696 bits and .* paths, expected at most 2000000; use improve and certify"
    ):
        _ = shared_shop("Mk10").model


@shared
def test_all_files_are_read():
    for k in range(1, 11):
        path = INSTANCES / "fjssp" / f"Mk{k:02}.fjs"
        n_jobs, n_machines = map(int, path.read_text().split()[:2])
        problem = read_flexible_job_shop(path)
        assert len(problem.operations) == n_jobs
        assert problem.n_machines <= n_machines


TEXT = "2 3 1.5\n2 1 1 4 2 2 5 3 6\n1 1 3 7\n"


def test_files_are_read(tmp_path):
    (tmp_path / "one.fjs").write_text(TEXT)
    problem = read_flexible_job_shop(tmp_path / "one.fjs")
    assert problem.operations == [[{0: 4}, {1: 5, 2: 6}], [{2: 7}]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-9], "line 2: there are 1 jobs, expected 2"),
        (TEXT[:-2], r"line 3: the file ends, expected 1 numbers \(duration\)"),
        (TEXT.replace("2 5 3 6", "2 5 2 6"), "line 2: machine 2 twice"),
        (TEXT.replace("2 5 3 6", "2 5 4 6"), "line 2: '4', expected an integer from 1 to 3 .machine."),
        (TEXT.replace("7", "x"), "line 3: 'x', expected a finite number .duration."),
        (TEXT.replace("7", "7 8"), "line 3: '8', expected the end"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "one.fjs").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_flexible_job_shop(tmp_path / "one.fjs")


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ([], "there are no jobs"),
        ([[{0: 1}], []], "job 1 has no operations"),
        ([[{0: 1}, {}]], "operation 1 of job 0 is {}, expected durations by machine"),
        ([[{0: 1.5}]], "operation 0 of job 0 has 1.5, expected integers from 0"),
        ([[{-1: 2}]], "operation 0 of job 0 has -1, expected integers from 0"),
        ([[{0: 2**63, 1: 1}]], "durations sum up to 9223372036854775808, expected at most"),
        ([[{0: np.int64(2**62)}]] * 4, "durations sum up to 18446744073709551616, expected at most"),
    ],
)
def test_bad_operations_are_refused(operations, message):
    with pytest.raises(ProblemError, match=message):
        FlexibleJobShop(operations)


def test_bad_solutions_are_refused():
    problem = FlexibleJobShop([[{0: 3, 2: 4}], [{1: 2}]])
    with pytest.raises(ProblemError, match=r"operation 0 is on machine 1, expected one of \[0, 2\]"):
        problem.objective(np.array([[0, 1], [1, 1]]))
    with pytest.raises(ProblemError, match=r"shape \(2,\), expected \(2, 2\)"):
        problem.objective(np.array([0, 1]))
