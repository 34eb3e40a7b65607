"""Random layers: rotations about random axes on random qubits, CNOTs between."""

from __future__ import annotations

import numpy as np

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError


def random_layers(
    n_qubits: int, n_layers: int, n_rotations: int | None = None, entangling_share: float = 0.3, seed: int = 0
) -> Circuit:
    """RX, RY or RZ on a random qubit, with CX on random pairs between, drawn once from the seed.

    Args:
        n_qubits: n.
        n_layers: L, at least 1; each is drawn anew.
        n_rotations: R a layer, at least 1; n by default.
        entangling_share: of the gates that are CX, from 0 to below 1; none on one qubit.
        seed: of the gates; the angles are weights.

    Shapes: weights (L, R).

    Raises:
        CircuitError: for numbers below 1, or a share of 1 and more.

    Source: McClean et al. 2018, Nature Communications 9, 4812.
    """
    n_layers, circuit = checked_count("n_layers", n_layers), Circuit(n_qubits)
    n_rotations = checked_count("n_rotations", n_qubits if n_rotations is None else n_rotations)
    if not 0 <= entangling_share < 1:
        raise CircuitError(f"entangling_share={entangling_share!r}, expected at least 0 and below 1")
    random = np.random.default_rng(seed)
    for angle in circuit.weights(n_layers, n_rotations).flat:
        while n_qubits > 1 and random.random() < entangling_share:
            circuit.cx(*random.choice(n_qubits, 2, replace=False).tolist())
        circuit.append(str(random.choice(("rx", "ry", "rz"))), (angle,), (int(random.integers(n_qubits)),))
    return circuit
