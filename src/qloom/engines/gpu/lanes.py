"""Lanes of noise on a device: samples of one program, some of whose rotations turn the other way."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.circuits.circuit import Circuit
from qloom.engines.gpu.evaluator import GpuEvaluator
from qloom.engines.gpu.machine import Machine


class GpuLanes:
    """What trajectories ask of a `StatevectorEvaluator`: arrays of numpy, copied to the device and back."""

    def __init__(self, circuit: Circuit, program: Any, native: Any, n_outputs: int, machine: Machine):
        self.program, self.trained = program, None
        self._evaluator = GpuEvaluator(circuit, program, native, n_outputs, machine)

    def forward_into(self, values: np.ndarray, inputs: Any, weights: Any, keep: bool, flips: Any = None) -> Any:
        """Fill `values` (B, O) and give back what spares `backward_into` the walk forward."""
        there = self._evaluator.there
        found = there(inputs).new_empty(values.shape)
        kept = self._evaluator.forward_into(found, there(inputs), there(weights), keep, self._flips(flips))
        values[...] = found.numpy(force=True)
        return kept

    def backward_into(
        self, d_inputs: Any, d_weights: Any, inputs: Any, weights: Any, cotangents: Any, kept: Any, flips: Any = None
    ) -> None:
        """Fill `d_inputs` and `d_weights`, shaped as inputs and weights; None is not wanted."""
        there = self._evaluator.there
        self._evaluator.trained = self.trained
        x, w = there(inputs), there(weights)
        d_x = None if d_inputs is None else torch.empty_like(x)
        d_w = None if d_weights is None else torch.empty_like(w)
        self._evaluator.backward_into(d_x, d_w, x, w, there(cotangents), kept, self._flips(flips))
        for out, slopes in ((d_inputs, d_x), (d_weights, d_w)):
            if slopes is not None:
                out[...] = slopes.numpy(force=True)

    def bytes_needed(self, n_samples: int, itemsize: int, states: int, outputs: int) -> int:
        """On the host: none. The device is asked when a call begins."""
        return 0

    def _flips(self, flips: np.ndarray | None) -> Tensor | None:
        return None if flips is None else self._evaluator.there(flips.view(np.int64))
