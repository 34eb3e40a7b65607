"""Numbers into amplitudes by few gates, with the error: layers of two-qubit gates from matrix product states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.errors import ShapeError

# More numbers would take minutes on every layer.
MOST_QUBITS = 24


@dataclass(frozen=True)
class PreparedState:
    """A circuit whose amplitudes, times a scale, are numbers such as the weights or activations of a layer.

    Attributes:
        circuit: from |0>, without inputs; (n - 1) L gates on neighbours.
        scale: that brings the amplitudes nearest to the numbers; complex if these are.
        error: |numbers - scale * amplitudes| / |numbers|, from 0 to 1; what spills into the padding counts.
        numbers: what the circuit holds, scale * amplitudes, in the shape of the numbers it stands for.
    """

    circuit: Circuit
    scale: complex
    error: float
    numbers: np.ndarray


def matrix_product(numbers: Any, n_layers: int = 1) -> PreparedState:
    """Prepare numbers as amplitudes by L staircases of two-qubit gates.

    Each layer prepares the state of bond dimension 2 nearest to what is left, and is undone before the next. Smooth or
    structured numbers need few layers, random ones exponentially many in n; the error tells.

    Args:
        numbers: real or complex, of any shape, flattened in C order and padded with zeros to 2^n of them.
        n_layers: L, at least 1.

    Raises:
        ShapeError: if all numbers are 0, some are not finite, or there are more than 2^24.
        CircuitError: for `n_layers` below 1.

    Source: Ran 2020, Phys. Rev. A 101, 032310.
    """
    values = np.asarray(numbers)
    values = values.astype(np.result_type(values, np.float64))
    n_layers, n_qubits = checked_count("n_layers", n_layers), max(2, (values.size - 1).bit_length())
    norm = float(np.linalg.norm(values)) if values.size else 0.0
    if not np.isfinite(norm) or norm == 0 or n_qubits > MOST_QUBITS:
        raise ShapeError(
            f"numbers of shape {values.shape} and norm {norm:g}, expected 1 to 2^{MOST_QUBITS} finite ones, not all 0"
        )
    left = np.zeros(2**n_qubits, values.dtype)
    left[: values.size] = values.ravel() / norm
    layers = []
    for _ in range(n_layers):
        layers.append(_staircase(left, n_qubits))
        for qubit, gate in enumerate(layers[-1]):
            left = _apply(gate.conj().T, left, qubit)
    circuit, amplitudes = Circuit(n_qubits), np.eye(1, 2**n_qubits, dtype=left.dtype)[0]
    for layer in reversed(layers):
        for qubit in reversed(range(n_qubits - 1)):
            circuit.unitary(layer[qubit], (qubit, qubit + 1))
            amplitudes = _apply(layer[qubit], amplitudes, qubit)
    # What is left were |0> if the circuit's state were the numbers' direction.
    scale, error = norm * left[0], float(np.linalg.norm(left[1:]))
    held = (scale * amplitudes)[: values.size].reshape(values.shape)
    return PreparedState(circuit, complex(scale) if np.iscomplexobj(left) else float(scale), error, held)


def _staircase(state: np.ndarray, n_qubits: int) -> list[np.ndarray]:
    """Gates on (k, k + 1), the last one first, that make of |0> the nearest state of bond dimension 2.

    Singular vectors cut the state from the left, rest = (2 2) x (what is right of it). Read from the right, each gate
    takes the bond, held by its second qubit, to a bond in its first qubit and the value of its second.
    """
    left, singular, right = np.linalg.svd(state.reshape(2, -1), full_matrices=False)
    first, gates = left, []
    for _ in range(n_qubits - 2):
        rest = (singular[:2, None] * right[:2]).reshape(4, -1)
        left, singular, right = np.linalg.svd(rest, full_matrices=False)
        gates.append(_completed(left[:, :2]))
    last = (singular[:2, None] * right[:2]).reshape(4, 1)
    gates.append(_completed(last / np.linalg.norm(last)))
    gates[0] = np.kron(first, np.eye(2)) @ gates[0]
    return gates


def _completed(columns: np.ndarray) -> np.ndarray:
    """A unitary with these first columns."""
    basis = np.linalg.svd(columns)[0]
    return np.hstack([columns, basis[:, columns.shape[1] :]])


def _apply(gate: np.ndarray, state: np.ndarray, qubit: int) -> np.ndarray:
    """A gate on (qubit, qubit + 1)."""
    pairs = state.reshape(2**qubit, 4, -1)
    return np.einsum("ab,ibj->iaj", gate, pairs).reshape(-1)
