"""Layers entangled along the edges of a graph, such as a tree of the strongest dependences in data."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from qloom.checks import checked_count, is_integer
from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError


def edge_entangler(n_qubits: int, edges: Any, n_layers: int = 1) -> Circuit:
    """RY on every qubit, then a controlled RY along every edge: from the lowest qubit outward, then back, in turn.

    Along a tree the outcomes of one layer have every distribution of bits that depend on each other along it: a qubit
    is turned by one angle where its neighbour nearer to the root is 0, and by the sum of two where that is 1. States
    are real.

    Args:
        n_qubits: n.
        edges: pairs of qubits, E of them, as `chow_liu_edges` gives; their directions do not matter.
        n_layers: L, at least 1.

    Shapes: weights "qubits" (L, n) and "edges" (L, E), edges in the order of `outward` in every layer.

    Raises:
        CircuitError: for `n_layers` below 1, or edges that are none or are there twice.

    Source: Liu and Wang 2018, Phys. Rev. A 98, 062324 (entanglers along a Chow-Liu tree).
    """
    n_layers, pairs = checked_count("n_layers", n_layers), outward(n_qubits, edges)
    circuit = Circuit(n_qubits)
    turns = circuit.weights(n_layers, n_qubits, name="qubits")
    controlled = circuit.weights(n_layers, len(pairs), name="edges")
    for layer in range(n_layers):
        for qubit, angle in enumerate(turns[layer]):
            circuit.ry(angle, qubit)
        step = -1 if layer % 2 else 1
        for pair, angle in list(zip(pairs, controlled[layer], strict=True))[::step]:
            circuit.cry(angle, *pair[::step])
    return circuit


def outward(n_qubits: int, edges: Any) -> list[tuple[int, int]]:
    """Edges from the lowest qubit of each connected part outward: all that lead to a qubit before those from it.

    Raises:
        CircuitError: for what are no pairs of different qubits, each once.
    """
    pairs = {_checked_edge(n_qubits, edge) for edge in edges}
    if len(pairs) != len(edges):
        raise CircuitError(f"{len(edges)} edges with {len(pairs)} different ones, expected each once")
    neighbours: list[list[int]] = [[] for _ in range(n_qubits)]
    for a, b in sorted(pairs):
        neighbours[a].append(b)
        neighbours[b].append(a)
    rank = _ranks(neighbours)
    directed = [(a, b) if rank[a] < rank[b] else (b, a) for a, b in pairs]
    return sorted(directed, key=lambda edge: (rank[edge[1]], rank[edge[0]]))


def _checked_edge(n_qubits: int, edge: Any) -> tuple[int, int]:
    ends = tuple(np.asarray(edge, object).ravel())
    if len(ends) != 2 or not all(is_integer(q) and 0 <= q < n_qubits for q in ends) or ends[0] == ends[1]:
        raise CircuitError(f"edge {edge!r}, expected two different qubits of 0 to {n_qubits - 1}")
    return int(min(ends)), int(max(ends))


def _ranks(neighbours: list[list[int]]) -> dict[int, int]:
    """When a breadth-first walk comes to each qubit."""
    rank: dict[int, int] = {}
    for root in range(len(neighbours)):
        waiting = deque([] if root in rank else [root])
        while waiting:
            qubit = waiting.popleft()
            if qubit not in rank:
                rank[qubit] = len(rank)
                waiting.extend(neighbours[qubit])
    return rank
