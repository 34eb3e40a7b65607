"""Two-qubit blocks by name, the parts of convolutions and trees."""

from __future__ import annotations

from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import find_gate
from qloom.errors import CircuitError

BLOCKS = {
    "ttn": "ry a, ry b, cx ab",
    "u5": "rx a, rx b, rz a, rz b, crz ba, crz ab, rx a, rx b, rz a, rz b",
    "u6": "rx a, rx b, rz a, rz b, crx ba, crx ab, rx a, rx b, rz a, rz b",
    "u9": "h a, h b, cz ab, rx a, rx b",
    "u13": "ry a, ry b, crz ba, ry a, ry b, crz ab",
    "u14": "ry a, ry b, crx ba, ry a, ry b, crx ab",
    "u15": "ry a, ry b, cx ba, ry a, ry b, cx ab",
    "so4": "ry a, ry b, cx ab, ry a, ry b, cx ab, ry a, ry b",
    "su4": "u a, u b, cx ab, ry a, rz b, cx ba, ry a, cx ab, u a, u b",
    "pooling": "crz ab, x a, crx ab",
}
"""Gates of each block by name, on qubits a and b; each gate takes new weights for its angles.

All but "pooling" are convolutions of 2 to 15 weights.

Source: Hur, Kim, Park 2022, Quantum Machine Intelligence 4, 3 (arXiv 2108.00661), figure 2.
"""


def two_qubit_block(block: str | Circuit) -> Circuit:
    """A block of BLOCKS by name; a circuit of two qubits without inputs is one already.

    Shapes: weights (W,), in order of the gates.

    Raises:
        CircuitError: for an unknown name, or another kind of circuit.

    Source: Hur, Kim, Park 2022, Quantum Machine Intelligence 4, 3.
    """
    if isinstance(block, Circuit):
        if (block.n_qubits, block.n_inputs, block.initial) != (2, 0, None):
            raise CircuitError(f"block {block!r}, expected a circuit of 2 qubits without inputs")
        return block
    if block not in BLOCKS:
        raise CircuitError(f"block={block!r}, expected a circuit of 2 qubits or one of {', '.join(BLOCKS)}")
    circuit = Circuit(2)
    for word in BLOCKS[block].split(", "):
        gate, letters = word.split()
        circuit.append(gate, circuit.weights(find_gate(gate).n_angles), ["ab".index(letter) for letter in letters])
    return circuit
