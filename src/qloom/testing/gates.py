"""The contract of a gate: its redundant facts agree."""

from __future__ import annotations

import numpy as np

from qloom.circuits.gates import Expansion, Gate, pauli_rotation_gate


def expansion_matrix(expansion: Expansion, n_qubits: int) -> np.ndarray:
    """Product of an expansion's rotations and its phase, (2^k, 2^k)."""
    product = np.eye(2**n_qubits, dtype=complex)
    for letters, angle in expansion.rotations:
        product = pauli_rotation_gate(letters).matrix(angle) @ product
    return product * np.exp(1j * sum(map(float, expansion.phases)))  # type: ignore[arg-type]


def check_gate(gate: Gate, seed: int = 0) -> None:
    """The matrix is unitary and equals the expansion, and the inverse undoes it, at random angles."""
    rng = np.random.default_rng(seed)
    for _ in range(5):
        angles = rng.uniform(-7, 7, gate.n_angles).tolist()
        matrix = gate.matrix(*angles)
        identity = np.eye(2**gate.n_qubits)
        assert matrix.shape == identity.shape, f"{gate.name}: matrix has shape {matrix.shape}"
        np.testing.assert_allclose(matrix.conj().T @ matrix, identity, atol=1e-12, err_msg=f"{gate.name}: not unitary")
        expanded = expansion_matrix(gate.expansion(*angles), gate.n_qubits)
        np.testing.assert_allclose(expanded, matrix, atol=1e-12, err_msg=f"{gate.name}: expansion")
        inverse, inverse_angles = gate.inverted(angles)
        undone = inverse.matrix(*inverse_angles) @ matrix
        np.testing.assert_allclose(undone, identity, atol=1e-12, err_msg=f"{gate.name}: inverse")
