"""Dense matrices of circuits and Pauli words, written out plainly: the truth the tests compare with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qloom.circuits import Angle, Circuit

PAULI = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.array([[1, 0], [0, -1]], complex),
}


def word_matrix(letters: str) -> np.ndarray:
    """Kronecker product of Pauli letters, the first one leftmost."""
    out = np.eye(1, dtype=complex)
    for letter in letters:
        out = np.kron(out, PAULI[letter])
    return out


def rotation_matrix(letters: str, angle: float) -> np.ndarray:
    """exp(-i angle P / 2); P squares to the identity."""
    word = word_matrix(letters)
    return np.cos(angle / 2) * np.eye(len(word)) - 1j * np.sin(angle / 2) * word


def embed(matrix: np.ndarray, qubits: Sequence[int], n_qubits: int) -> np.ndarray:
    """The (2^n, 2^n) matrix of a gate on some of the qubits, qubit 0 the most significant bit."""
    out = np.zeros((2**n_qubits, 2**n_qubits), complex)
    places = [n_qubits - 1 - q for q in qubits]
    for column in range(2**n_qubits):
        inner = sum((column >> place & 1) << (len(places) - 1 - k) for k, place in enumerate(places))
        rest = column & ~sum(1 << place for place in places)
        for row in range(2 ** len(places)):
            bits = sum((row >> (len(places) - 1 - k) & 1) << place for k, place in enumerate(places))
            out[rest | bits, column] += matrix[row, inner]
    return out


def angle_value(angle: Angle | float, inputs: Sequence[float] = (), weights: Sequence[float] = ()) -> float:
    """An angle in radians for one sample's inputs (I,) and weights (W,)."""
    if not isinstance(angle, Angle) or angle.source == "number":
        return float(angle.offset if isinstance(angle, Angle) else angle)
    return angle.scale * (inputs if angle.source == "input" else weights)[angle.index] + angle.offset


def circuit_matrix(circuit: Circuit, inputs: Sequence[float] = (), weights: Sequence[float] = ()) -> np.ndarray:
    """The unitary of a circuit's gates, from the gates' textbook matrices."""
    out = np.eye(2**circuit.n_qubits, dtype=complex)
    for op in circuit.operations:
        matrix = op.gate.matrix(*(angle_value(angle, inputs, weights) for angle in op.angles))
        out = embed(matrix, op.qubits, circuit.n_qubits) @ out
    return out


def equal_up_to_phase(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two unitaries differ by a phase only."""
    return bool(np.isclose(abs(np.vdot(a, b)), len(a), atol=1e-9))
