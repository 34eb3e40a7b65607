"""From problem to answer: stages, controls, bounds, infeasible problems, Ctrl-C."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pytest

from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.coarse import LAYER, search_for
from qloom.combinatorial.deadline import within
from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.generalized_assignment import GeneralizedAssignment
from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.problems.graph_colouring import GraphColouring
from qloom.combinatorial.problems.job_shop import JobShop
from qloom.combinatorial.problems.max_cut import MaxCut
from qloom.combinatorial.qaoa.descent import Descents
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers import SimulatedAnnealing
from qloom.combinatorial.solving import solve
from qloom.errors import ProblemError, TimeLimitError
from tests.combinatorial.interrupted import interrupt
from tests.combinatorial.models import random_model


def assignment(seed: int = 0) -> GeneralizedAssignment:
    random = np.random.default_rng(seed)
    loads = random.integers(3, 9, (3, 8))
    return GeneralizedAssignment(random.integers(5, 20, (3, 8)), loads, loads.sum(axis=1) * 0.45)


@pytest.mark.parametrize("coarse", ["auto", "none", "annealing", SimulatedAnnealing(50, 4)])
def test_an_answer_is_feasible_optimal_and_says_what_each_stage_gave(coarse):
    problem = assignment()
    solved = solve(problem, coarse=coarse, time_limit=5, seed=0)
    best = problem.brute_force()
    assert solved.objective == problem.objective(solved.solution) == problem.objective(best)
    assert solved.optimal
    assert solved.feasible
    assert solved.gap <= 1e-6
    assert set(solved.violations) == {f"capacity of agent[{a}]" for a in range(3)}
    names = [stage.stage for stage in solved.stages]
    assert names == ["coarse", "fine", "certificate"][coarse == "none" :]
    assert [stage.stage for stage in solved.controls] == ["random solutions", "annealing alone", "exact solver alone"]
    assert solved.seconds < 8
    assert solved.found_by in names
    gained = [stage.gained for stage in solved.stages if stage.gained is not None]
    first = next(stage for stage in solved.stages if stage.feasible)
    assert first.objective + sum(gained) == pytest.approx(solved.objective)
    assert "proven optimal" in str(solved)
    assert json.loads(json.dumps(solved.as_dict()))["objective"] == solved.objective


def test_without_a_certificate_nothing_is_claimed():
    solved = solve(assignment(), certify=False, controls=False, time_limit=2, seed=0)
    assert (solved.optimal, solved.gap, solved.bound, solved.controls) == (False, np.inf, np.inf, ())
    assert "no bound is proven" in str(solved)
    assert solved.as_dict()["bound"] is None


@pytest.mark.parametrize("seed", range(2))
def test_models_of_ones_own_are_solved(seed):
    model = random_model(seed)
    solved = solve(model, time_limit=4, seed=seed, controls=False)
    assert solved.optimal
    assert solved.objective == pytest.approx(GivenModel(model).objective(GivenModel(model).brute_force()))


def test_quadratic_functions_are_solved():
    random = np.random.default_rng(0)
    function = Quadratic.from_matrix(np.triu(random.integers(-3, 4, (14, 14)), 1), "spin")
    solved = solve(function, time_limit=4, seed=0)
    assert solved.optimal
    assert float(function.energies(solved.solution)) == solved.objective


def test_a_gap_is_between_the_answer_and_what_is_proven():
    """Max-cut of a random graph of 60 nodes: HiGHS proves no optimum in half a second."""
    random = np.random.default_rng(0)
    edges = np.array([(i, j) for i in range(60) for j in range(i) if random.random() < 0.5])
    solved = solve(MaxCut(60, edges, np.ones(len(edges))), time_limit=2, seed=0, controls=False)
    assert solved.objective < solved.bound <= len(edges)
    assert solved.gap == pytest.approx((solved.bound - solved.objective) / solved.bound)
    assert not solved.optimal
    assert f"at most {solved.gap:.2%} from the best" in str(solved)


def test_an_infeasible_problem_is_refused_by_the_names_of_what_excludes():
    model = Model()
    x = model.binary("x", 4)
    model.constrain("at least two", x[:3], 1, ">=", 2)
    model.constrain("idle", x, 1, "<=", 3)
    model.constrain("not both", x[:2], 1, "<=", 1)
    model.constrain("no third", x[2:3], 1, "==", 0)
    with pytest.raises(ProblemError, match="solution meets all constraints: at least two, not both, no third exclude"):
        solve(model, time_limit=2, seed=0)


def test_an_answer_that_is_not_feasible_says_so():
    """Without the exact solver nothing proves that there is none."""
    loads = np.full((2, 3), 5.0)
    solved = solve(GeneralizedAssignment(np.ones((2, 3)), loads, [5, 5]), certify=False, time_limit=1, seed=0)
    assert not solved.feasible
    assert solved.gap == np.inf
    assert sum(solved.violations.values()) > 0
    assert "No feasible solution found" in str(solved)
    assert "capacity of agent" in str(solved)


CTRL_C = """
from qloom.combinatorial.solving import solve
from tests.combinatorial.test_certificates import hard_model
print("ready", flush=True)
solved = solve(hard_model(), time_limit=600, seed=0)
print(solved.interrupted, solved.feasible, len(solved.stages), len(solved.controls), flush=True)
"""


def test_ctrl_c_gives_the_best_so_far():
    out = interrupt(CTRL_C, after=3, within=15)
    interrupted, _, _, controls = out.split()
    assert (interrupted, controls) == ("True", "0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_limit": 0}, "time_limit=0, expected seconds above 0"),
        ({"time_limit": float("nan")}, "time_limit=nan"),
        ({"coarse": "magic"}, "coarse='magic', expected 'auto', 'none', 'qaoa'"),
        ({"fine": "magic"}, "fine='magic'.* expected 'auto' or 'none'"),
        ({"inequalities": "magic"}, "inequalities='magic'.* 'slack' or 'unbalanced'"),
        ({"seed": -1}, "seed=-1, expected an integer from 0"),
        ({"time_limit": np.inf}, "time_limit is infinite, expected a number of seconds"),
        ({"time_limit": "a"}, "time_limit='a', expected seconds"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ProblemError, match=message):
        solve(assignment(), **options)


def test_a_constant_does_not_make_a_gap_small():
    random = np.random.default_rng(0)
    function = Quadratic.from_matrix(np.triu(random.integers(-9, 10, (60, 60))), constant=1e10)
    solved = solve(function, time_limit=1, seed=0, controls=False)
    assert solved.objective - solved.bound > 1
    assert not solved.optimal


@pytest.mark.alone
def test_a_bound_that_the_answer_disproves_is_left_out():
    """Squares of 2^31 are too large for the exact solver's tolerances; the answer stays, without a bound."""
    model = Model()
    x = model.integer("x", -(2**31), 2**31)
    model.add(1, x, x)
    solved = solve(model, time_limit=1, seed=0, controls=False)
    assert solved.feasible
    assert solved.bound <= 0
    assert solved.bound == 0 or "which the best solution disproves" in str(solved)


