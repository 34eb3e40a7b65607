"""Solvers: searches for states of low energy."""

from qloom.combinatorial.solvers.annealing import SimulatedAnnealing
from qloom.combinatorial.solvers.base import Found, Solver
from qloom.combinatorial.solvers.memetic import MemeticAnnealing

__all__ = ["Found", "MemeticAnnealing", "SimulatedAnnealing", "Solver"]
