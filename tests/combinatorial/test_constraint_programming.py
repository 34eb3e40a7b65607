"""CP-SAT: what it proves, what it says when the time is too short, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
from itertools import product
from math import inf
from threading import Thread, Timer

import numpy as np
import pytest

from qloom.combinatorial.constraint_programming import cp_sat, solve_cp
from qloom.errors import ProblemError

pytest.importorskip("ortools")
WEIGHTS = np.array([[3, 5, 2], [7, 1, 4]])


def knapsack(sense: str):
    """sum weights x at least 9 (or at most 12), small (or large)."""
    model = cp_sat("test").CpModel()
    x = np.array([[model.new_bool_var(f"x{i}{j}") for j in range(3)] for i in range(2)])
    total = (WEIGHTS * x).sum()
    if sense == "min":
        model.add(total >= 9)
        model.minimize((x * [[1, 4, 2], [3, 1, 2]]).sum() - 50)
    else:
        model.add(total <= 12)
        model.maximize((x * [[1, 4, 2], [3, 1, 2]]).sum() - 50)
    return model, x


def parabolas(n: int):
    """Places of n things, squared differences of neighbours to be large: not proven within minutes."""
    model = cp_sat("test").CpModel()
    places = [model.new_int_var(0, n - 1, "") for _ in range(n)]
    model.add_all_different(places)
    squares = [model.new_int_var(0, n * n, "") for _ in range(n - 1)]
    for square, one, other in zip(squares, places[:-1], places[1:], strict=True):
        difference = model.new_int_var(-n, n, "")
        model.add(difference == one - other)
        model.add_multiplication_equality(square, [difference, difference])
    model.maximize(sum((1 + k * 7 % 19) * square for k, square in enumerate(squares)))
    return model, places


@pytest.mark.parametrize("sense", ["min", "max"])
def test_optimum_is_brute_force(sense):
    costs = np.array([[1, 4, 2], [3, 1, 2]])
    every = [np.array(bits).reshape(2, 3) for bits in product([0, 1], repeat=6)]
    allowed = [b for b in every if ((WEIGHTS * b).sum() >= 9 if sense == "min" else (WEIGHTS * b).sum() <= 12)]
    best = getattr(np, sense)([(costs * b).sum() - 50 for b in allowed])
    values, objective, bound, status = solve_cp(*knapsack(sense), time_limit=20)
    assert (objective, bound, status) == (best, best, "optimal")
    assert values.shape == (2, 3)
    assert (costs * values).sum() - 50 == best


def test_a_model_can_be_asked_again_and_negated_variables_are_read():
    model, x = knapsack("max")
    values = solve_cp(model, x, 20).values
    negated = solve_cp(model, [[~variable for variable in row] for row in x], 20).values
    assert (values + negated == 1).all()


def test_infeasible_is_proven():
    model, x = knapsack("max")
    model.add((WEIGHTS * x).sum() >= 13)
    assert solve_cp(model, x, 20) == (None, None, inf, "infeasible")


@pytest.mark.parametrize("sense", ["min", "max"])
def test_no_time_proves_nothing(sense):
    """All objectives are negative, so that 0 would be a wrong bound of the smallest."""
    assert solve_cp(*knapsack(sense), time_limit=1e-9) == (None, None, -inf if sense == "min" else inf, "bounded")


@pytest.mark.alone
@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_gives_the_best_so_far():
    model, places = parabolas(40)
    timer = Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.perf_counter()
    values, objective, bound, status = solve_cp(model, places, 60)
    assert time.perf_counter() - start < 30
    timer.join()
    assert status == "interrupted"
    squares = np.diff(values) ** 2
    assert objective == ((1 + np.arange(39) * 7 % 19) * squares).sum() <= bound


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_is_python_s_again_afterwards():
    solve_cp(*knapsack("min"), time_limit=20)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_other_threads_may_solve():
    answers = []
    thread = Thread(target=lambda: answers.append(solve_cp(*knapsack("min"), time_limit=20)))
    thread.start()
    thread.join()
    assert answers[0].status == "optimal"


def test_no_time_is_refused():
    with pytest.raises(ProblemError, match="time_limit=0, expected seconds above 0"):
        solve_cp(*knapsack("min"), time_limit=0)


def test_absent_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ortools.sat.python.cp_model", None)
    with pytest.raises(ImportError, match=r"JobShop.certify needs ortools; install it with: pip install 'qloom\["):
        cp_sat("JobShop.certify")
