"""Random inputs: what circuits are measured at where no data are given."""

from __future__ import annotations

import numpy as np

from qloom.circuits import Circuit
from qloom.engines.batch import starts_from_inputs


def random_inputs(circuit: Circuit, n_samples: int, random: np.random.Generator) -> np.ndarray:
    """Angles uniform in [-pi, pi]; initial amplitudes, where they are inputs, of norm 1 in a random direction.

    Shapes: (B, I).
    """
    inputs = random.uniform(-np.pi, np.pi, (n_samples, circuit.n_inputs))
    if circuit.initial is not None and starts_from_inputs(circuit):
        starts = [start for start in (circuit.initial.real, circuit.initial.imaginary) if start is not None]
        columns = np.concatenate([np.arange(start, start + 2**circuit.n_qubits) for start in starts])
        amplitudes = random.normal(size=(n_samples, len(columns)))
        inputs[:, columns] = amplitudes / np.linalg.norm(amplitudes, axis=1, keepdims=True)
    return inputs
