"""T gates of a circuit: its rotations by multiples of pi/4 are exact, all others are approximated."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError
from qloom.observables import Word
from qloom.programs import SOURCES, flat_gates, make_frame, pull_back

# What O(log log 1/eps) of Ross and Selinger comes to at precisions from 1e-4 to 1e-16.
_ALLOWANCE = 4
_EXACT = 1e-9  # radians within which an angle is a multiple of pi/4


@dataclass(frozen=True)
class RotationCount:
    """What is left of a circuit once its Clifford gates are taken into the frame.

    Attributes:
        t_gates: rotations by odd multiples of pi/4, one T gate each.
        rotations: by other angles, or by inputs and weights.
    """

    t_gates: int
    rotations: int


def count_rotations(circuit: Circuit) -> RotationCount:
    """The Pauli rotations of a circuit; those by multiples of pi/2 are Clifford gates and cost none.

    Returns:
        `t_gates`, rotations by odd multiples of pi/4, and `rotations` by other angles, or by inputs and weights.

    Raises:
        UnsupportedError: for a circuit with gates that are not unitary.
    """
    words: list[Word] = []
    rotations, _ = pull_back(flat_gates(circuit), words, make_frame(circuit.n_qubits, False))
    fixed = rotations.source == SOURCES.index("number")
    eighths = rotations.offset / (np.pi / 4)
    exact = fixed & (np.abs(eighths - np.round(eighths)) < _EXACT)
    odd = np.round(eighths).astype(np.int64) % 2 == 1
    return RotationCount(int((exact & odd).sum()), int((~exact).sum()))


def t_gates_per_rotation(precision: float) -> int:
    """T gates that bring one rotation to a distance of `precision` in operator norm: 3 log2(1 / precision) and some.

    Raises:
        CircuitError: for a precision that is not between 0 and 1.

    Source: Ross and Selinger 2016, Quantum Information and Computation 16, 901: 3 log2(1/eps) + O(log log 1/eps) for
    typical angles; the second term is taken as 4.
    """
    if not 0 < precision < 1:
        raise CircuitError(f"precision={precision!r}, expected a number between 0 and 1")
    return ceil(3 * log2(1 / precision)) + _ALLOWANCE
