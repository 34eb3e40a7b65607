"""Deadlines: what a time is part of, and searches that end with what they have."""

from __future__ import annotations

import threading
import time
from math import inf

import numpy as np
import pytest

from qloom.combinatorial.deadline import left, left_of_all, within
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers import (
    MemeticAnnealing,
    MemeticTabu,
    ParallelTempering,
    SimulatedAnnealing,
    SimulatedBifurcation,
    SimulatedQuantumAnnealing,
    TabuSearch,
)

LONG = [
    SimulatedAnnealing(10**7, 4),
    MemeticAnnealing(10**7),
    MemeticTabu(patience=10**9),
    ParallelTempering(n_exchanges=10**7),
    SimulatedBifurcation(n_steps=10**7),
    SimulatedQuantumAnnealing(n_sweeps=10**7),
    TabuSearch(patience=10**9),
]


def test_a_part_ends_no_later_than_the_whole():
    assert left() == inf
    with within(10):
        with within(1):
            assert 0.9 < left() <= 1
            assert 9 < left_of_all() <= 10
        with within(100):
            assert 9 < left() <= 10
        with within(0):
            assert left() == 0
    assert left() == inf


@pytest.mark.alone
@pytest.mark.parametrize("solver", LONG, ids=lambda solver: type(solver).__name__)
def test_a_round_of_hours_ends_at_the_deadline_with_states_and_their_energies(solver):
    random = np.random.default_rng(0)
    spins = Quadratic.from_matrix(np.triu(random.integers(-9, 10, (60, 60)), 1), "spin", random.normal(size=60))
    start = time.perf_counter()
    with within(0.05):
        states, energies = next(solver.rounds(spins, random))
    assert time.perf_counter() - start < 10  # of a busy machine; a round would take minutes
    assert np.isin(states, (-1, 1)).all()
    np.testing.assert_allclose(spins.energies(states), energies, rtol=1e-9)


@pytest.mark.alone
def test_other_threads_have_deadlines_too():
    """Nobody asks for Ctrl-C there, the clock is looked at all the same."""
    spins, seconds = Quadratic.from_matrix(np.triu(np.ones((40, 40)), 1), "spin"), []

    def search() -> None:
        start = time.perf_counter()
        with within(0.05):
            next(SimulatedAnnealing(10**7, 4).rounds(spins, np.random.default_rng(0)))
        seconds.append(time.perf_counter() - start)

    thread = threading.Thread(target=search)
    thread.start()
    thread.join(30)
    assert len(seconds) == 1
    assert seconds[0] < 10
