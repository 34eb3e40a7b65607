"""Blocks: what is held counts, searches never go up within a descent, small optima, limits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qloom.combinatorial import Quadratic, SimulatedAnnealing
from qloom.combinatorial.qaoa import QAOA
from qloom.combinatorial.wide import BlockSearch, Enumeration
from qloom.combinatorial.wide.blocks import GROWTHS, HeldState
from qloom.errors import ProblemError

INNER = {
    "QAOA": lambda: None,
    "QAOA, descended": lambda: QAOA(1, n_starts=1, n_steps=10, shots=32),
    "exact": Enumeration,
    "annealed": lambda: SimulatedAnnealing(10, 2),
}


def random_quadratic(seed: int, n: int, density: float = 1.0, kind: str = "spin") -> Quadratic:
    random = np.random.default_rng(seed)
    pairs = np.triu(random.normal(size=(n, n)) * (random.random((n, n)) < density), 1)
    return Quadratic.from_matrix(pairs, kind, random.normal(size=n), 0.3)


@pytest.mark.parametrize("density", [0.0, 0.2, 1.0])
def test_a_block_with_the_others_held_is_the_fixed_function(density):
    spins, random = random_quadratic(0, 30, density), np.random.default_rng(1)
    state = HeldState(spins, random.choice(np.array([-1, 1], np.int8), 30))
    for _ in range(20):
        block = random.choice(30, 5, replace=False)
        fixed, kept = spins.fix({i: int(state.spins[i]) for i in range(30) if i not in block})
        function, every = state.function(block), np.array(list(product((-1, 1), repeat=5)))
        order = np.argsort(block)
        np.testing.assert_array_equal(block[order], kept)
        difference = fixed.energies(every[:, order]) - function.energies(every)
        np.testing.assert_allclose(difference, difference[0], atol=1e-9)
        state.put(block, random.choice(np.array([-1, 1], np.int8), 5))
        assert state.energy == pytest.approx(float(spins.energies(state.spins)))


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize(("kind", "grow"), [("spin", "couplings"), ("binary", "impact"), ("spin", "random")])
def test_small_functions_are_solved(inner, kind, grow):
    function = random_quadratic(2, 12, 0.5, kind)
    lowest = function.energies(np.array(list(product((-1, 1) if kind == "spin" else (0, 1), repeat=12)))).min()
    solver = BlockSearch(INNER[inner](), 5, grow, n_rounds=2)
    found = solver.minimize(function, time_limit=20, target=lowest + 1e-9, seed=0)
    assert found.energy == pytest.approx(lowest)
    assert function.energies(found.state) == pytest.approx(found.energy)


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("n", [1, 3, 40])
def test_rounds_are_states_that_go_up_at_restarts_alone(inner, n):
    spins = random_quadratic(n, n, 0.2)
    streams = [BlockSearch(INNER[inner](), 6, threads=t).rounds(spins, np.random.default_rng(0)) for t in (1, 2)]
    energies, patience = [], -(-n // 6)
    for _ in range(40):
        (states, found), (others, _) = (next(stream) for stream in streams)
        np.testing.assert_array_equal(states, others)
        np.testing.assert_allclose(spins.energies(states), found, atol=1e-9)
        energies.append(found[0])
    ups = np.flatnonzero(np.diff(energies) > 1e-9)
    assert (np.diff(ups) >= patience).all()


def test_a_block_of_all_is_solved_at_once():
    spins = random_quadratic(3, 10)
    lowest = spins.energies(np.array(list(product((-1, 1), repeat=10)))).min()
    for inner in (Enumeration(), QAOA(2, shots=4096)):
        assert next(BlockSearch(inner, 10).rounds(spins, np.random.default_rng(0)))[1][0] == pytest.approx(lowest)


def test_all_lowest_states_come_up():
    """A ring of three that cannot agree has six; each is missed in 100 rounds with a chance of 1e-8."""
    triangle = Quadratic.from_pairs("spin", [0, 1, 2], [1, 2, 0], np.ones(3), np.zeros(3))
    stream = Enumeration().rounds(triangle, np.random.default_rng(0))
    found = [next(stream) for _ in range(100)]
    assert {energy[0] for _, energy in found} == {-1.0}
    assert len({tuple(states[0]) for states, _ in found}) == 6


def test_coupled_blocks_hang_together():
    n, random = 60, np.random.default_rng(4)
    ring = Quadratic.from_pairs("spin", range(n), np.roll(range(n), 1), np.ones(n), np.zeros(n))
    free = np.zeros(n, bool)
    free[7] = True
    for _ in range(10):
        block = GROWTHS["couplings"](HeldState(ring, np.ones(n, np.int8)), 8, free, random)
        assert block[0] == 7
        places = np.sort((block - 7 + 30) % n)
        assert 30 in places
        assert (np.diff(places) == 1).all()


@pytest.mark.parametrize("grow", GROWTHS)
@pytest.mark.parametrize("density", [0.0, 0.1, 1.0])
def test_blocks_are_different_variables(grow, density):
    state = HeldState(random_quadratic(5, 20, density), np.ones(20, np.int8))
    for size in (1, 7, 20):
        block = GROWTHS[grow](state, size, np.arange(20) > 15, np.random.default_rng(0))
        assert len(set(block.tolist())) == size == len(block)


def test_enumeration_tells_small_differences_beside_large_penalties_apart():
    one_hot = 1e6 * (np.ones((4, 4)) - 2 * np.eye(4))
    function = Quadratic.from_matrix(one_hot + np.diag(1e-4 * np.arange(1, 5)), "binary", constant=1e6)
    for seed in range(5):
        assert Enumeration().minimize(function, 0.01, seed=seed).state.tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: BlockSearch(block_size=0), "block_size=0"),
        (lambda: BlockSearch(block_size=27), "block_size=27, expected at most 26"),
        (lambda: BlockSearch(n_rounds=0), "n_rounds=0"),
        (lambda: BlockSearch("qaoa"), "inner='qaoa', expected a Solver"),
        (lambda: BlockSearch(grow="best"), "grow='best', expected one of couplings, impact, random"),
        (lambda: Enumeration().minimize(random_quadratic(0, 27)), "27 variables, expected at most 26"),
    ],
)
def test_bad_input_is_refused(run, message):
    with pytest.raises(ProblemError, match=message):
        run()
