"""Searches of a model over bits: penalties are raised, each by itself, until its constraint holds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.deadline import left
from qloom.combinatorial.solvers.base import Solver

# What the penalty of a violated constraint is multiplied by.
RAISE = 1.5


def search(form: BinaryForm, solver: Solver, random: np.random.Generator) -> Iterator[np.ndarray]:
    """A stream of values (R, N) of the model's variables, those of the lowest penalized objective first.

    After a round whose lowest state violates constraints their penalties are raised, if they may, and the search starts
    again. It ends where a deadline leaves no time for that.
    """
    penalties, ceilings, seconds = form.bounds(), form.ceilings(), 0.0
    while left() > seconds:
        start = time.perf_counter()
        spins = form.quadratic(penalties).as_spins()
        seconds = time.perf_counter() - start
        for states, energies in solver.rounds(spins, random):
            values = form.decode((states[np.argsort(energies)] + 1) // 2)
            yield values
            missed = form.model.violations(values[0]) > 0
            raised = np.where(missed, np.minimum(RAISE * penalties, ceilings), penalties)
            if (raised > penalties).any():
                penalties = raised
                break
