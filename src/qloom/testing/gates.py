"""The contract of a gate: its redundant facts agree."""

from __future__ import annotations

import numpy as np

from qloom.circuits.gate import Expansion, Gate
from qloom.circuits.gates import pauli_rotation_gate
from qloom.errors import UnsupportedError


def expansion_matrix(expansion: Expansion, n_qubits: int) -> np.ndarray:
    """Product of an expansion's rotations and its phase, (2^k, 2^k)."""
    product = np.eye(2**n_qubits, dtype=complex)
    for letters, angle in expansion.rotations:
        product = pauli_rotation_gate(letters).matrix(angle) @ product
    return product * np.exp(1j * sum(map(float, expansion.phases)))  # type: ignore[arg-type]


def check_gate(gate: Gate, seed: int = 0) -> None:
    """At random angles: the matrix is unitary and equals the expansion, and the inverse undoes it.

    What is not unitary keeps the trace, and has neither of the three.
    """
    rng = np.random.default_rng(seed)
    for _ in range(5):
        angles = rng.uniform(-7, 7, gate.n_angles).tolist()
        total = sum(np.asarray(one).conj().T @ one for one in gate.operators(*angles))
        np.testing.assert_allclose(total, np.eye(2**gate.n_qubits), atol=1e-12, err_msg=f"{gate.name}: operators")
        if not gate.is_unitary:
            for refused in (gate.matrix, gate.expansion, gate.inverse):
                np.testing.assert_raises(UnsupportedError, refused, *angles)
            continue
        matrix = gate.matrix(*angles)
        identity = np.eye(2**gate.n_qubits)
        assert matrix.shape == identity.shape, f"{gate.name}: matrix has shape {matrix.shape}"
        np.testing.assert_allclose(matrix.conj().T @ matrix, identity, atol=1e-12, err_msg=f"{gate.name}: not unitary")
        expanded = expansion_matrix(gate.expansion(*angles), gate.n_qubits)
        np.testing.assert_allclose(expanded, matrix, atol=1e-12, err_msg=f"{gate.name}: expansion")
        inverse, inverse_angles = gate.inverted(angles)
        undone = inverse.matrix(*inverse_angles) @ matrix
        np.testing.assert_allclose(undone, identity, atol=1e-12, err_msg=f"{gate.name}: inverse")