def test_an_optimum_of_zero_is_proven():
    """Tenths whose sum is 0 up to rounding."""
    values = np.array([0.1, 0.2, -0.3, 0.7, -0.7])
    model = Model()
    x = model.binary("x", 5)
    model.add(values, x)
    model.constrain("all or nothing", x, [1, 1, -2, 0, 0], "==", 0)
    model.constrain("the first", [x[0]], [1], "==", 1)
    model.constrain("both or none", [x[3], x[4]], [1, -1], "==", 0)
    for seed in range(3):
        solved = solve(model, time_limit=1, seed=seed, controls=False)
        assert solved.objective == pytest.approx(0, abs=1e-15)
        assert solved.optimal


def test_penalties_end_where_they_cannot_help():
    """An even number is 3 for no penalty; the search goes on, and so does the answer."""
    model = Model()
    x = model.binary("x", 6)
    model.add(np.arange(6), x)
    model.constrain("odd", x, 2, "==", 3)
    solved = solve(model, coarse="tabu", certify=False, time_limit=5, seed=0)
    assert solved.violations == {"odd": 1.0}
    form = BinaryForm(model)
    np.testing.assert_allclose(form.ceilings(), 15)  # the objective's range, for one unit


def test_a_right_side_that_always_holds_needs_no_slack():
    model = Model("max")
    x = model.binary("x", 3)
    model.add([1, 2, 3], x)
    model.constrain("free", x, [1e3, 1.5, 1], "<=", 1e20)
    assert BinaryForm(model).n_bits == 3
    model.constrain("large", x, [3e20, 1e20, 1e20], "<=", 4e20)
    with pytest.raises(ProblemError, match="constraint 'large' has numbers that add up to"):
        BinaryForm(model)


