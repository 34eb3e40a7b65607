"""Tensors as the arrays that cross to the engines; no copy where none is needed."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from qloom.circuits.circuit import Circuit
from qloom.engines.batch import Batch, check_amplitudes


def as_array(tensor: Tensor) -> np.ndarray:
    """A contiguous array of a tensor's numbers."""
    return tensor.detach().contiguous().resolve_neg().numpy()


def as_batch(inputs: Tensor, weights: Tensor, circuit: Circuit) -> Batch:
    """Inputs (B, I) and weights (W,) or (B, W) of a circuit."""
    batch = Batch(as_array(inputs), as_array(weights), single=False)
    check_amplitudes(circuit, batch)
    return batch
