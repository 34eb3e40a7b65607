"""Searches of a model over bits: penalties are raised, each by itself, until its constraint holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.solvers.base import Solver

# What the penalty of a violated constraint is multiplied by.
RAISE = 1.5


def search(form: BinaryForm, solver: Solver, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Without end, values (R, N) of the model's variables, those of the lowest penalized objective first.

    After a round whose lowest state violates constraints their penalties are raised, if they may, and the search starts
    again.
    """
    penalties, ceilings = form.bounds(), form.ceilings()
    while True:
        spins = form.quadratic(penalties).as_spins()
        for states, energies in solver.rounds(spins, random):
            values = form.decode((states[np.argsort(energies)] + 1) // 2)
            yield values
            missed = form.model.violations(values[0]) > 0
            raised = np.where(missed, np.minimum(RAISE * penalties, ceilings), penalties)
            if (raised > penalties).any():
                penalties = raised
                break
