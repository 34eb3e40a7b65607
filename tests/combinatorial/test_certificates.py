"""Certificates: optima and bounds of small models by brute force, conflicts by name, time limits, Ctrl-C."""

from __future__ import annotations

import time
from math import inf

import numpy as np
import pytest

from qloom.combinatorial.certificates import certify_model, conflict
from qloom.combinatorial.model import Model
from qloom.errors import ProblemError
from tests.combinatorial.interrupted import interrupt
from tests.combinatorial.models import every_value, random_model


@pytest.mark.parametrize("seed", range(8))
def test_small_models_are_solved_to_proven_optimality(seed):
    model = random_model(seed)
    values = every_value(model)
    objectives = model.objective(values)[model.violations(values).sum(axis=1) == 0]
    best = objectives.min() if model.sense == "min" else objectives.max()
    certificate = certify_model(model, 30)
    assert certificate.status == "optimal"
    assert certificate.objective == pytest.approx(best)
    assert certificate.bound == pytest.approx(best, abs=1e-5)
    assert not model.violated(certificate.solution)


def test_linear_models_keep_their_integers():
    """max 5 y + 4 z, 6 y + 4 z <= 24, y + 2 z <= 6 over whole numbers: 20 at (4, 0)."""
    model = Model("max")
    y, z = model.integer("y", 0, 10), model.integer("z", 0, 10)
    model.add(5, y)
    model.add(4, z)
    model.constrain("first", [y, z], [6, 4], "<=", 24)
    model.constrain("second", [y, z], [1, 2], "<=", 6)
    certificate = certify_model(model, 10)
    assert (certificate.objective, certificate.bound, certificate.solution.tolist()) == (20, 20, [4, 0])


def test_a_model_without_whole_variables_has_its_optimum_as_bound():
    """max 3 x + 2 y, x + y <= 4, x + 3 y <= 6: 12 at (4, 0)."""
    model = Model("max")
    x = model.continuous("x", 0, inf, 2)
    model.add([3, 2], x)
    model.constrain("a", x, [1, 1], "<=", 4)
    model.constrain("b", x, [1, 3], "<=", 6)
    certificate = certify_model(model, 10)
    assert (certificate.status, certificate.objective, certificate.bound) == ("optimal", 12, pytest.approx(12))


def test_constraints_that_exclude_each_other_are_named_and_no_others():
    model = Model()
    x = model.binary("x", 4)
    model.constrain("at least two", x[:3], 1, ">=", 2)
    model.constrain("idle", x, 1, "<=", 3)
    model.constrain("not both", x[:2], 1, "<=", 1)
    model.constrain("without the third", x[2:3], 1, "==", 0)
    certificate = certify_model(model, 10)
    assert (certificate.status, certificate.solution) == ("infeasible", None)
    assert conflict(model, 10) == ["at least two", "not both", "without the third"]


def hard_model() -> Model:
    """A multi-dimensional knapsack that HiGHS does not prove in seconds."""
    random, model = np.random.default_rng(0), Model("max")
    x, loads = model.binary("x", 200), random.integers(1, 1000, (40, 200))
    model.add(random.integers(1, 1000, 200), x)
    model.constrain("load", np.tile(x, (40, 1)), loads, "<=", loads.sum(axis=1) // 2)
    return model


def test_a_bound_holds_also_when_the_time_ends():
    model = hard_model()
    start = time.perf_counter()
    certificate = certify_model(model, 1.0)
    assert time.perf_counter() - start < 10
    assert certificate.status == "bounded"
    assert certificate.solution is None or not model.violated(certificate.solution)
    assert certificate.objective is None or certificate.objective < certificate.bound < inf


CTRL_C = """
import scipy.optimize
from qloom.combinatorial.certificates import certify_model
from tests.combinatorial.test_certificates import hard_model
print("ready", flush=True)
certificate = certify_model(hard_model(), 600)
print(certificate.status, certificate.bound, flush=True)
"""


def test_ctrl_c_ends_it_and_proves_nothing():
    out = interrupt(CTRL_C, after=2, within=10)
    assert out.split() == ["interrupted", "inf"]


def test_bad_input_is_refused():
    with pytest.raises(ProblemError, match="time_limit=0, expected seconds above 0"):
        certify_model(hard_model(), 0)


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-4, 1.0, 1e9])
def test_small_and_large_numbers_prove_the_same(size):
    """Of a knapsack: the objective, or its row, times a number."""
    random = np.random.default_rng(1)
    values, weights = random.integers(5, 30, 12), random.integers(5, 30, 12)
    for objective, row in ((size, 1.0), (1.0, size)):
        model = Model("max")
        x = model.binary("x", 12)
        model.add(objective * values, x)
        model.constrain("weight", x, row * weights, "<=", 60 * row)
        states = every_value(model)
        best = (states @ values)[states @ weights <= 60].max()
        certificate = certify_model(model, 10)
        assert certificate.status == "optimal"
        assert [certificate.objective, certificate.bound] == pytest.approx([objective * best] * 2, rel=1e-6)
