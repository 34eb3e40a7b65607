"""The fine stage of models: rows are mended, and nothing becomes worse."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import linprog

from qloom.combinatorial.certificates import certify_model, linear_costs
from qloom.combinatorial.deadline import within
from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.problems.row_search import RowSearch


def assignment(n: int = 6) -> Model:
    """Equations alone, of which a single flip breaks two."""
    random, model = np.random.default_rng(0), Model()
    x = model.binary("x", (n, n))
    model.add(random.integers(1, 50, (n, n)), x)
    model.constrain("row", x, 1, "==", 1)
    model.constrain("column", x.T, 1, "==", 1)
    return model


def trucks(n: int = 24, n_rows: int = 15, seed: int = 3) -> Model:
    """Whole numbers to 15 with large steps in the costs, demands and capacities: random values miss them by far."""
    random, model = np.random.default_rng(seed), Model()
    x, loads = model.integer("x", 0, 15, n), random.integers(0, 12, (n_rows, n)) * (random.random((n_rows, n)) < 0.4)
    inside = random.integers(0, 4, n)
    model.add(random.integers(1, 400, n) * 7, x)
    model.constrain("at least", np.tile(x, (n_rows, 1)), loads, ">=", loads @ inside)
    model.constrain("at most", np.tile(x, (n_rows, 1)), loads, "<=", 3 * loads @ inside + 20)
    return model


@pytest.mark.parametrize("make", [assignment, trucks])
def test_rows_are_mended_from_random_values(make):
    model, random = make(), np.random.default_rng(0)
    start = random.integers(model.lower, model.upper + 1)
    assert model.violated(start)
    found = RowSearch(model).run(start, 10, random, with_objective=False)
    assert not model.violated(found)


@pytest.mark.parametrize("make", [assignment, trucks])
def test_the_fine_stage_comes_near_what_is_best(make):
    problem, random = GivenModel(make()), np.random.default_rng(0)
    best = certify_model(problem.model, 20)
    start = problem.random_solution(random)
    found = problem.improve(start, 1.5, random)
    assert problem.cost(found) <= problem.cost(start)
    assert problem.is_feasible(found)
    assert problem.objective(found) <= 1.1 * best.bound


def test_it_never_makes_a_solution_worse():
    problem, random = GivenModel(trucks()), np.random.default_rng(1)
    best = certify_model(problem.model, 20).solution
    for given in (best, random.integers(0, 16, 24)):
        for _ in range(3):
            assert problem.cost(problem.improve(given, 0.05, random)) <= problem.cost(given)


def test_a_walk_of_hundreds_of_variables_comes_near_what_is_best_within_a_second():
    """Covering 200 rows by 300 of 0 and 1: what the relaxation leaves proves how near."""
    random, model = np.random.default_rng(5), Model()
    x = model.binary("x", 300)
    model.add(random.integers(1, 100, 300), x)
    columns = np.array([random.choice(300, 10, replace=False) for _ in range(200)])
    factors = random.integers(1, 20, (200, 10))
    model.constrain("cover", columns, factors, ">=", factors.sum(axis=1) // 2)
    bound = linprog(
        linear_costs(model), -model.rows.toarray(), -model.rights, bounds=[(0, 1)] * 300
    ).fun  # fmt: skip
    search = RowSearch(model)
    found = search.run(np.ones(300, np.int64), 1.0, random)
    assert not model.violated(found)
    assert model.objective(found) <= 1.25 * bound


def test_continuous_variables_and_spins_jump_to_where_rows_hold():
    model = Model()
    x, s, y = model.integer("x", -5, 5), model.spin("s", 3), model.continuous("y", -np.inf, np.inf)
    model.add([1.0, 1.0], np.array([x, y]))
    model.constrain("sum", [x, *s, y], [2, 1, 1, 1, 1], ">=", 4.5)
    model.constrain("difference", [x, y], [1, -1], "==", 0.5)
    start = np.array([0.0, -1, 1, -1, 0.0])
    found = RowSearch(model).run(start, 1.0, np.random.default_rng(0))
    assert not model.violated(found)
    assert set(found[1:4]) <= {-1, 1}
    assert found[0] + found[4] <= 1.5 + 1e-6  # x = 1, y = 0.5 with all spins 1


@pytest.mark.alone
def test_a_walk_ends_at_its_deadline():
    problem = GivenModel(trucks())
    start = time.perf_counter()
    with within(0.05):
        RowSearch(problem.model).run(np.zeros(24, np.int64), 1e6, np.random.default_rng(0))
    assert time.perf_counter() - start < 5
