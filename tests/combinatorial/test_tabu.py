"""Tabu search: it leaves local minima, forbids what it says, keeps the best, and is shared by the memetic search."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import _searches
from qloom.combinatorial import Quadratic
from qloom.combinatorial.solvers import descend


def run(spins: Quadratic, states: np.ndarray, tenure: int, spread: int, patience: int) -> np.ndarray:
    energies, seeds = np.empty(len(states)), np.arange(len(states), dtype=np.uint64)
    _searches.tabu(*spins.couplings, spins.linear, tenure, spread, patience, seeds, states, energies, 1, np.inf)
    return energies + spins.constant


def ring(n: int) -> Quadratic:
    """Neighbours want to be alike: a domain of flipped spins has two walls, which only move freely."""
    return Quadratic.from_pairs("spin", np.arange(n), (np.arange(n) + 1) % n, np.full(n, -1.0), np.zeros(n))


def reference(spins: Quadratic, state: np.ndarray, tenure: int, patience: int) -> float:
    """The rule as it is written, for functions without equal flips. The lowest energy."""
    state, n = state.copy(), spins.n
    energy = lowest = float(spins.energies(state))
    until, now, idle = np.zeros(n, int), 1, 0
    while idle < patience:
        flips = state * (1 - 2 * np.eye(n, dtype=int))
        rise = spins.energies(flips) - energy
        free = until <= now
        allowed = free | (energy + rise < lowest - 1e-6)
        i = int(np.where(allowed, rise, np.inf).argmin())
        state, energy = flips[i], energy + rise[i]
        until[i] = now + 1 + tenure
        now, idle = now + 1, idle + 1
        if energy < lowest - 1e-6:
            lowest, idle = energy, 0
    return lowest


@pytest.mark.parametrize(("n", "density"), [(12, 1.0), (40, 1.0), (70, 0.1)])
def test_native_flips_follow_the_rule(n, density):
    """Real couplings: no two flips are equal, so that nothing is left to chance."""
    random = np.random.default_rng(n)
    matrix = np.triu(random.normal(size=(n, n)) * (random.random((n, n)) < density), 1)
    spins = Quadratic.from_matrix(matrix, "spin", random.normal(size=n))
    states = random.choice(np.array([-1, 1], np.int8), (6, n))
    expected = [reference(spins, state.astype(int), 5, 60) for state in states]
    np.testing.assert_allclose(run(spins, states, 5, 0, 60), expected, atol=1e-5)


def test_the_best_state_is_left():
    random = np.random.default_rng(0)
    spins = Quadratic.from_matrix(np.triu(random.integers(-3, 4, (50, 50)), 1), "spin", random.integers(-3, 4, 50))
    states = random.choice(np.array([-1, 1], np.int8), (20, 50))
    down = descend(spins, states, pairs=False)[1]
    energies = run(spins, states, 8, 8, 500)
    np.testing.assert_allclose(spins.energies(states), energies)
    assert energies.mean() < down.mean() - 10


def test_walls_that_descent_leaves_are_walked_away():
    """Two domains of a ring of 24: no flip is better, but flips that cost nothing bring the walls together."""
    spins, states = ring(24), np.ones((1, 24), np.int8)
    states[0, 5:12] = -1
    assert descend(spins, states)[1] == -20
    assert run(spins, states, 3, 3, 300) == -24
