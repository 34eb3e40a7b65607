"""Evaluation under torch.func: vmap's dimension is folded into the batch, which the engines take anyway.

So are batches of cotangents: autograd's `is_grads_batched` maps over them in a way of its own, older than torch.func.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch._functorch.pyfunctorch import temporarily_pop_interpreter_stack

from qloom.engines.base import DifferentiableEvaluator
from qloom.errors import UnsupportedError
from qloom.nn.arrays import backward, forward

Wants = tuple[bool, bool]
_functorch: Any = torch._C._functorch

# In force while autograd maps over batches of cotangents.
_MAPPING, _BATCHED = (torch._C._parse_dispatch_key(key) or key for key in ("VmapMode", "Batched"))


class TransformedEvaluate(torch.autograd.Function):
    """Values (B, O), for vmap, grad and jacrev in any order."""

    @staticmethod
    def forward(inputs: Tensor, weights: Tensor, evaluator: DifferentiableEvaluator) -> Tensor:
        return forward(evaluator, inputs, weights, keep=False)[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.evaluator = inputs[2]

    @staticmethod
    def backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
        wants = tuple(ctx.needs_input_grad[:2])
        d_inputs, d_weights = Pullback.apply(*ctx.saved_tensors, cotangents, ctx.evaluator, wants)
        return d_inputs if wants[0] else None, d_weights if wants[1] else None, None

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:
        raise UnsupportedError(
            "forward-mode derivatives through a QuantumLayer are not available, expected reverse mode; "
            "use torch.func.jacrev instead of jacfwd or hessian"
        )

    @staticmethod
    def vmap(info: Any, dims: tuple[Any, ...], inputs: Tensor, weights: Tensor, evaluator: Any) -> Any:
        return _evaluate_folded(info.batch_size, dims, inputs, weights, evaluator), 0


def evaluate_transformed(inputs: Tensor, weights: Tensor, evaluator: DifferentiableEvaluator) -> Tensor:
    """Values (B, O) under transforms. One vmap and nothing else, as trainings side by side have it, goes a short way:
    what `autograd.Function` asks for transforms in any order takes ten times as long as a small circuit.
    """
    innermost = _functorch.peek_interpreter_stack()
    if innermost.level() != 1 or innermost.key() != _functorch.TransformType.Vmap:
        return TransformedEvaluate.apply(inputs, weights, evaluator)
    (x, w), dims = zip(*(_functorch._unwrap_batched(tensor, 1) for tensor in (inputs, weights)), strict=True)
    if dims == (None, None):
        return TransformedEvaluate.apply(inputs, weights, evaluator)
    size = next(tensor.shape[dim] for tensor, dim in zip((x, w), dims, strict=True) if dim is not None)
    with temporarily_pop_interpreter_stack():
        values = _evaluate_folded(size, dims, x, w, evaluator)
    return _functorch._add_batch_dim(values, 0, 1)


def _evaluate_folded(n: int, dims: tuple[Any, ...], inputs: Tensor, weights: Tensor, evaluator: Any) -> Tensor:
    """Values (n, B, O), below vmap."""
    from qloom.nn.bridge import evaluate  # which leads here; without transforms it keeps states for the walk back

    x, w = _folded(n, dims, inputs, weights)
    return evaluate(x, w, evaluator).unflatten(0, (n, -1))


class Pullback(torch.autograd.Function):
    """Derivatives of sum(cotangents * values); an end of the line for autograd."""

    @staticmethod
    def forward(
        inputs: Tensor,
        weights: Tensor,
        cotangents: Tensor,
        evaluator: DifferentiableEvaluator,
        wants: Wants,
    ) -> tuple[Tensor, Tensor]:
        gradients = backward(evaluator, inputs, weights, cotangents, None, wants)
        d_inputs, d_weights = (inputs.new_empty(0) if g is None else g for g in gradients)
        return d_inputs, d_weights

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise UnsupportedError(
            "second derivatives through a QuantumLayer are not available, expected one backward pass; "
            "leave create_graph out, or take differences of gradients"
        )

    @staticmethod
    def vmap(
        info: Any, dims: tuple[Any, ...], inputs: Tensor, weights: Tensor, cotangents: Tensor, evaluator: Any,
        wants: Wants,
    ) -> Any:  # fmt: skip
        n, per_sample = info.batch_size, weights.dim() - (dims[1] is not None) == 2
        x, w = _folded(n, dims, inputs, weights)
        if w.dim() == 1:
            w = w.expand(len(x), -1)
        g = _with_front(cotangents, dims[2], n).flatten(0, 1)
        d_inputs, d_weights = Pullback.apply(x, w, g, evaluator, wants)
        d_inputs = d_inputs.unflatten(0, (n, -1)) if wants[0] else d_inputs.expand(n, 0)
        d_weights = d_weights.unflatten(0, (n, -1)) if wants[1] else d_weights.expand(n, 0)
        return (d_inputs, d_weights if per_sample or not wants[1] else d_weights.sum(dim=1)), (0, 0)


def is_batched(cotangents: Tensor) -> bool:
    """Whether autograd gives a batch of them (`is_grads_batched`, `jacobian(vectorize=True)`)."""
    mapping = torch._C._dispatch_tls_is_dispatch_key_included(_MAPPING)
    return mapping and torch._C._dispatch_keys(cotangents).has(_BATCHED)


def pull_back_batch(
    inputs: Tensor, weights: Tensor, cotangents: Tensor, evaluator: DifferentiableEvaluator, wants: Wants
) -> tuple[Tensor | None, Tensor | None]:
    """Derivatives for each of a batch of cotangents, all in one walk."""
    level = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    many = torch._remove_batch_dim(cotangents, level, 1, 0)  # (N, B, O)
    info = SimpleNamespace(batch_size=len(many))
    (d_inputs, d_weights), _ = Pullback.vmap(info, (None, None, 0), inputs, weights, many, evaluator, wants)
    return (
        torch._add_batch_dim(d_inputs, 0, level) if wants[0] else None,
        torch._add_batch_dim(d_weights, 0, level) if wants[1] else None,
    )


def _with_front(tensor: Tensor, dim: int | None, size: int) -> Tensor:
    return tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)


def _folded(n: int, dims: tuple[Any, ...], inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """vmap's dimension folded into the batch: inputs (n B, I), weights (W,) or (n B, W)."""
    x = _with_front(inputs, dims[0], n)
    if dims[1] is not None or weights.dim() == 2:
        w = _with_front(weights, dims[1], n)
        w = w if w.dim() == 3 else w.unsqueeze(1).expand(-1, x.shape[1], -1)
        weights = w.flatten(0, 1)
    return x.flatten(0, 1), weights
