"""Circuits: gates on qubits with angle slots."""

from qloom.circuits.circuit import Amplitudes, Circuit, Operation
from qloom.circuits.conditions import Condition, condition_on, conditional_gate
from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES
from qloom.circuits.parameters import Angle

__all__ = [
    "GATES",
    "Amplitudes",
    "Angle",
    "Circuit",
    "Condition",
    "Gate",
    "Operation",
    "condition_on",
    "conditional_gate",
]
