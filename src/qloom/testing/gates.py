"""The contract of a gate: its redundant facts agree."""

from __future__ import annotations

import numpy as np

from qloom.circuits.gate import Expansion, Gate
from qloom.circuits.gates import pauli_rotation_gate
from qloom.circuits.transfer import transfer_of_kraus, transfer_slope
from qloom.errors import UnsupportedError

# Transfer matrices of more have above a million entries.
MOST_QUBITS_OF_TRANSFERS = 4


def expansion_matrix(expansion: Expansion, n_qubits: int) -> np.ndarray:
    """Product of an expansion's rotations and its phase, (2^k, 2^k)."""
    product = np.eye(2**n_qubits, dtype=complex)
    for letters, angle in expansion.rotations:
        product = pauli_rotation_gate(letters).matrix(angle) @ product
    return product * np.exp(1j * sum(map(float, expansion.phases)))  # type: ignore[arg-type]


def check_gate(gate: Gate, seed: int = 0) -> None:
    """At random angles: the matrix is unitary and equals the expansion, and the inverse undoes it.

    What is not unitary keeps the trace, and has neither of the three. Transfer matrices are those of the operators, at
    one set of angles and at several, and so are their slopes.
    """
    rng = np.random.default_rng(seed)
    for _ in range(5):
        angles = _angles(gate, rng)
        if gate.confusion is not None:
            np.testing.assert_allclose(gate.confusion(*angles).sum(axis=0), 1, atol=1e-12, err_msg=gate.name)
            continue
        _check_transfer(gate, angles)
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


def _angles(gate: Gate, rng: np.random.Generator) -> list[float]:
    """Random ones that the gate takes: rates within their ranges, 0.3 to 3 where these have no end."""
    while True:
        drawn = rng.uniform(-7, 7, gate.n_angles)
        for k, rate in enumerate(gate.rates):
            drawn[k] = rng.uniform(rate.low, rate.high) if np.isfinite(rate.high) else rng.uniform(0.3, 3)
        if len(gate.rates) > 2:
            drawn[: len(gate.rates)] *= rng.uniform() ** 2 if all(np.isfinite(r.high) for r in gate.rates) else 1
        if gate.fault(*drawn) is None:
            return drawn.tolist()


def _check_transfer(gate: Gate, angles: list[float]) -> None:
    if gate.n_qubits > MOST_QUBITS_OF_TRANSFERS:
        return
    transfer = gate.transfer(*angles)
    truth = transfer_of_kraus(gate.operators)(*angles)
    np.testing.assert_allclose(transfer, truth, atol=1e-12, err_msg=f"{gate.name}: transfer matrix")
    rows = gate.transfer(*(np.array([angle, angle]) for angle in angles))
    np.testing.assert_allclose(np.broadcast_to(rows, (2, *truth.shape))[1], truth, atol=1e-12, err_msg=gate.name)
    for k in range(gate.n_angles):
        up, down = ([a + (j == k) * step for j, a in enumerate(angles)] for step in (1e-6, -1e-6))
        central = (gate.transfer(*up) - gate.transfer(*down)) / 2e-6
        slope = transfer_slope(gate.transfer, angles, k)
        np.testing.assert_allclose(slope, central, atol=1e-5 * max(1.0, np.abs(slope).max()), err_msg=gate.name)
