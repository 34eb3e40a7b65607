"""Programs: circuits lowered to Pauli rotations."""

from qloom.programs.independence import independent_parts
from qloom.programs.lowering import cost, lower, lower_parities, lower_states
from qloom.programs.program import SOURCES, Pass, Program, Rotation, Rotations, Terms

__all__ = [
    "SOURCES", "Pass", "Program", "Rotation", "Rotations", "Terms", "cost", "independent_parts", "lower",
    "lower_parities", "lower_states",
]  # fmt: skip
