"""The fine stage of problems that nothing constrains: flips, natively."""

from __future__ import annotations

import time

import numpy as np

from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import random_states
from qloom.combinatorial.solvers.descent import descend
from qloom.combinatorial.solvers.tabu import FLIPS, TabuSearch, search_tabu

# Searches side by side. The first begins from the best, half of the others where this share of variables is thrown
# anew, the rest where more is.
CHAINS, THROWN = 8, 0.1
# Variables that tabu searches look at in a second, roughly; one looks at all of them before each flip.
LOOKS = 1e9


def improve_by_flips(
    function: Quadratic, state: np.ndarray, seconds: float, random: np.random.Generator
) -> np.ndarray:  # fmt: skip
    """One- and two-flip descent, then tabu searches from the best so far and near it; Ctrl-C ends them.

    Shapes: state (N,) of the function's variables -> (N,), never worse.
    """
    end, solver, spins = time.perf_counter() + seconds, TabuSearch(), function.as_spins()
    given = np.asarray(state, np.int8) if function.kind == "spin" else (2 * np.asarray(state) - 1).astype(np.int8)
    patience = int(np.clip(seconds * LOOKS / (CHAINS * spins.n), 1, FLIPS * spins.n))
    best, lowest = given, float(spins.energies(given))
    try:
        best, energy = descend(spins, best)
        lowest = float(energy)
        while time.perf_counter() < end:
            shares = np.where(np.arange(CHAINS) <= CHAINS // 2, THROWN, random.uniform(THROWN, 1, CHAINS))
            shares[0] = 0.0
            thrown = random.random((CHAINS, spins.n)) < shares[:, None]
            states = np.where(thrown, random_states(CHAINS, spins.n, random), best)
            energies = search_tabu(solver, spins, states, random, patience)
            if energies.min() < lowest:
                best, lowest = states[energies.argmin()], float(energies.min())
    except KeyboardInterrupt:
        pass
    return (best if function.kind == "spin" else (best + 1) // 2).astype(np.int64)
