"""The coarse stage: which search is meant by a name, made to fit a function's width and a time."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from qloom import _searches
from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.solvers.annealing import SimulatedAnnealing
from qloom.combinatorial.solvers.base import Solver
from qloom.errors import ProblemError, TimeLimitError

# Up to this many bits "auto" means the quantum circuit: its simulation then takes less than what follows.
QAOA_BITS = 16
# Flips that annealing tries in a second on one core, times the couplings that one touches, roughly.
FLIPS = 3e7
RESTARTS = 8
# Seconds of a layer of an objective and its gradient, an amplitude, roughly; a measurement takes a share of that more.
LAYER, MEASURED = 6e-8, 0.4
# Of QAOA, where the time has room for them.
LAYERS = 3


def sweeps_for(form: BinaryForm, seconds: float, n_restarts: int, n_rounds: int = 6) -> int:
    """Over all bits, that let so many rounds of restarts end in the time, roughly."""
    couplings = 2 * len(form.objective.values)
    if form.penalties:  # rounds are short, so that penalties are raised often
        work = form.n_bits + 0.2 * (couplings + sum(len(penalty.bits) ** 2 for penalty in form.penalties))
    else:  # a flip that is taken changes the fields of its neighbours, of a dense function sixteen at a time
        work = 0.7 * form.n_bits + 0.02 * min(couplings, form.n_bits**2 / 16)
    return int(seconds * FLIPS * _searches.available_threads() / (n_rounds * n_restarts * work))


def annealing_for(form: BinaryForm, seconds: float) -> SimulatedAnnealing:
    """Of as many sweeps as let some rounds end in the time, between temperatures by what flips change the objective.

    Penalties are left out of the temperatures: a search that is hot for them is blind for the objective.
    """
    change = form.changes[form.changes > 0]
    scale = float(np.median(change)) if len(change) else 1.0
    n_sweeps = sweeps_for(form, seconds, RESTARTS)
    hot, cold = (2.5 * scale, 0.08 * scale) if form.penalties else (None, None)
    return SimulatedAnnealing(int(np.clip(n_sweeps, 20, 4000)), RESTARTS, hot, cold)


def memetic_for(form: BinaryForm, seconds: float) -> Solver:
    """Of as many sweeps as let a population grow and children come in the time, at most those of the default."""
    from qloom.combinatorial.solvers import MemeticAnnealing

    return MemeticAnnealing(int(np.clip(sweeps_for(form, seconds, RESTARTS, 24), 20, 2000)), n_children=RESTARTS)


def qaoa_for(form: BinaryForm, seconds: float) -> Solver:
    """As many layers, descents and steps as the time has room for, at most those of the default.

    Raises:
        TimeLimitError: if it has none for the objective of one layer, its gradient and a measurement.
    """
    from qloom.combinatorial.qaoa import QAOA

    layer = LAYER * 2.0 ** min(form.n_bits, 64)
    n_layers = next((p for p in range(LAYERS, 0, -1) if (1 + MEASURED) * p * layer <= seconds), 0)
    if not n_layers:
        raise TimeLimitError(
            f"QAOA of {form.n_bits} bits takes about {(1 + MEASURED) * layer:.2g} s for one layer's objective, its "
            f"share is {seconds:.2g} s"
        )
    affordable = seconds / (n_layers * layer)
    n_starts = int(np.clip(affordable / 20, 1, 4))
    return QAOA(n_layers, n_starts=n_starts, n_steps=int(np.clip(affordable / n_starts, 0, 200)))


def _made(module: str, name: str) -> Callable[[BinaryForm, float], Solver]:
    """A solver of a module that is imported when it is asked for."""
    return lambda form, seconds: getattr(import_module(f"qloom.combinatorial.{module}"), name)()


SEARCHES: dict[str, Callable[[BinaryForm, float], Solver]] = {
    "qaoa": qaoa_for,
    "annealing": annealing_for,
    "memetic": memetic_for,
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
        TimeLimitError: if the search that is asked for takes longer than that.
    """
    if isinstance(coarse, Solver):
        return type(coarse).__name__, coarse
    wide = "annealing" if form.penalties else "memetic"
    if coarse == "auto" and form.n_bits <= QAOA_BITS:
        try:
            return search_for("qaoa", form, seconds)
        except TimeLimitError:
            pass
    name = wide if coarse == "auto" else coarse
    if name not in SEARCHES:
        raise ProblemError(f"coarse={coarse!r}, expected 'auto', 'none', {', '.join(map(repr, SEARCHES))} or a Solver")
    solver = SEARCHES[name](form, seconds)
    n_layers = getattr(solver, "n_layers", LAYERS)
    if name == "qaoa" and n_layers < LAYERS:
        name = f"qaoa of {n_layers} layer{'s' * (n_layers > 1)}, which its time allows"
    return name, solver
