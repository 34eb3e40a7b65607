"""Quantum convolutional network: one block on all pairs of a layer, then half of the qubits are pooled away."""

from __future__ import annotations

from itertools import pairwise

from qloom.ansatze.blocks import two_qubit_block
from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError


def convolutional(
    n_qubits: int,
    convolution: str | Circuit = "su4",
    pooling: str | Circuit | None = "pooling",
    n_left: int = 1,
) -> Circuit:
    """Convolution and pooling in turn until few qubits are left, the ones to measure: `pooled_qubits`.

    A convolution puts one block on all neighbours of a ring, the last with the first to begin with. Pooling puts one
    block on pairs, from the qubit that is left out to the one that stays: it stands for measuring the first and turning
    the second by the outcome, put off to the end.

    Args:
        n_qubits: n, at least 2.
        convolution: block of each convolution, W_c weights a layer: a name of `BLOCKS`, or a circuit of two qubits.
        pooling: block of each pooling, W_p weights a layer; None leaves half of the qubits out with nothing done.
        n_left: layers go on while there are more qubits.

    Shapes: weights (L W_c + L W_p,) for L layers: "convolutions" (L, W_c), then "poolings" (L, W_p).

    Raises:
        CircuitError: for fewer than 2 qubits, an `n_left` that is not below `n_qubits`, or a block that is none.

    Source: Cong, Choi, Lukin 2019, Nature Physics 15, 1273; layout of Hur, Kim, Park 2022, arXiv 2108.00661.
    """
    levels = _levels(n_qubits, n_left)
    circuit, block = Circuit(n_qubits), two_qubit_block(convolution)
    pool = Circuit(2) if pooling is None else two_qubit_block(pooling)
    n_layers = len(levels) - 1
    convolutions = circuit.weights(n_layers, block.n_weights, name="convolutions")
    poolings = circuit.weights(n_layers, pool.n_weights, name="poolings")
    for layer, (here, left) in enumerate(pairwise(levels)):
        line = list(pairwise(here))
        for pair in [(here[0], here[-1])] * (len(here) > 2) + line[::2] + line[1::2]:
            circuit.place(block, pair, convolutions[layer])
        out = [qubit for qubit in here if qubit not in left]
        for source, target in zip(out, left, strict=False):
            circuit.place(pool, (source, target), poolings[layer])
    return circuit


def pooled_qubits(n_qubits: int, n_left: int = 1) -> list[int]:
    """The qubits that a convolutional network leaves to be measured.

    Args:
        n_qubits, n_left: as of `convolutional`.
    """
    return _levels(n_qubits, n_left)[-1]


def _levels(n_qubits: int, n_left: int) -> list[list[int]]:
    """Qubits of each layer: the first of each pair stays, of the last two the second, as in the source."""
    levels = [list(range(checked_count("n_qubits", n_qubits, least=2)))]
    if not 1 <= checked_count("n_left", n_left) < n_qubits:
        raise CircuitError(f"n_left={n_left}, expected fewer than the {n_qubits} qubits")
    while len(levels[-1]) > n_left:
        here = levels[-1]
        levels.append(here[1:] if len(here) == 2 else here[::2])
    return levels
