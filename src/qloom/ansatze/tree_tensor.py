"""Tree tensor network: blocks on pairs, then on one qubit of each pair, down to one qubit."""

from __future__ import annotations

from qloom.ansatze.blocks import two_qubit_block
from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit


def tree_tensor(n_qubits: int, block: str | Circuit = "ttn") -> Circuit:
    """A block with weights of its own on each pair; the second qubit of a pair goes on, the last one is measured.

    Args:
        n_qubits: n, at least 2; an odd qubit out waits for the next level. Measure qubit n - 1.
        block: a name of `BLOCKS`, or a circuit of two qubits, W_b weights.

    Shapes: weights ((n - 1) W_b,), level by level.

    Raises:
        CircuitError: for fewer than 2 qubits, or a block that is none.

    Source: Grant et al. 2018, npj Quantum Information 4, 65.
    """
    level, made = list(range(checked_count("n_qubits", n_qubits, least=2))), two_qubit_block(block)
    circuit = Circuit(n_qubits)
    while len(level) > 1:
        # From the end, so that the last qubit is in the last block.
        waiting = level[: len(level) % 2]
        pairs = list(zip(level[len(waiting) :: 2], level[len(waiting) + 1 :: 2], strict=True))
        for pair in pairs:
            circuit.place(made, pair, circuit.weights(made.n_weights))
        level = waiting + [second for _, second in pairs]
    return circuit
