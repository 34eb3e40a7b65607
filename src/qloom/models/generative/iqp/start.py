"""Angles that a training of an IQP circuit begins with, from means and covariances of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from qloom.models.generative.iqp.circuit import IQPCircuit
from qloom.models.generative.words import Words

# Shares of the covariances that first angles of pairs may be.
PAIR_SCALES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.1)


def first_angles(gates: Words, bits: np.ndarray, pair_scale: float) -> np.ndarray:
    """Arcsin sqrt(mean) on single bits, scaled covariances on pairs, 0 on all others. Shapes: bits (N, n) -> (G,)."""
    sizes, starts = np.diff(gates.starts), gates.starts[:-1]
    angles, means = np.zeros(len(gates)), bits.mean(axis=0)
    angles[sizes == 1] = np.arcsin(np.sqrt(means))[gates.qubits[starts[sizes == 1]]]
    first, second = (gates.qubits[starts[sizes == 2] + k] for k in (0, 1))
    rows = bits.astype(np.float32)
    covariances = rows.T @ rows / len(bits) - np.outer(means, means)
    angles[sizes == 2] = pair_scale * covariances[first, second]
    return angles


def start_best(circuit: IQPCircuit, bits: np.ndarray, objective: Any, batches: Sequence[Any]) -> None:
    """Give a circuit the first angles, of `PAIR_SCALES`, of the least loss over batches, the same for every scale."""
    means, pairs = (torch.from_numpy(first_angles(circuit.gates, bits, scale)) for scale in (0.0, 1.0))
    found = dict[float, float]()
    with torch.no_grad():
        for scale in PAIR_SCALES:
            circuit.weights.copy_(means + scale * (pairs - means))
            found[scale] = sum(float(objective(circuit, batch)) for batch in batches)
        circuit.weights.copy_(means + min(found, key=found.__getitem__) * (pairs - means))
