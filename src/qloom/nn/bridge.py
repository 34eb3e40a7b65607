"""The one bridge between torch's autograd and the engines: arrays cross it once down and once up a step.

Two faces of the same two functions: autograd.Functions for eager mode and torch.func, operators for torch.compile.
"""

from __future__ import annotations

from itertools import count
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from qloom.engines.base import AdjointEvaluator
from qloom.engines.batch import Batch, check_amplitudes
from qloom.errors import UnsupportedError

Wants = tuple[bool, bool]


def evaluate(inputs: Tensor, weights: Tensor, evaluator: AdjointEvaluator, handle: int) -> Tensor:
    """Values (B, O) of a prepared circuit, differentiable in inputs (B, I) and weights (W,) or (B, W)."""
    if torch.compiler.is_compiling() and evaluator.deterministic:
        return _evaluate_operator(inputs, weights, handle, evaluator.n_outputs)
    return _evaluate_eagerly(inputs, weights, evaluator)


# A compiler may merge two equal calls, which for measured values differ: those stay outside its graphs.
@torch.compiler.disable
def _evaluate_eagerly(inputs: Tensor, weights: Tensor, evaluator: AdjointEvaluator) -> Tensor:
    wanted = torch.is_grad_enabled() and (inputs.requires_grad or weights.requires_grad)
    return _Evaluate.apply(inputs, weights, evaluator, _Kept() if wanted else None)


class _Kept:
    """Carries what the forward walk kept to the backward one of the same call."""

    array: np.ndarray | None = None


def _batch(inputs: Tensor, weights: Tensor) -> Batch:
    return Batch(_array(inputs), _array(weights), single=False)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().resolve_neg().numpy()


class _Evaluate(torch.autograd.Function):
    @staticmethod
    def forward(inputs: Tensor, weights: Tensor, evaluator: AdjointEvaluator, kept: _Kept | None) -> Tensor:
        batch = _batch(inputs, weights)
        check_amplitudes(evaluator.circuit, batch)
        values, array = evaluator.forward(batch, keep=kept is not None)
        if kept is not None:
            kept.array = array
        return torch.from_numpy(values)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.evaluator, ctx.kept = inputs[2:]

    @staticmethod
    def backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
        wants = tuple(ctx.needs_input_grad[:2])
        d_inputs, d_weights = _Pullback.apply(*ctx.saved_tensors, cotangents, ctx.evaluator, ctx.kept, wants)
        return d_inputs if wants[0] else None, d_weights if wants[1] else None, None, None

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:
        raise UnsupportedError(
            "forward-mode derivatives through a QuantumLayer are not available, expected reverse mode; "
            "use torch.func.jacrev instead of jacfwd or hessian"
        )

    @staticmethod
    def vmap(info: Any, dims: tuple[Any, ...], inputs: Tensor, weights: Tensor, evaluator: Any, kept: Any) -> Any:
        x, w = _folded(info.batch_size, dims, inputs, weights)
        values = _Evaluate.apply(x, w, evaluator, None)
        return values.unflatten(0, (info.batch_size, -1)), 0


class _Pullback(torch.autograd.Function):
    @staticmethod
    def forward(
        inputs: Tensor,
        weights: Tensor,
        cotangents: Tensor,
        evaluator: AdjointEvaluator,
        kept: _Kept | None,
        wants: Wants,
    ) -> tuple[Tensor, Tensor]:
        array = None
        if kept is not None:  # used once, then let go; a second walk back runs forward again, to the same bits
            array, kept.array = kept.array, None
        gradients = evaluator.backward(_batch(inputs, weights), _array(cotangents), array, wants)
        d_inputs, d_weights = (inputs.new_empty(0) if g is None else torch.from_numpy(g) for g in gradients)
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
        kept: Any, wants: Wants,
    ) -> Any:  # fmt: skip
        n, per_sample = info.batch_size, weights.dim() - (dims[1] is not None) == 2
        x, w = _folded(n, dims, inputs, weights)
        if w.dim() == 1:
            w = w.expand(len(x), -1)
        g = _with_front(cotangents, dims[2], n).flatten(0, 1)
        d_inputs, d_weights = _Pullback.apply(x, w, g, evaluator, None, wants)
        d_inputs = d_inputs.unflatten(0, (n, -1)) if wants[0] else d_inputs.expand(n, 0)
        d_weights = d_weights.unflatten(0, (n, -1)) if wants[1] else d_weights.expand(n, 0)
        return (d_inputs, d_weights if per_sample or not wants[1] else d_weights.sum(dim=1)), (0, 0)


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
def _evaluate_operator(inputs: Tensor, weights: Tensor, handle: int, n_outputs: int) -> Tensor:
    batch = _batch(inputs, weights)
    check_amplitudes(_EVALUATORS[handle].circuit, batch)
    return torch.from_numpy(_EVALUATORS[handle].values(batch))


@_evaluate_operator.register_fake
def _(inputs: Tensor, weights: Tensor, handle: int, n_outputs: int) -> Tensor:
    return inputs.new_empty(inputs.shape[0], n_outputs)


@torch.library.custom_op("qloom::pullback", mutates_args=())
def _pullback_operator(
    inputs: Tensor, weights: Tensor, cotangents: Tensor, handle: int, want_inputs: bool, want_weights: bool
) -> tuple[Tensor, Tensor]:
    wants = (want_inputs, want_weights)
    gradients = _EVALUATORS[handle].backward(_batch(inputs, weights), _array(cotangents), None, wants)
    d_inputs, d_weights = (inputs.new_empty(0) if g is None else torch.from_numpy(g) for g in gradients)
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


_evaluate_operator.register_autograd(_operator_backward, setup_context=_setup_operator)
