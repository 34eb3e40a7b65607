"""Programs: circuits lowered to Pauli rotations."""

from qloom.programs.lowering import cost, lower, lower_states
from qloom.programs.program import SOURCES, Pass, Program, Rotation, Rotations, Terms

__all__ = ["SOURCES", "Pass", "Program", "Rotation", "Rotations", "Terms", "cost", "lower", "lower_states"]
