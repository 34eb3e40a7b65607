"""The contract of a problem of combinatorial optimization."""

from __future__ import annotations

import json

import numpy as np

from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import Problem


def check_problem(problem: Problem, small: bool = True, seed: int = 0) -> None:
    """Solutions, model and certificate agree.

    Random solutions and their neighbours are arrays of integers and leave what they were made from as it was. The model
    says of a solution what the problem says, where it is the problem's own. Improving makes nothing worse. A small
    problem's certificate is what brute force finds; no solution passes its bound.

    Args:
        problem: under test.
        small: whether brute force can go through its solutions.
        seed: of the random solutions.
    """
    random = np.random.default_rng(seed)
    solutions = [problem.random_solution(random) for _ in range(20)]
    for solution in list(solutions):
        before = solution.copy()
        solutions.append(problem.neighbour(solution, random))
        assert (solution == before).all(), "neighbour changes the solution that it is given"
    for solution in solutions:
        assert solution.dtype == np.int64, f"a solution is {solution.dtype}, expected int64"
        _check_model(problem, solution, random)
    solution = solutions[0]
    assert json.loads(json.dumps(problem.describe(solution))), "describe gives nothing"
    _check_picture(problem, solution)
    better = problem.improve(solution, 0.05, random)
    assert problem.cost(better) <= problem.cost(solution), "improve makes a solution worse"
    if small:
        _check_certificate(problem, solutions)


def _check_model(problem: Problem, solution: np.ndarray, random: np.random.Generator) -> None:
    values, model = problem.encode(solution), problem.model
    assert problem.model_size == ModelSize.of(model), f"{problem.model_size}, expected {ModelSize.of(model)}"
    assert values.shape == (model.n,)
    feasible = problem.is_feasible(solution)
    if feasible:
        again = problem.decode(values, random)
        assert problem.cost(again) <= problem.cost(solution), "decoding an encoded solution gives a worse one"
    if problem.is_exact:
        assert feasible == (not model.violated(values)), (
            f"model: {model.violated(values)}, {problem.violations(solution)}"
        )
        if feasible:
            np.testing.assert_allclose(model.objective(values), problem.objective(solution), rtol=1e-9, atol=1e-9)


def _check_picture(problem: Problem, solution: np.ndarray) -> None:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    problem.draw(solution, axes)
    assert axes.get_children(), "draw leaves the axes empty"
    assert axes.patches or axes.lines or axes.collections or axes.images, "draw leaves the axes empty"


def _check_certificate(problem: Problem, solutions: list[np.ndarray]) -> None:
    best = problem.brute_force()
    certificate = problem.certify(30.0)
    value = problem.objective(best)
    assert certificate.status == "optimal", f"status {certificate.status} of a small problem"
    assert certificate.solution is not None
    assert certificate.objective is not None
    assert problem.is_feasible(certificate.solution)
    np.testing.assert_allclose(problem.objective(certificate.solution), certificate.objective, rtol=1e-9)
    np.testing.assert_allclose([certificate.objective, certificate.bound], value, rtol=1e-5, atol=1e-6)
    sign = 1 if problem.sense == "min" else -1
    for solution in solutions:
        if problem.is_feasible(solution):
            assert sign * problem.objective(solution) >= sign * certificate.bound - 1e-5 * abs(value) - 1e-6
