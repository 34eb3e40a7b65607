"""Evaluation as custom operators, which torch.compile can carry in a graph."""

from __future__ import annotations

from itertools import count
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from qloom.engines.base import AdjointEvaluator
from qloom.nn.arrays import backward, forward

# torch.compile cannot carry a Python object through a graph, so there an evaluator goes by a number. The number of
# outputs goes along, since compiled graphs are cached on disk and found again by processes that count otherwise.
_EVALUATORS: WeakValueDictionary[int, AdjointEvaluator] = WeakValueDictionary()
_numbers = count()


def register(evaluator: AdjointEvaluator) -> int:
    """A number that stands for the evaluator in compiled graphs, while it lives."""
    handle = next(_numbers)
    _EVALUATORS[handle] = evaluator
    return handle


@torch.library.custom_op("qloom::evaluate", mutates_args=())
def evaluate_compiled(inputs: Tensor, weights: Tensor, handle: int, n_outputs: int) -> Tensor:
    """Values (B, O) of the evaluator registered under a number."""
    return forward(_EVALUATORS[handle], inputs, weights, keep=False)[0]


@evaluate_compiled.register_fake
def _(inputs: Tensor, weights: Tensor, handle: int, n_outputs: int) -> Tensor:
    return inputs.new_empty(inputs.shape[0], n_outputs)


@torch.library.custom_op("qloom::pullback", mutates_args=())
def _pullback_operator(
    inputs: Tensor, weights: Tensor, cotangents: Tensor, handle: int, want_inputs: bool, want_weights: bool
) -> tuple[Tensor, Tensor]:
    wants = (want_inputs, want_weights)
    gradients = backward(_EVALUATORS[handle], inputs, weights, cotangents, None, wants)
    d_inputs, d_weights = (inputs.new_empty(0) if g is None else g for g in gradients)
    return d_inputs, d_weights


@_pullback_operator.register_fake
def _(
    inputs: Tensor, weights: Tensor, cotangents: Tensor, handle: int, want_inputs: bool, want_weights: bool
) -> tuple[Tensor, Tensor]:
    return (
        inputs.new_empty(inputs.shape if want_inputs else (0,)),
        weights.new_empty(weights.shape if want_weights else (0,)),
    )


def _setup_operator(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.handle = inputs[2]


def _operator_backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
    wants = ctx.needs_input_grad[:2]
    d_inputs, d_weights = _pullback_operator(*ctx.saved_tensors, cotangents, ctx.handle, *wants)
    return d_inputs if wants[0] else None, d_weights if wants[1] else None, None, None


evaluate_compiled.register_autograd(_operator_backward, setup_context=_setup_operator)
