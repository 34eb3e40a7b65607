"""What a circuit is made of: operations, and the state they start from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qloom.circuits.gate import Gate
from qloom.circuits.parameters import Angle


@dataclass(frozen=True, slots=True)
class Operation:
    """One gate on its qubits with its angles.

    Args:
        gate: of as many qubits and angles.
        qubits: different ones, in the order that the gate takes.
        angles: numbers, inputs or weights.
    """

    gate: Gate
    qubits: tuple[int, ...]
    angles: tuple[Angle, ...] = ()


@dataclass(frozen=True, slots=True)
class Amplitudes:
    """An initial state given by its 2^n amplitudes: fixed numbers, or inputs from column `real` and `imaginary` on.

    Args:
        real: first input column of the real parts; None for a fixed state.
        imaginary: first input column of the imaginary parts; None for real amplitudes.
        values: the fixed state, one complex number a basis state.
    """

    real: int | None = None
    imaginary: int | None = None
    values: tuple[complex, ...] | None = None

    def shifted(self, n_inputs: int) -> Amplitudes:
        """The same state when n_inputs columns stand before its own."""
        move = lambda column: None if column is None else column + n_inputs  # noqa: E731
        return replace(self, real=move(self.real), imaginary=move(self.imaginary))
