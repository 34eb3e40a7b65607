"""The one bridge between torch's autograd and the engines: arrays cross it once down and once up a step.

It leads three ways: here in eager mode, in `transforms` under torch.func, in `operators` under torch.compile and
torch.export.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from qloom.engines.base import DifferentiableEvaluator
from qloom.nn.arrays import backward, forward
from qloom.nn.transforms import Pullback, evaluate_transformed, is_batched, pull_back_batch


def evaluate(inputs: Tensor, weights: Tensor, evaluator: DifferentiableEvaluator) -> Tensor:
    """Values (B, O) of a prepared circuit, differentiable in inputs (B, I) and weights (W,) or (B, W)."""
    if torch._C._are_functorch_transforms_active():
        return evaluate_transformed(inputs, weights, evaluator)
    keep = torch.is_grad_enabled() and (inputs.requires_grad or weights.requires_grad)
    return _apply(inputs, weights, evaluator, keep)


# A compiler may merge two equal calls, which for measured values differ. Unlike torch.compiler.disable this does not
# import the compiler before it is needed.
evaluate_outside_graphs = torch._disable_dynamo(evaluate)


class _Evaluate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weights: Tensor, evaluator: DifferentiableEvaluator, keep: bool) -> Tensor:
        values, ctx.kept = forward(evaluator, inputs, weights, keep)
        ctx.save_for_backward(inputs, weights)
        ctx.evaluator = evaluator
        return values

    @staticmethod
    def backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weights = ctx.saved_tensors
        wants = ctx.needs_input_grad[:2]
        if torch.is_grad_enabled():  # create_graph: autograd must meet the refusal of second derivatives
            d_inputs, d_weights = Pullback.apply(inputs, weights, cotangents, ctx.evaluator, wants)
            return d_inputs if wants[0] else None, d_weights if wants[1] else None, None, None
        if is_batched(cotangents):
            return *pull_back_batch(inputs, weights, cotangents, ctx.evaluator, wants), None, None
        # Used once, then let go; a second walk back runs forward again, to the same bits.
        kept, ctx.kept = ctx.kept, None
        return *backward(ctx.evaluator, inputs, weights, cotangents, kept, wants), None, None


# Function.apply without its question for torch.func, which `evaluate` has just put.
_apply = super(torch.autograd.Function, _Evaluate).apply
