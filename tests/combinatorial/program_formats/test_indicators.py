"""Rows that hold only where a binary variable has a value, in LP and MPS."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from qloom.combinatorial.certificates import certify_model
from qloom.combinatorial.model import Model
from qloom.combinatorial.program_files import read_program, write_program

FILES = sorted((Path(__file__).parent / "indicators").iterdir())
MIXED = """Maximize
 obj: 3 x + 2 y + w - 4 z - u
Subject To
 cap: x + y + w <= 12
 on: z = 0 -> x + w <= 2
 off: u = 1 -> x - y >= 1
 two: u = 0 -> y + w = 3
Bounds
 x <= 8
 y <= 6
 w <= 7.5
Generals
 x y
Binaries
 z u
End
"""


def best_of_mixed() -> float:
    """By trying all whole values; the weight w then stands at one of the ends of what the rows leave it."""
    best = -np.inf
    for x, y, z, u in product(range(9), range(7), range(2), range(2)):
        least, most = 0.0, min(7.5, 12.0 - x - y)
        if not z:
            most = min(most, 2 - x)
        if u and x - y < 1:
            continue
        if not u:
            least, most = max(least, 3 - y), min(most, 3 - y)
        if least <= most:
            best = max(best, 3 * x + 2 * y + most - 4 * z - u)
    return best


def test_indicators_of_mixed_rows_are_read(tmp_path):
    (tmp_path / "a.lp").write_text(MIXED)
    certificate = certify_model(read_program(tmp_path / "a.lp"), 10)
    assert (certificate.objective, certificate.status) == (pytest.approx(best_of_mixed()), "optimal")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_solvers_files_are_the_same_model(path):
    """That model as Gurobi 13, CPLEX 22.2, COPT 8 and SCIP 10 write it; they too find 27."""
    assert certify_model(read_program(path), 10).objective == pytest.approx(best_of_mixed()) == pytest.approx(27)


def random_rows(seed: int) -> tuple[str, np.ndarray, list[tuple[np.ndarray, str, int, tuple[int, int] | None]]]:
    """An LP of x0..x2 from -2 to 3 and binaries z0, z1, its objective, and its rows as arrays."""
    random, names = np.random.default_rng(seed), ["x0", "x1", "x2", "z0", "z1"]
    objective, rows = random.integers(-5, 6, 5), []
    for k in range(5):
        condition = (int(random.integers(2)), int(random.integers(2))) if k else None
        rows.append((random.integers(-3, 4, 5), str(random.choice(["<=", ">=", "="])) if k else "<=",
                     int(random.integers(-4, 5)), condition))  # fmt: skip
    lines = ["Maximize", " obj: " + sum_of(objective, names), "Subject To"]
    for values, comparison, right, condition in rows:
        arrow = "" if condition is None else f"z{condition[0]} = {condition[1]} -> "
        lines.append(f" {arrow}{sum_of(values, names)} {comparison} {right}")
    bounds = [f" -2 <= {name} <= 3" for name in names[:3]]
    text = "\n".join([*lines, "Bounds", *bounds, "Generals", *names[:3], "Binaries", *names[3:], "End", ""])
    return text, objective, rows


def sum_of(values: np.ndarray, names: list[str]) -> str:
    return " ".join(
        f"{'-' if value < 0 else '+'} {abs(value)} {name}" for value, name in zip(values, names, strict=True)
    )


@pytest.mark.parametrize("seed", range(12))
def test_whole_rows_hold_where_they_must_and_nowhere_else(tmp_path, seed):
    """Each assignment is feasible in our model if and only if each row that its indicator calls for holds."""
    text, objective, rows = random_rows(seed)
    (tmp_path / "a.lp").write_text(text)
    model = read_program(tmp_path / "a.lp")
    values = np.array([(*x, *z) for x in product(range(-2, 4), repeat=3) for z in product(range(2), repeat=2)])
    right = np.ones(len(values), bool)
    for own, comparison, limit, condition in rows:
        left = values @ own
        holds = left <= limit if comparison == "<=" else left >= limit if comparison == ">=" else left == limit
        right &= holds if condition is None else holds | (values[:, 3 + condition[0]] != condition[1])
    order = [["x0", "x1", "x2", "z0", "z1"].index(label) for label in model.labels]
    assert sorted(order) == list(range(5))
    np.testing.assert_array_equal((model.violations(values[:, order]) == 0).all(axis=1), right)
    np.testing.assert_allclose(model.objective(values[:, order]), values @ objective)
    assert 0 < right.sum() < len(right)


def test_rows_of_general_constraints_are_read(tmp_path):
    text = MIXED.replace(" on: z", "General Constraints\n on: z")
    (tmp_path / "a.lp").write_text(text)
    assert certify_model(read_program(tmp_path / "a.lp"), 10).objective == pytest.approx(27)


def test_bounds_come_from_the_other_rows(tmp_path):
    """x and w have none of their own; cap gives 12."""
    (tmp_path / "a.lp").write_text(MIXED.replace(" x <= 8\n", "").replace(" w <= 7.5\n", ""))
    model = read_program(tmp_path / "a.lp")
    best = max(3 * x + 2 * y - 4 - 1 for x in range(13) for y in range(7) if x + y <= 12 and x - y >= 1)
    assert certify_model(model, 10).objective == pytest.approx(best)


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_what_we_write_of_them_is_the_same_model(tmp_path, suffix):
    (tmp_path / "a.lp").write_text(MIXED)
    path = write_program(read_program(tmp_path / "a.lp"), tmp_path / f"b{suffix}")
    assert certify_model(read_program(path), 10).objective == pytest.approx(27)


def test_a_bit_of_an_indicator_does_not_pass_for_none():
    """max x - z / 2, x <= 5e6 z, x <= 1: 1/2. z = 2e-7 is whole within a solver's tolerance, and would give 1."""
    model = Model("max")
    z, x = model.binary("z"), model.continuous("x", 0, 1)
    model.add([1, -0.5], [x, z])
    model.constrain("on", [x, z], [1, -5e6], "<=", 0)
    certificate = certify_model(model, 10)
    assert model.violated([0, 1]) == {"on": pytest.approx(1)}
    if certificate.status == "optimal":
        assert certificate.objective == pytest.approx(0.5)
    assert certificate.objective <= 0.5 + 1e-6 <= certificate.bound + 2e-6
