"""Hybrid angle encoding: 2^k - 1 features on k qubits as angles of a tree of controlled rotations."""

from __future__ import annotations

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit


def hybrid_angle(n_features: int, block_qubits: int = 4) -> Circuit:
    """Blocks of k qubits that take 2^k - 1 features each: RY of each qubit, turned differently by the qubits before it.

    Between angle encoding, one feature a qubit, and amplitude encoding, 2^n amplitudes whose norm must be 1: the
    features are the angles of the rotations that would prepare such amplitudes, so any will do.

    Args:
        n_features: F; missing ones of the last block are 0.
        block_qubits: k, at least 1.

    Shapes: inputs (B, F), radians.

    Raises:
        CircuitError: for `n_features` or `block_qubits` below 1.

    Source: Hur, Kim, Park 2022, Quantum Machine Intelligence 4, 3, section 3 (hybrid angle encoding).
    """
    n_features, k = checked_count("n_features", n_features), checked_count("block_qubits", block_qubits)
    n_blocks = -(-n_features // (2**k - 1))
    circuit = Circuit(n_blocks * k)
    angles = [*circuit.inputs(n_features), *[0.0] * (n_blocks * (2**k - 1) - n_features)]
    for b in range(n_blocks):
        _append_block(circuit, angles[b * (2**k - 1) : (b + 1) * (2**k - 1)], list(range(b * k, (b + 1) * k)))
    return circuit


def _append_block(circuit: Circuit, angles: list, qubits: list[int]) -> None:
    """Angle 0 turns the first qubit, 1 and 2 the second where the first is 0 and 1, the next 2^q each qubit q."""
    circuit.ry(angles[0], qubits[0])
    if len(qubits) > 1:
        first, second = qubits[:2]
        circuit.x(first).cry(angles[1], first, second).x(first).cry(angles[2], first, second)
    for q in range(2, len(qubits)):
        for step in range(2**q):
            # A multiplexer in Gray code: the bit that changes names the control, the nearest qubit first.
            changed = min((step + 1 & -(step + 1)).bit_length(), q)
            circuit.ry(angles[2**q - 1 + step], qubits[q]).cx(qubits[q - changed], qubits[q])
