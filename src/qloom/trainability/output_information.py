"""Fisher information of what a circuit gives out, where that is less than all bit strings."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits import Circuit
from qloom.engines import Batch, Engine
from qloom.engines.outputs import as_outputs
from qloom.errors import CircuitError
from qloom.gradients import jacobians, prepare_gradient

# Outcomes less likely than this are none but for rounding: their derivative is 0 too.
_NO_OUTCOME = 1e-14


class OutputInformation:
    """Of outcomes of some qubits, sum_b d_i p_b d_j p_b / p_b; of expectation values, which stand for numbers with
    noise of variance 1, sum_o d_i f_o d_j f_o.

    Args:
        circuit: with weights.
        observables: Pauli sums, "probabilities" or `Probabilities`.
        engine: gives exact values.

    Raises:
        CircuitError: for a state, which is nothing that is measured.
    """

    def __init__(self, circuit: Circuit, observables: Any, engine: Engine | None = None):
        outputs = as_outputs(circuit, observables)
        if not outputs.is_measured:
            raise CircuitError("a state is not measured, expected Pauli sums or probabilities as observables")
        self.are_probabilities = outputs.kind == "probabilities"
        self.evaluator = prepare_gradient(circuit, outputs, engine)

    def __call__(self, batch: Batch) -> np.ndarray:
        """The mean over rows that share their weights. Shapes: (W, W)."""
        slopes = jacobians(self.evaluator, batch, (False, True))[1]
        assert slopes is not None
        if self.are_probabilities:
            likely = self.evaluator.values(batch)[..., None]
            slopes = np.divide(slopes, np.sqrt(likely), out=np.zeros_like(slopes), where=likely > _NO_OUTCOME)
        flat = slopes.reshape(-1, slopes.shape[-1])
        return flat.T @ flat / batch.size
