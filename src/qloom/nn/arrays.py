"""Tensors into the engines and out of them; no copy where none is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.engines.base import DifferentiableEvaluator
from qloom.engines.batch import MOST_NUMBERS, Batch, check_amplitudes, check_memory, starts_from_inputs

# The native engine reads tensors as they are through this table; with older versions of torch they go as numpy arrays.
_READABLE = hasattr(Tensor, "__dlpack_c_exchange_api__")


def forward(evaluator: Any, inputs: Tensor, weights: Tensor, keep: bool) -> tuple[Tensor, Any]:
    """Values (B, O) at inputs (B, I) and weights (W,) or (B, W), and what spares the backward walk the forward one."""
    if _reads_tensors(evaluator) and (evaluator.any_norm or not starts_from_inputs(evaluator.circuit)):
        n_samples, n_outputs = inputs.shape[0], evaluator.n_outputs
        if n_samples * n_outputs > MOST_NUMBERS:
            check_memory(inputs.itemsize * n_samples * n_outputs, f"{n_samples} samples of {n_outputs} outputs")
        values = inputs.new_empty((n_samples, n_outputs))
        return values, evaluator.forward_into(values, _plain(inputs), _plain(weights), keep)
    batch = Batch(_as_array(inputs), _as_array(weights), single=False)
    if not evaluator.any_norm:
        check_amplitudes(evaluator.circuit, batch)
    array, kept = evaluator.forward(batch, keep)
    return torch.from_numpy(array), kept


def backward(
    evaluator: Any, inputs: Tensor, weights: Tensor, cotangents: Tensor, kept: Any,
    wants: tuple[bool, bool],
) -> tuple[Tensor | None, Tensor | None]:  # fmt: skip
    """Derivatives (B, I) and (W,) or (B, W) of sum(cotangents * values); None where not wanted."""
    if _reads_tensors(evaluator):
        inputs, weights = _plain(inputs), _plain(weights)
        d_inputs = torch.empty_like(inputs) if wants[0] else None
        d_weights = torch.empty_like(weights) if wants[1] else None
        evaluator.backward_into(d_inputs, d_weights, inputs, weights, _plain(cotangents), kept)
        return d_inputs, d_weights
    batch = Batch(_as_array(inputs), _as_array(weights), single=False)
    d_x, d_w = evaluator.backward(batch, _as_array(cotangents), kept, wants)
    return None if d_x is None else torch.from_numpy(d_x), None if d_w is None else torch.from_numpy(d_w)


def _reads_tensors(evaluator: DifferentiableEvaluator) -> bool:
    return _READABLE and evaluator.reads_tensors


def _plain(tensor: Tensor) -> Tensor:
    """The tensor with its numbers one after the other in memory, as they are."""
    return tensor.contiguous().resolve_neg()


def _as_array(tensor: Tensor) -> np.ndarray:
    return _plain(tensor.detach()).numpy()
