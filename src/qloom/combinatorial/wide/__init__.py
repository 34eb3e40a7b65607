"""Quantum searches of functions with more variables than a state vector has room for."""

from qloom.combinatorial.wide.blocks import BlockSearch, Enumeration
from qloom.combinatorial.wide.correlators import Correlators
from qloom.combinatorial.wide.light_cone import LightCone, light_cone_value
from qloom.combinatorial.wide.pauli_correlation import PauliCorrelation, brickwork

__all__ = [
    "BlockSearch", "Correlators", "Enumeration", "LightCone", "PauliCorrelation", "brickwork", "light_cone_value",
]  # fmt: skip
