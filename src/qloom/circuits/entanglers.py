"""Patterns of qubit pairs for two-qubit gates."""

from __future__ import annotations

from itertools import combinations

from qloom.errors import CircuitError

Pairs = list[tuple[int, int]]


def entangler_pairs(pattern: str, n_qubits: int) -> Pairs:
    """Pairs of a pattern: "linear", "ring", "full", "brick" (even pairs, then odd ones) or "none"."""
    line = [(q, q + 1) for q in range(n_qubits - 1)]
    patterns: dict[str, Pairs] = {
        "none": [],
        "linear": line,
        "ring": ring_pairs(n_qubits),
        "full": list(combinations(range(n_qubits), 2)),
        "brick": line[::2] + line[1::2],
    }
    if pattern not in patterns:
        raise CircuitError(f"entangler={pattern!r}, expected one of {', '.join(patterns)}")
    return patterns[pattern]


def ring_pairs(n_qubits: int, distance: int = 1) -> Pairs:
    """(q, q + distance) around the ring; a single pair for two qubits, none for one."""
    if n_qubits < 3:
        return [(q, q + 1) for q in range(n_qubits - 1)]
    return [(q, (q + distance) % n_qubits) for q in range(n_qubits)]
