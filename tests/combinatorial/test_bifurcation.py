"""Simulated bifurcation: the native steps against the equations, fields, the longest stable step, a known optimum."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import _searches
from qloom.combinatorial import Quadratic
from qloom.combinatorial.solvers import SimulatedBifurcation
from qloom.combinatorial.solvers.bifurcation import join_fields, longest_step, radius


def pairs(seed: int, n: int, density: float) -> Quadratic:
    random = np.random.default_rng(seed)
    return Quadratic.from_matrix(np.triu(random.normal(size=(n, n)) * (random.random((n, n)) < density), 1), "spin")


def integrate(matrix: np.ndarray, x: np.ndarray, y: np.ndarray, n_steps: int, step: float, scale: float,
              control: float, discrete: bool) -> np.ndarray:  # fmt: skip
    """The equations as they are written, in double precision. Shapes: matrix (N, N), x, y (N,) -> (N,)"""
    p = np.ones_like(x)
    for m in range(n_steps):
        force = matrix @ (np.where(x < 0, -1, 1) if discrete else x)
        y = y - step * (p * x + scale * force)
        x = x + step * y
        x, y = np.clip(x, -1, 1), np.where(np.abs(x) > 1, 0, y)
        p = p - (1 - control * x**2) * p / (n_steps - m)
    return x


def starts(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and speeds of a replica: xoshiro128+ from splitmix64, evenly in -0.1 .. 0.1."""
    mask, state, out = 2**32 - 1, [], []
    for _ in range(4):
        seed = z = (seed + 0x9E3779B97F4A7C15) % 2**64
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        state.append((z ^ (z >> 31)) >> 16 & mask)
    for _ in range(2 * n):
        out.append((state[0] + state[3] & mask) >> 8)
        moved = state[1] << 9 & mask
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= moved
        state[3] = (state[3] << 11 | state[3] >> 21) & mask
    numbers = 0.1 * (2 * np.array(out) / 2**24 - 1)
    return numbers[:n], numbers[n:]


@pytest.mark.parametrize("density", [1.0, 0.15])
@pytest.mark.parametrize(("control", "discrete"), [(0.0, False), (0.0, True), (0.6, False)])
def test_native_steps_follow_the_equations(density, control, discrete):
    """Thirteen variables, eleven replicas: no whole panel or tile. Signs after 12 steps, where |x| is not small."""
    spins, n_replicas, how = pairs(0, 13, density), 11, (12, 0.6, 0.15)
    states = np.empty((n_replicas, 13), np.int8)
    seeds, controls = np.arange(n_replicas, dtype=np.uint64), np.full(n_replicas, control)
    _searches.bifurcate(*spins.couplings, spins.linear, *how, 0.1, controls, discrete, seeds, states, 1, np.inf)
    for seed, state in enumerate(states):
        x = integrate(2 * spins.matrix(), *starts(seed, 13), *how, control, discrete)
        sure = np.abs(x) > 1e-3
        assert sure.sum() > 6
        np.testing.assert_array_equal(state[sure], np.where(x < 0, -1, 1)[sure])


def test_fields_become_couplings_to_one_more_spin():
    random = np.random.default_rng(1)
    spins = Quadratic.from_matrix(np.triu(random.normal(size=(9, 9)), 1), "spin", random.normal(size=9), 0.7)
    joined, states = join_fields(spins), random.choice([-1, 1], (20, 10))
    np.testing.assert_allclose(joined.energies(states), spins.energies(states[:, :-1] * states[:, -1:]))
    without = pairs(1, 9, 1.0)
    assert join_fields(without) is without


@pytest.mark.parametrize("n", [2, 3, 60])
def test_the_longest_step_is_that_of_the_fastest_oscillation(n):
    """Just below it an oscillator along that eigenvector stays bounded, just above it does not."""
    matrix = 2 * pairs(2, n, 1.0).matrix()
    matrix *= np.sign(np.linalg.eigvalsh(matrix)[np.abs(np.linalg.eigvalsh(matrix)).argmax()])
    spins, scale = Quadratic.from_matrix(np.triu(matrix), "spin"), 0.3
    largest = np.linalg.eigvalsh(matrix)[-1]
    assert radius(spins) == pytest.approx(largest, rel=0.05)
    for share, grows in ((0.99, False), (1.01, True)):
        x, y, step = 1e-3, 0.0, share * longest_step(scale, largest)
        for _ in range(1000):
            y -= step * (1 + scale * largest) * x
            x += step * y
        assert (abs(x) > 1) == grows


@pytest.mark.parametrize("mode", ["ballistic", "discrete", "generalized"])
def test_a_planted_optimum_is_found(mode):
    """Couplings -t_i t_j w_ij with w >= 0 are all satisfied by t."""
    random = np.random.default_rng(3)
    t = random.choice([-1.0, 1.0], 200)
    weights = random.random((200, 200)) * (random.random((200, 200)) < 0.1)
    spins = Quadratic.from_matrix(np.triu(-np.outer(t, t) * weights, 1), "spin")
    found = SimulatedBifurcation(mode, 200, 8).minimize(spins, 10, -np.abs(spins.values).sum() + 1e-6, seed=0)
    assert found.energy == pytest.approx(-np.abs(spins.values).sum())
    assert abs(found.state @ t) == 200
