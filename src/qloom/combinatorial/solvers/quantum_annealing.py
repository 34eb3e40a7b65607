"""Simulated quantum annealing: the path integral of the function in a transverse field that falls.

Imaginary time is cut into P slices, each a state; equal variables of neighbouring slices are bound the more tightly,
the weaker the field. A sweep goes over single flips in every slice and over flips of a variable in all slices.

Source: Martonak, Santoro, Tosatti 2002, Physical Review B 66, 094203, eq. (4)-(7).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qloom import _searches
from qloom.checks import positive, whole
from qloom.combinatorial.deadline import left
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver, random_seeds, random_states, temperatures

# A slice's temperature, P times that of the whole, as a share of annealing's first one; the first and last transverse
# field in units of it.
SLICE, FIRST_FIELD, LAST_FIELD = 0.65, 2.0, 0.01


class SimulatedQuantumAnnealing(Solver):
    """Restarts of one length, natively; of each, the slices, from which single flips lead down.

    Args:
        n_sweeps: over all variables of all slices, a restart.
        n_slices: P, at least 2.
        n_restarts: a round.
        temperature: of a slice, P times that of the whole, in units of the energy; None picks it by the couplings.
        threads: None for all processors.

    Raises:
        ProblemError: for numbers that cannot be.

    Source: Martonak, Santoro, Tosatti 2002, Physical Review B 66, 094203.
    """

    def __init__(
        self, n_sweeps: int = 400, n_slices: int = 8, n_restarts: int = 4, temperature: float | None = None,
        threads: int | None = None,
    ):  # fmt: skip
        super().__init__(threads)
        whole(1, n_sweeps=n_sweeps, n_restarts=n_restarts)
        whole(2, n_slices=n_slices)
        positive(or_none=True, temperature=temperature)
        self.n_sweeps, self.n_slices, self.n_restarts = n_sweeps, n_slices, n_restarts
        self.temperature = temperature

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        temperature = self.temperature or SLICE * temperatures(spins)[0]
        bonds = time_bonds(np.linspace(FIRST_FIELD, LAST_FIELD, self.n_sweeps))
        while True:
            states = random_states(self.n_restarts * self.n_slices, spins.n, random)
            energies, seeds = np.empty(len(states)), random_seeds(self.n_restarts, random)
            _searches.anneal_path(*spins.couplings, spins.linear, 1 / temperature, bonds, self.n_slices, True, seeds,
                                states, energies, self.n_threads, left())  # fmt: skip
            yield states, energies + spins.constant


def time_bonds(fields: np.ndarray) -> np.ndarray:
    """Between neighbouring slices, in units of a slice's temperature like the transverse fields."""
    return -np.log(np.tanh(fields)) / 2
