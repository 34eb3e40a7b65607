"""Probabilities, samples, the variance of an observable, the kernel of state fidelities and its landmarks.

Run: python -m benchmarks.engine.outcomes
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import qloom as ql
from benchmarks.cases import Case, run
from benchmarks.checks import z_values
from qloom.benchmarking import Work
from qloom.models import QuantumLandmarks, fidelity_kernel

SHOTS = 1_000_000
LARGE = Work(20, 1, 1)
KERNEL = Work(10, 2000, 1)


def singles(work: Work) -> tuple[Any, Any]:
    """The problem's inputs and weights in float32."""
    x, weights, _ = work.problem()
    return x.astype(np.float32), weights.astype(np.float32)


def probabilities(work: Work, threads: int) -> np.ndarray:
    """Of all outcomes, (B, 2^n)."""
    engine = ql.engines.StatevectorEngine(threads)
    return ql.probabilities(work.circuit(), *singles(work), engine=engine)


def samples(work: Work, threads: int) -> np.ndarray:
    """Measured bits (B, SHOTS, n)."""
    engine = ql.engines.StatevectorEngine(threads)
    return ql.sample(work.circuit(), SHOTS, *singles(work), seed=0, engine=engine)


def total_z(n: int) -> ql.PauliSum:
    """The sum of Z on every qubit."""
    return sum((ql.Z(q) for q in range(1, n)), 1.0 * ql.Z(0))


def variance(work: Work, threads: int) -> np.ndarray:
    """Of the sum of Z, (B,): <O O> - <O>^2."""
    total, engine = total_z(work.n_qubits), ql.engines.StatevectorEngine(threads)
    mean, square = ql.expectation(work.circuit(), [total, total @ total], *singles(work), engine=engine).T
    return square - mean**2


def kernel(work: Work, threads: int) -> np.ndarray:
    """Fidelities (B, B)."""
    x, weights = singles(work)
    return fidelity_kernel(work.circuit(), x, weights=weights, engine=ql.engines.StatevectorEngine(threads))


def check_probabilities(work: Work, threads: int) -> None:
    found = probabilities(work, threads)
    np.testing.assert_allclose(found.sum(dtype=np.float64), work.batch, atol=1e-4 * work.batch)
    truth = ql.expectation(work.circuit(), None, *work.problem()[:2])
    np.testing.assert_allclose(z_values(np.sqrt(found)), truth, atol=1e-4)


def check_samples(work: Work, threads: int) -> None:
    """Means of a million bits within five standard errors: a false alarm in 1e5 runs, and the seed is fixed."""
    truth = ql.expectation(work.circuit(), None, *work.problem()[:2])
    np.testing.assert_allclose(1 - 2 * samples(work, threads).mean(axis=1), truth, atol=5e-3)


def check_variance(work: Work, threads: int) -> None:
    """Against the distribution of the sum over outcomes."""
    outcomes = probabilities(work, threads)[0].astype(np.float64)
    ones = np.array([index.bit_count() for index in range(2**work.n_qubits)])
    sums = work.n_qubits - 2 * ones
    truth = outcomes @ sums**2 - (outcomes @ sums) ** 2
    np.testing.assert_allclose(variance(work, threads)[0], truth, rtol=1e-3)


def check_kernel(work: Work, threads: int) -> None:
    """Diagonal of 1, and the entry of the first and the last sample against the reference engine."""
    found = kernel(work, threads)
    np.testing.assert_allclose(np.diag(found), 1, atol=1e-4)
    x, weights, _ = work.problem()
    first, last = ql.state(work.circuit(), x[[0, -1]], weights, engine=ql.engines.ReferenceEngine())
    np.testing.assert_allclose(found[0, -1], abs(np.vdot(first, last)) ** 2, atol=1e-4)


def landmarks(n_rows: int, n_features: int, n_landmarks: int) -> Callable[[], Any]:
    """Features of many rows by an IQP kernel with a few of them."""
    x = np.random.default_rng(0).uniform(-1, 1, (n_rows, n_features))
    made = QuantumLandmarks(n_landmarks=n_landmarks).fit(x)
    near = made.transform(x[:100])
    truth = made.kernel_.matrix(made.kernel_.inputs(x[:100]), made.inputs_)
    ours = near @ (made.kernel_.matrix(made.inputs_) @ made.mixing_).T  # kernel values with landmarks are exact
    np.testing.assert_allclose(ours, truth, atol=1e-6)
    return lambda: made.transform(x)


def prepare(check: Callable[..., None], function: Callable[..., Any], work: Work, threads: int) -> Callable[[], Any]:
    """The checked function to time."""
    check(work, threads)
    return partial(function, work, threads)


def make_case(name: str, work: Work, multiply_adds: float, goal: float) -> Case:
    size = {"n": work.n_qubits, "batch": work.batch, "layers": work.n_layers}
    names = globals()
    function = partial(prepare, names[f"check_{name}"], names[name], work, 2)
    return Case(name, size, function, goal=goal, multiply_adds=multiply_adds, least=3)


# The floors, derived in floor.md: the state, and then a square of each part for probabilities; a search of n steps a
# sample; 2 multiply-adds an amplitude for the variance; half of B^2 complex products of 2^n for the kernel.
_STATE = LARGE.forward_multiply_adds
CASES = [
    make_case("probabilities", LARGE, _STATE + 2 * LARGE.amplitudes, 10),
    make_case("samples", LARGE, _STATE + LARGE.n_qubits * SHOTS, 100),
    make_case("variance", LARGE, _STATE + 2 * LARGE.amplitudes, 10),
    make_case("kernel", KERNEL, KERNEL.forward_multiply_adds + 2 * KERNEL.batch * KERNEL.amplitudes, 1000),
    Case(
        "landmarks",
        {"rows": 100_000, "n": 8, "landmarks": 256},
        partial(landmarks, 100_000, 8, 256),
        goal=10_000,
        precision="float64",
        multiply_adds=100_000 * 256 * (256 * 4 + 256),
        least=2,
    ),
]

if __name__ == "__main__":
    run("outcomes", CASES)
