"""Multiscale entanglement renormalization: a tree whose levels begin with blocks across its branches."""

from __future__ import annotations

from qloom.ansatze.blocks import two_qubit_block
from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError


def mera(n_qubits: int, block: str | Circuit = "ttn") -> Circuit:
    """At each level a block on neighbours of different pairs, then one on each pair, whose second qubit goes on.

    Args:
        n_qubits: n, a power of two, at least 2. Measure qubit n - 1.
        block: a name of `BLOCKS`, or a circuit of two qubits, W_b weights; each place has weights of its own.

    Shapes: weights ((2 n - 2 - log2 n) W_b,), level by level.

    Raises:
        CircuitError: for an `n_qubits` that is no power of two, or a block that is none.

    Source: Vidal 2008, Phys. Rev. Lett. 101, 110501; as a classifier, Grant et al. 2018, npj Quantum Information 4, 65.
    """
    if checked_count("n_qubits", n_qubits, least=2) & (n_qubits - 1):
        raise CircuitError(f"n_qubits={n_qubits}, expected a power of two, so that every level has whole pairs")
    level, made, circuit = list(range(n_qubits)), two_qubit_block(block), Circuit(n_qubits)
    while len(level) > 1:
        for start in (1, 0):  # disentanglers, then the tree
            for pair in zip(level[start::2], level[start + 1 :: 2], strict=False):
                circuit.place(made, pair, circuit.weights(made.n_weights))
        level = level[1::2]
    return circuit