def test_a_form_that_takes_longer_than_its_time_is_left_out():
    function = Quadratic.from_matrix(np.triu(np.ones((800, 800)), 1))
    assert "coarse" in str(solve(function, time_limit=0.1, seed=0, controls=False, certify=False))
    assert "form in bits takes about" in str(solve(function, time_limit=0.1, seed=0, certify=False))


@pytest.mark.parametrize("coarse", ["auto", "annealing", "none"])
def test_what_leaves_no_choice_is_solved(coarse):
    model = Model()
    model.add(3, model.integer("fixed", 2, 2))
    solved = solve(model, coarse=coarse, time_limit=1, seed=0)
    assert (solved.objective, solved.optimal) == (6, True)
    assert coarse != "annealing" or "no bits to choose" in str(solved)
    assert coarse != "auto" or "left out: HiGHS had proven the optimum before" in str(solved)


def test_an_absent_exact_solver_leaves_the_answer(monkeypatch):
    monkeypatch.setitem(sys.modules, "ortools.sat.python.cp_model", None)
    solved = solve(JobShop([[0, 1], [1, 0]], [[3, 2], [2, 4]]), time_limit=1, seed=0)
    assert (solved.objective, solved.optimal, solved.feasible) == (7, False, True)
    assert "left out: JobShop.certify needs ortools; install it with: pip install 'qloom[combinatorial]'" in str(solved)


@pytest.mark.parametrize("problem", [[1, 2], None, np.eye(3)])
def test_what_is_no_problem_is_refused(problem):
    with pytest.raises(ProblemError, match="expected a Problem, a Model or a Quadratic"):
        solve(problem)


def dense(n: int) -> Quadratic:
    return Quadratic.from_matrix(np.triu(np.random.default_rng(n).integers(-100, 101, (n, n))).astype(float))


@pytest.mark.alone
def test_a_circuit_too_wide_for_its_time_is_left_out_with_a_line():
    """26 qubits are 67 million amplitudes: one evaluation takes seconds, and a gigabyte."""
    solved = solve(dense(26), coarse="qaoa", time_limit=1, seed=0, certify=False, controls=False)
    assert solved.seconds < 1.5
    assert solved.found_by == "fine"
    assert "left out: QAOA of 26 bits takes about" in solved.stages[0].method


def test_a_circuit_has_as_many_layers_as_its_time_allows():
    form = BinaryForm(GivenModel.of(dense(18)).model)
    times = [form_seconds * LAYER * 2**18 for form_seconds in (100.0, 3.0, 1.5)]
    assert [search_for("qaoa", form, seconds)[1].n_layers for seconds in times] == [3, 2, 1]
    assert search_for("qaoa", form, times[2])[0] == "qaoa of 1 layer, which its time allows"
    with pytest.raises(TimeLimitError, match="QAOA of 18 bits takes about"):
        search_for("qaoa", form, LAYER * 2**18)


def test_a_descent_takes_no_step_that_the_deadline_leaves_no_time_for():
    calls = []

    def slow(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls.append(len(points))
        time.sleep(0.02)
        return (points**4).sum(axis=1), 4 * points**3

    with within(0.1):
        descents = Descents(slow, np.ones((1, 3)))
        descents.run(1000)
    assert 2 <= len(calls) <= 5
    assert not len(descents.going)


@pytest.mark.alone
def test_what_an_exact_solver_leaves_of_the_time_goes_to_the_fine_stage():
    """A graph whose linear program is too large for its share: its clique takes no time."""
    random = np.random.default_rng(0)
    edges = np.argwhere(np.triu(random.random((120, 120)) < 0.5, 1))
    solved = solve(GraphColouring(120, edges, 25), time_limit=1.0, seed=0, controls=False)
    assert [stage.stage for stage in solved.stages] == ["coarse", "fine", "certificate", "fine again"]
    assert solved.stages[2].method == "clique"
    assert solved.seconds < 3
    assert solved.bound <= solved.objective < 25


@pytest.mark.alone
def test_dense_functions_of_bits_are_answered_in_time_with_a_bound():
    function = dense(300)
    solved = solve(function, time_limit=2, seed=0)
    assert solved.seconds < 3  # of a busy machine; it took 17 s of 5
    assert solved.bound <= solved.objective
    annealed = SimulatedAnnealing(1000, 8).minimize(function, 0.01, seed=0).energy
    assert solved.objective <= 0.98 * annealed
