"""Marginal distributions of wide IQP circuits: exact given the strings of the other qubits, and averaged over these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from qloom.models.generative.iqp.exact import even_outcomes
from qloom.models.generative.words import Words, walsh


def drawn_marginal(
    gates: Words, angles: np.ndarray, qubits: Sequence[int], symmetric: bool, n_strings: int,
    generator: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """The distribution of k qubits, float64 (2^k,).

    A string of the others turns the signs of angles; the k qubits are then in a pure state of their own.
    """
    masks, outside, angles = _split(gates, angles, list(qubits))
    size, k = 1 << len(qubits), len(qubits)
    total, even = np.zeros(size), even_outcomes(k)
    others = np.setdiff1d(np.arange(gates.n_qubits), qubits)
    for _ in range(n_strings):
        bits = np.zeros(gates.n_qubits, np.int64)
        bits[others] = generator.integers(0, 2, len(others))
        phases = walsh(np.bincount(masks, (1 - 2 * (outside @ bits % 2)) * angles, size))
        started = np.ones(size) if not symmetric else np.sqrt(2) * (even if bits.sum() % 2 == 0 else 1 - even)
        total += walsh(started * np.cos(phases)) ** 2 + walsh(started * np.sin(phases)) ** 2
    return total / (n_strings * size**2)


def _split(gates: Words, angles: np.ndarray, qubits: list[int]) -> tuple[np.ndarray, csr_array, np.ndarray]:
    """Of the gates that touch some qubits: their masks on these, the others they act on (G', n), and their angles."""
    places = np.zeros(gates.n_qubits, np.int64)
    places[qubits] = 1 << np.arange(len(qubits) - 1, -1, -1)
    gate = np.repeat(np.arange(len(gates)), np.diff(gates.starts))
    masks = np.bincount(gate, places[gates.qubits], len(gates)).astype(np.int64)
    outer = places[gates.qubits] == 0
    shape = (len(gates), gates.n_qubits)
    outside = csr_array((np.ones(outer.sum(), np.int64), (gate[outer], gates.qubits[outer])), shape)
    touched = np.flatnonzero(masks)
    return masks[touched], outside[touched], angles[touched]
