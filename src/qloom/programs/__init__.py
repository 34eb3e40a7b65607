"""Programs: circuits lowered to Pauli rotations."""

from qloom.programs.lowering import cost, lower, lower_states
from qloom.programs.program import Pass, Program, Rotation, Term

__all__ = ["Pass", "Program", "Rotation", "Term", "cost", "lower", "lower_states"]
