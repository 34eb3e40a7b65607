"""Models are counted before they are built, and those that are too large are not."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.model import Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.quadratic_assignment import QuadraticAssignment
from qloom.combinatorial.problems.travelling_salesman import TravellingSalesman
from qloom.combinatorial.problems.vehicle_routing import VehicleRouting
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solving import solve
from qloom.errors import MemoryLimitError
from tests.memory import outcome


def random_trip(n: int) -> TravellingSalesman:
    points = np.random.default_rng(n).random((n, 2))
    return TravellingSalesman(np.linalg.norm(points[:, None] - points, axis=-1), points)


def random_assignment(n: int) -> QuadraticAssignment:
    return QuadraticAssignment(*np.random.default_rng(n).integers(0, 100, (2, n, n)))


def random_routing(n: int) -> VehicleRouting:
    """About ten customers a vehicle."""
    random, distances = np.random.default_rng(n), random_trip(n + 1).distances
    return VehicleRouting(distances, random.integers(1, 101, n), 500.0, n)


def test_what_a_model_holds_is_counted():
    model = Model()
    x, y = model.binary("x", 3), model.integer("y", 0, 5)
    model.add(1, x)
    model.add(2, x[0], x[1])
    model.add(3, x[0], x[1], y)
    model.constrain("pairs", [[0, 1], [1, 2]], 1, "<=", 1)
    model.constrain("all", [0, 1, 2, 3], 1, "<=", 4)
    assert ModelSize.of(model) == ModelSize(variables=4, terms=5, products=2, entries=8, pairs=2 * 4 + 16)


def test_a_thousand_cities_are_counted_without_a_model():
    """999 positions of 999 cities; each two cities that follow each other, and the ways from and to the first."""
    problem = random_trip(1000)
    products = 998 * 999**2
    expected = ModelSize(999**2, products + 2 * 999, products, entries=2 * 999**2, pairs=2 * 999**3)
    assert problem.model_size == expected
    with pytest.raises(MemoryLimitError, match="998,001 variables and 996,006,996 terms, about 460 GB; at most"):
        problem.model_size.check_form()
    assert "model" not in vars(problem)


@pytest.mark.parametrize("name", ["trip", "assignment"])
def test_what_is_too_large_goes_another_way_and_the_table_says_so(name):
    problem = random_trip(150) if name == "trip" else random_assignment(60)
    solved = solve(problem, time_limit=0.5, seed=0)
    assert "model" not in vars(problem)
    assert solved.feasible
    assert solved.stages[0].stage == "coarse"
    assert solved.stages[0].method.startswith("left out: its model would have")
    assert solved.bound <= solved.objective


def test_a_search_that_is_asked_for_is_refused_where_it_would_not_fit():
    with pytest.raises(MemoryLimitError, match="its model would have 89,401 variables"):
        solve(random_trip(300), coarse="annealing", time_limit=1)


@pytest.mark.alone
def test_a_function_too_dense_for_a_linear_program_gets_its_bound_from_an_eigenvalue():
    random = np.random.default_rng(0)
    function = Quadratic.from_matrix(np.triu(random.integers(-9, 10, (250, 250)), 1))
    solved = solve(function, controls=False, time_limit=1.5, seed=0)
    assert [stage.stage for stage in solved.stages] == ["first", "coarse", "fine", "certificate", "fine again"]
    assert "left out: its linear program has 0 coefficients and 29," in solved.stages[0].method
    assert solved.stages[3].method == "eigenvalue bound"
    # Less than what no mean of energies passes: the sum of all negative entries.
    assert function.values[function.values < 0].sum() < solved.bound <= solved.objective


def test_a_reason_does_not_widen_the_table():
    solved = solve(random_trip(150), time_limit=0.3, seed=0, controls=False)
    table = str(solved).partition("\n\n")[2].splitlines()
    assert [len(line) <= 80 for line in table] == ["left out" not in line for line in table]


LARGE = """
import resource
from qloom.combinatorial.solving import solve
from tests.combinatorial.test_model_size import {name}
solved = solve({name}({n}), time_limit=5, seed=0)
solvers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
print(solved.seconds, peak() + solvers, solved.feasible, solved.gap)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n", "gap"), [("random_trip", 1000, 0.05), ("random_assignment", 100, 0.5), ("random_routing", 300, 0.5)]
)
def test_large_problems_keep_to_time_and_memory(name, n, gap):
    """The bound lies below the optimum: a tour near it is as near to the best there is. Other bounds are weaker."""
    out = outcome(LARGE.format(name=name, n=n))
    seconds, gigabytes, feasible, found = float(out[0]), float(out[1]), out[2], float(out[3])
    assert seconds < 5.5
    assert gigabytes < 1
    assert feasible == "True"
    assert found <= gap
