"""Initial states of a circuit; the functions are its methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qloom.checks import check_norm
from qloom.circuits.operations import Amplitudes
from qloom.circuits.parameters import Angle, slot_array
from qloom.circuits.synthesis import unitary_gate
from qloom.errors import CircuitError

if TYPE_CHECKING:
    from qloom.circuits.circuit import Circuit


def prepare_basis(circuit: Circuit, bits: str | Sequence[int]) -> Circuit:
    """Start in a basis state such as "0101".

    Args:
        bits: n of them, qubit 0 first.

    Raises:
        CircuitError: for other bits, or after gates or another initial state.
    """
    known = {"0": 0, "1": 1}
    values = [known.get(str(bit), -1) for bit in bits] if isinstance(bits, Iterable) else []
    if len(values) != circuit.n_qubits or -1 in values:
        raise CircuitError(f"basis state {bits!r}, expected {circuit.n_qubits} bits, each 0 or 1")
    _require_start(circuit, "prepare_basis")
    for qubit, bit in enumerate(values):
        if bit:
            circuit.append("x", (), (qubit,))
    return circuit


def prepare_product(circuit: Circuit, vectors: np.ndarray) -> Circuit:
    """Start in a product of one-qubit states, vectors (n, 2), complex, each of norm 1.

    Raises:
        CircuitError: for vectors of another shape or norm, or after gates or another initial state.
    """
    try:
        vectors = np.asarray(vectors, dtype=complex)
    except (TypeError, ValueError):
        raise CircuitError(f"product state {str(vectors)[:60]!r}, expected ({circuit.n_qubits}, 2) numbers") from None
    if vectors.shape != (circuit.n_qubits, 2):
        raise CircuitError(f"product state has shape {vectors.shape}, expected ({circuit.n_qubits}, 2)")
    for vector in vectors:
        check_norm(vector)
    _require_start(circuit, "prepare_product")
    for qubit, (a, b) in enumerate(vectors):
        circuit.append(unitary_gate(np.array([[a, -np.conj(b)], [b, np.conj(a)]])), (), (qubit,))
    return circuit


def prepare_amplitudes(circuit: Circuit, real: Any, imaginary: Any = None) -> Circuit:
    """Start in a state given by its amplitudes.

    Each sample's amplitudes must have norm 1; gradients flow to them.

    Args:
        real: 2^n input slots, taken in one call to `inputs`, that hold the (real parts of the) amplitudes of each
            sample; or 2^n numbers, complex ones too, for a fixed state.
        imaginary: 2^n further input slots for the imaginary parts.

    Raises:
        CircuitError: for other numbers or slots, a fixed state whose norm is not 1, or after gates or another initial
            state.
    """
    _require_start(circuit, "prepare_amplitudes")
    real = np.asarray(real)
    if real.dtype != object:
        if imaginary is not None:
            raise CircuitError("amplitudes given as numbers and imaginary too, expected complex numbers alone")
        vector = real.astype(complex)
        if vector.shape != (2**circuit.n_qubits,):
            raise CircuitError(f"amplitudes have shape {vector.shape}, expected ({2**circuit.n_qubits},)")
        check_norm(vector)
        circuit.initial = Amplitudes(values=tuple(vector.tolist()))
    else:
        first = _first_column(circuit, real)
        second = None if imaginary is None else _first_column(circuit, imaginary)
        if second is not None and abs(first - second) < 2**circuit.n_qubits:
            raise CircuitError("real and imaginary parts share input slots, expected slots of their own")
        circuit.initial = Amplitudes(first, second)
    return circuit


def _first_column(circuit: Circuit, slots: Any) -> int:
    flat = np.asarray(slots, dtype=object).ravel()
    first = flat[0].index if len(flat) and isinstance(flat[0], Angle) else 0
    own = first + len(flat) <= circuit.n_inputs
    if not own or len(flat) != 2**circuit.n_qubits or list(flat) != list(slot_array("input", first, (len(flat),))):
        raise CircuitError(
            f"amplitudes need {2**circuit.n_qubits} consecutive unscaled input slots of this circuit, "
            f"got {len(flat)} slots; use circuit.inputs({2**circuit.n_qubits})"
        )
    return int(first)


def _require_start(circuit: Circuit, what: str) -> None:
    if circuit.operations or circuit.initial is not None:
        raise CircuitError(f"{what} comes after gates or another initial state, expected it first")
