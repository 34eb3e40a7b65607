"""Parallel tempering and path integrals sample the distributions they stand for: chi squared against every state."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qloom import _searches
from qloom.combinatorial import Quadratic
from qloom.combinatorial.solvers.quantum_annealing import time_bonds
from qloom.combinatorial.solvers.tempering import respaced

SPINS = Quadratic.from_pairs("spin", [0, 1], [1, 2], [0.8, -0.5], [0.3, -0.2, 0.1])


def chi_squared(states: np.ndarray, weights: np.ndarray) -> float:
    """Of rows of spins, counted by their number with the first spin as the highest bit. Shapes: (B, N), (2^N,) -> ()"""
    numbers = (states > 0) @ (1 << np.arange(states.shape[1])[::-1])
    expected = len(states) * weights / weights.sum()
    return float(((np.bincount(numbers, minlength=len(weights)) - expected) ** 2 / expected).sum())


def every(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)))


def test_every_temperature_of_a_ladder_is_sampled():
    """20,000 ladders of three: chi squared of 7 degrees of freedom is above 31 with a probability of 6e-5, each."""
    betas, n = np.array([0.3, 0.7, 1.5]), 20_000
    states = np.random.default_rng(0).integers(0, 2, (n, 3, 3), dtype=np.int8) * 2 - 1
    energies, best, lowest = np.empty((n, 3)), np.empty((n, 3), np.int8), np.empty(n)
    accepted, seeds = np.zeros(2, np.int64), np.arange(n, dtype=np.uint64)
    _searches.temper(
        *SPINS.couplings, SPINS.linear, betas, 1, 20, seeds, states, energies, best, lowest, accepted, 1, np.inf
    )
    for place, beta in enumerate(betas):
        assert chi_squared(states[:, place], np.exp(-beta * SPINS.energies(every(3)))) < 31
    np.testing.assert_allclose(SPINS.energies(states.reshape(-1, 3)), energies.ravel(), atol=1e-9)
    assert lowest.min() == pytest.approx(SPINS.energies(every(3)).min())
    assert (accepted > n).all()


def test_exchanges_are_accepted_as_often_as_their_rule_says():
    """Spins of a field alone are at equilibrium after one sweep, so the mean of min(1, exp(db dE)) has a closed form.

    At 1e5 exchanges the mean is wrong by less than 5 standard deviations in all but 6e-7 of runs.
    """
    spins, betas, n = Quadratic.from_pairs("spin", [], [], [], [1.0, 0.4]), np.array([0.2, 1.4]), 100_000
    states = np.random.default_rng(1).integers(0, 2, (n, 2, 2), dtype=np.int8) * 2 - 1
    energies, best, lowest = np.empty((n, 2)), np.empty((n, 2), np.int8), np.empty(n)
    accepted, seeds = np.zeros(1, np.int64), np.arange(n, dtype=np.uint64)
    _searches.temper(
        *spins.couplings, spins.linear, betas, 60, 1, seeds, states, energies, best, lowest, accepted, 1, np.inf
    )
    values = spins.energies(every(2))
    weights = np.exp(-np.outer(betas, values))
    weights /= weights.sum(axis=1, keepdims=True)
    rate = np.exp(np.minimum(0, (betas[1] - betas[0]) * (values[None, :] - values[:, None])))
    mean = weights[0] @ rate @ weights[1]
    assert accepted[0] / n == pytest.approx(mean, abs=5 * np.sqrt(mean * (1 - mean) / n))


def test_a_ladder_is_respaced_to_equal_rejections():
    """Where rejections per unit of beta are r(beta), the new ladder has equal parts of its integral."""
    betas = np.array([0.0, 1.0, 2.0, 3.0])
    made = respaced(betas, np.array([0.8, 0.1, 0.1]))
    assert made[[0, -1]].tolist() == [0.0, 3.0]
    assert (np.diff(made) > 0).all()
    assert made[1] < 0.5
    np.testing.assert_allclose(respaced(betas, np.full(3, 0.4)), betas)


def path_weights(slices: int, beta: float, field: float) -> np.ndarray:
    """Of all states of all slices, from the matrix of one slice: exp(-beta E) times exp(beta field X) on each spin."""
    step = np.array([[np.cosh(beta * field), np.sinh(beta * field)]] * 2)
    step[1] = step[1][::-1]
    kinetic = np.kron(np.kron(step, step), step)
    matrix = np.exp(-beta * SPINS.energies(every(3)))[:, None] * kinetic
    weights = [
        np.prod([matrix[path[k], path[(k + 1) % slices]] for k in range(slices)])
        for path in product(range(8), repeat=slices)
    ]
    return np.array(weights)


@pytest.mark.parametrize("slices", [2, 3])
def test_slices_are_those_of_the_path_integral(slices):
    """At a field that stays: 63 or 511 degrees of freedom, above 125 or 650 with a probability of 6e-6 or 3e-5."""
    beta, field, n = 0.6, 0.9, 40_000
    states = np.random.default_rng(2).integers(0, 2, (n, slices, 3), dtype=np.int8) * 2 - 1
    energies, seeds = np.empty((n, slices)), np.arange(n, dtype=np.uint64)
    bonds = np.full(40, time_bonds(np.array([beta * field]))[0])
    how = (beta, bonds, slices, False)
    _searches.anneal_path(*SPINS.couplings, SPINS.linear, *how, seeds, states, energies, 1, np.inf)
    assert chi_squared(states.reshape(n, -1), path_weights(slices, beta, field)) < {2: 125, 3: 650}[slices]
    np.testing.assert_allclose(SPINS.energies(states.reshape(-1, 3)), energies.ravel(), atol=1e-9)
