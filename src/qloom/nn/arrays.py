"""Tensors into the engines and out of them; no copy where none is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.engines.base import DifferentiableEvaluator
from qloom.engines.batch import MOST_NUMBERS, Batch, check_amplitudes, check_memory, starts_from_inputs
from qloom.errors import UnsupportedError

# The native engine reads tensors as they are through this table; with older versions of torch they go as numpy arrays.
_READABLE = hasattr(Tensor, "__dlpack_c_exchange_api__")


def forward(evaluator: Any, inputs: Tensor, weights: Tensor, keep: bool) -> tuple[Tensor, Any]:
    """Values (B, O) at inputs (B, I) and weights (W,) or (B, W), and what spares the backward walk the forward one."""
    evaluator = placed(evaluator, inputs)
    if _reads_tensors(evaluator, inputs) and _needs_no_check(evaluator):
        n_samples, n_outputs = inputs.shape[0], evaluator.n_outputs
        if n_samples * n_outputs > MOST_NUMBERS and inputs.is_cpu:
            check_memory(inputs.itemsize * n_samples * n_outputs, f"{n_samples} samples of {n_outputs} outputs")
        values = inputs.new_empty((n_samples, n_outputs))
        return values, evaluator.forward_into(values, _plain(inputs), _plain(weights), keep)
    batch = Batch(as_array(inputs), as_array(weights), single=False)
    if not evaluator.any_norm:
        check_amplitudes(evaluator.circuit, batch)
    array, kept = evaluator.forward(batch, keep)
    return torch.from_numpy(array).to(inputs.device), kept


def backward(
    evaluator: Any, inputs: Tensor, weights: Tensor, cotangents: Tensor, kept: Any,
    wants: tuple[bool, bool],
) -> tuple[Tensor | None, Tensor | None]:  # fmt: skip
    """Derivatives (B, I) and (W,) or (B, W) of sum(cotangents * values); None where not wanted."""
    evaluator = placed(evaluator, inputs)
    if _reads_tensors(evaluator, inputs):
        inputs, weights = _plain(inputs), _plain(weights)
        d_inputs = torch.empty_like(inputs) if wants[0] else None
        d_weights = torch.empty_like(weights) if wants[1] else None
        evaluator.backward_into(d_inputs, d_weights, inputs, weights, _plain(cotangents), kept)
        return d_inputs, d_weights
    batch = Batch(as_array(inputs), as_array(weights), single=False)
    d_x, d_w = (
        None if found is None else torch.from_numpy(found).to(inputs.device)
        for found in evaluator.backward(batch, as_array(cotangents), kept, wants)
    )
    return d_x, d_w


def placed(evaluator: Any, like: Tensor) -> Any:
    """The evaluator that runs where a tensor is. On the CPU that is the one that was prepared, wherever it runs.

    Raises:
        UnsupportedError: where there is none.
    """
    if like.is_cpu:
        return evaluator
    if like.device.type != "cuda":
        raise UnsupportedError(f"tensors are on {like.device}, expected cpu or a CUDA device; move them with .cpu()")
    if evaluator.elsewhere is None:
        what = type(evaluator).__name__
        raise UnsupportedError(f"tensors are on {like.device}, expected cpu, where {what} was prepared; use .cpu()")
    there = evaluator.elsewhere(str(like.device))
    there.trained = evaluator.trained
    if there.slopes is not None:
        there.slopes.go_on_from(evaluator.slopes)
    return there


def _reads_tensors(evaluator: DifferentiableEvaluator, like: Tensor) -> bool:
    if not evaluator.reads_tensors or evaluator.device != like.device.type:
        return False
    return _READABLE or evaluator.marks_norms  # those of a device ask for the tensors' addresses alone


def _needs_no_check(evaluator: DifferentiableEvaluator) -> bool:
    """Whether no norms of amplitudes are to be looked at."""
    return evaluator.any_norm or evaluator.marks_norms or not starts_from_inputs(evaluator.circuit)


def _plain(tensor: Tensor) -> Tensor:
    """The tensor with its numbers one after the other in memory, as they are."""
    return tensor.contiguous().resolve_neg()


def as_array(tensor: Tensor) -> np.ndarray:
    """Its numbers as an array, copied where they are on a device."""
    return _plain(tensor.detach()).numpy(force=True)
