"""Tasks to agents: the contract, files of OR-Library and their optima."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.generalized_assignment import GeneralizedAssignment, read_generalized_assignment
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared


def random_assignment(seed: int, sense: str = "max") -> GeneralizedAssignment:
    random = np.random.default_rng(seed)
    loads = random.integers(3, 9, (3, 6))
    return GeneralizedAssignment(random.integers(5, 20, (3, 6)), loads, loads.sum(axis=1) * 0.5, sense)


@pytest.mark.parametrize("sense", ["max", "min"])
def test_contract(sense):
    for seed in range(3):
        check_problem(random_assignment(seed, sense), seed=seed)


@shared
@pytest.mark.parametrize(("name", "instance", "optimum"), [("gap1", 1, 336), ("gap9", 2, 717)])
def test_optima_of_or_library_are_proven(name, instance, optimum):
    problem = read_generalized_assignment(INSTANCES / "gap" / f"{name}.txt", instance)
    certificate = problem.certify(60)
    assert (certificate.objective, certificate.status) == (optimum, "optimal")
    assert problem.is_feasible(certificate.solution)


TEXT = "1\n2 3\n4 5 6\n1 2 3\n1 1 1\n2 2 2\n3 4\n"


def test_files_are_read(tmp_path):
    (tmp_path / "one.txt").write_text(TEXT)
    problem = read_generalized_assignment(tmp_path / "one.txt")
    assert problem.values.tolist() == [[4, 5, 6], [1, 2, 3]]
    assert problem.loads.tolist() == [[1, 1, 1], [2, 2, 2]]
    assert problem.capacities.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-4], r"line 6: the file ends, expected 2 numbers \(capacities\), there are 0"),
        (TEXT.replace("6", "x"), r"line 3: 'x', expected a finite number \(values\)"),
        (TEXT + "7", "line 8: '7', expected the end of the file"),
        ("2" + TEXT[1:] + TEXT[2:], "holds 2 problems, expected instance=1 to 2"),
        (TEXT.replace("2 3\n4", "0 3\n4"), "line 2: '0', expected an integer from 1"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "one.txt").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_generalized_assignment(tmp_path / "one.txt")


def test_bad_arrays_are_refused():
    with pytest.raises(ProblemError, match=r"expected \(A, T\), \(A, T\), \(A,\)"):
        GeneralizedAssignment(np.ones((2, 3)), np.ones((2, 2)), np.ones(2))
    with pytest.raises(ProblemError, match="loads from -1"):
        GeneralizedAssignment(np.ones((1, 1)), -np.ones((1, 1)), np.ones(1))
