"""Solvers: searches for states of low energy."""

from qloom.combinatorial.solvers.annealing import SimulatedAnnealing
from qloom.combinatorial.solvers.base import Found, Solver
from qloom.combinatorial.solvers.bifurcation import SimulatedBifurcation
from qloom.combinatorial.solvers.descent import descend
from qloom.combinatorial.solvers.memetic import MemeticAnnealing, MemeticTabu
from qloom.combinatorial.solvers.quantum_annealing import SimulatedQuantumAnnealing
from qloom.combinatorial.solvers.tabu import TabuSearch
from qloom.combinatorial.solvers.tempering import ParallelTempering

__all__ = [
    "Found", "MemeticAnnealing", "MemeticTabu", "ParallelTempering", "SimulatedAnnealing", "SimulatedBifurcation",
    "SimulatedQuantumAnnealing", "Solver", "TabuSearch", "descend",
]  # fmt: skip
