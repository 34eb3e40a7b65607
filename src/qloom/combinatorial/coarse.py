"""The coarse stage: which search is meant by a name, made to fit a function's width and a time."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from qloom import _native
from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.solvers.annealing import SimulatedAnnealing
from qloom.combinatorial.solvers.base import Solver
from qloom.errors import ProblemError

# Up to this many bits "auto" means the quantum circuit: its simulation then takes less than what follows.
QAOA_BITS = 16
# Flips that annealing tries in a second on one core, times the couplings that one touches, roughly.
FLIPS = 3e7
RESTARTS = 8
# Products of variables that become those of bits in a second, roughly.
PRODUCTS = 1e6
# Seconds of an objective of three layers and its gradient, an amplitude, roughly.
AMPLITUDE = 8e-8


def annealing_for(form: BinaryForm, seconds: float) -> SimulatedAnnealing:
    """Of as many sweeps as let some rounds end in the time, between temperatures by what flips change the objective.

    Penalties are left out of the temperatures: a search that is hot for them is blind for the objective.
    """
    change = form.changes[form.changes > 0]
    scale = float(np.median(change)) if len(change) else 1.0
    rows = sum(len(penalty.bits) ** 2 for penalty in form.penalties) + 2 * len(form.objective.values)
    work = form.n_bits + 0.2 * rows
    n_sweeps = int(seconds * FLIPS * _native.available_threads() / (6 * RESTARTS * work))
    hot, cold = (2.5 * scale, 0.08 * scale) if form.penalties else (None, None)
    return SimulatedAnnealing(int(np.clip(n_sweeps, 20, 4000)), RESTARTS, hot, cold)


def building_seconds(size: ModelSize) -> float:
    """Of a model's form in bits with its penalties, roughly."""
    return (size.terms + size.pairs) / PRODUCTS


def qaoa_for(form: BinaryForm, seconds: float) -> Solver:
    """As many descents and steps as the time has room for, at most those of the default."""
    from qloom.combinatorial.qaoa import QAOA

    affordable = seconds / (AMPLITUDE * 2.0 ** min(form.n_bits, 64))
    n_starts = int(np.clip(affordable / 20, 1, 4))
    return QAOA(n_starts=n_starts, n_steps=int(np.clip(affordable / n_starts, 0, 200)))


def _made(module: str, name: str) -> Callable[[BinaryForm, float], Solver]:
    """A solver of a module that is imported when it is asked for."""
    return lambda form, seconds: getattr(import_module(f"qloom.combinatorial.{module}"), name)()


SEARCHES: dict[str, Callable[[BinaryForm, float], Solver]] = {
    "qaoa": qaoa_for,
    "annealing": annealing_for,
    "memetic": _made("solvers", "MemeticAnnealing"),
    "bifurcation": _made("solvers", "SimulatedBifurcation"),
    "quantum_annealing": _made("solvers", "SimulatedQuantumAnnealing"),
    "tempering": _made("solvers", "ParallelTempering"),
    "tabu": _made("solvers", "TabuSearch"),
    "memetic_tabu": _made("solvers", "MemeticTabu"),
    "pauli_correlation": _made("wide", "PauliCorrelation"),
    "blocks": _made("wide", "BlockSearch"),
}


def search_for(coarse: str | Solver, form: BinaryForm, seconds: float) -> tuple[str, Solver]:
    """Its name and the search; "auto" takes QAOA up to 16 bits, wider annealing, memetic where nothing constrains.

    Raises:
        ProblemError: for a name that is not known.
    """
    if isinstance(coarse, Solver):
        return type(coarse).__name__, coarse
    if coarse == "auto":
        coarse = "qaoa" if form.n_bits <= QAOA_BITS else "annealing" if form.penalties else "memetic"
    if coarse not in SEARCHES:
        raise ProblemError(f"coarse={coarse!r}, expected 'auto', 'none', {', '.join(map(repr, SEARCHES))} or a Solver")
    return coarse, SEARCHES[coarse](form, seconds)
