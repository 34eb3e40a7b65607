"""Combinatorial optimization: quadratic functions of binary variables, problems that are made of them, searches."""

from qloom.combinatorial.problems import MaxCut, read_max_cut
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers import Found, MemeticAnnealing, SimulatedAnnealing, Solver

__all__ = ["Found", "MaxCut", "MemeticAnnealing", "Quadratic", "SimulatedAnnealing", "Solver", "read_max_cut"]
