"""Circuits of real gates whose matrices are orthogonal: designed, without coupling, and random."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from qloom.circuits import Circuit


def ry_cz(n_qubits: int, n_layers: int, couple: bool) -> Circuit:
    """L layers of RY on every qubit, CZ on neighbours between them, in turn on even and odd pairs: L n angles.

    Source: Koike-Akino et al. 2025, Quantum-PEFT (arXiv 2503.05431), of RY and CZ.
    """
    circuit = Circuit(n_qubits)
    angles = circuit.weights(n_layers, n_qubits)
    for layer in range(n_layers):
        for qubit in range(n_qubits):
            circuit.ry(angles[layer, qubit], qubit)
        if couple and layer < n_layers - 1:
            for qubit in range(layer % 2, n_qubits - 1, 2):
                circuit.cz(qubit, qubit + 1)
    return circuit


def pauli(n_qubits: int, n_layers: int, couple: bool) -> Circuit:
    """L layers of RY on every qubit and rotations about Y Z on neighbours, even and odd pairs in turn.

    Without coupling the latter are rotations about Y.
    """
    pairs = [[(q, q + 1) for q in range(layer % 2, n_qubits - 1, 2)] for layer in range(n_layers)]
    circuit = Circuit(n_qubits)
    angles = iter(circuit.weights(n_layers * n_qubits + sum(map(len, pairs))))
    for layer in range(n_layers):
        for qubit in range(n_qubits):
            circuit.ry(next(angles), qubit)
        for first, second in pairs[layer]:
            if couple:
                circuit.pauli_rotation(next(angles), "YZ", (first, second))
            else:
                circuit.ry(next(angles), first)
    return circuit


def random_rotations(n_qubits: int, n_rotations: int, seed: int) -> Circuit:
    """Rotations about Pauli words drawn evenly among those with an odd number of Y, whose rotations are real."""
    rng = np.random.default_rng(seed)
    circuit = Circuit(n_qubits)
    for angle in circuit.weights(n_rotations):
        letters = rng.choice(list("IXYZ"), n_qubits)
        while (letters == "Y").sum() % 2 == 0:
            letters = rng.choice(list("IXYZ"), n_qubits)
        kept = np.flatnonzero(letters != "I")
        circuit.pauli_rotation(angle, "".join(letters[kept]), [int(qubit) for qubit in kept])
    return circuit


ROTATIONS: dict[str, Callable[[int, int, bool], Circuit]] = {"ry-cz": ry_cz, "pauli": pauli}


@lru_cache(maxsize=256)
def orthogonal_circuit(
    n_qubits: int, n_layers: int, rotations: str, entangle: bool, random_seed: int | None
) -> Circuit:
    """The circuit of an adapter; a random one has as many angles as the designed one."""
    designed = ROTATIONS[rotations](n_qubits, n_layers, entangle)
    return designed if random_seed is None else random_rotations(n_qubits, designed.n_weights, random_seed)


def qubits_for(width: int) -> int:
    """n with 2^n amplitudes for a width, at least 1."""
    return max(1, (width - 1).bit_length())
