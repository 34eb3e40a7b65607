"""QAOA and its kin: circuits that are made of a cost, or measured by one, and searches by them."""

from qloom.combinatorial.qaoa.angles import interpolated, linear_ramp, with_a_wave_more
from qloom.combinatorial.qaoa.circuit import qaoa_circuit
from qloom.combinatorial.qaoa.cost import Polynomial
from qloom.combinatorial.qaoa.grover import GroverLandscape
from qloom.combinatorial.qaoa.landscape import CircuitLandscape, Landscape
from qloom.combinatorial.qaoa.mixers import Mixer, TransverseField, WarmStart, XYRing
from qloom.combinatorial.qaoa.objectives import CVaR, Gibbs, Mean, Objective
from qloom.combinatorial.qaoa.recursive import RecursiveQAOA
from qloom.combinatorial.qaoa.relaxation import relax
from qloom.combinatorial.qaoa.search import CircuitSearch, Optimized
from qloom.combinatorial.qaoa.solver import QAOA
from qloom.combinatorial.qaoa.tree import Tree, tree_angles
from qloom.combinatorial.qaoa.variational import VariationalSearch

__all__ = [
    "QAOA", "CVaR", "CircuitLandscape", "CircuitSearch", "Gibbs", "GroverLandscape", "Landscape", "Mean", "Mixer",
    "Objective", "Optimized", "Polynomial", "RecursiveQAOA", "TransverseField", "Tree", "VariationalSearch",
    "WarmStart", "XYRing", "interpolated", "linear_ramp", "qaoa_circuit", "relax", "tree_angles", "with_a_wave_more",
]  # fmt: skip
