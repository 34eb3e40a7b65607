"""Evaluation as custom operators, which torch.compile and torch.export can carry in a graph.

No Python object can go through a graph. In a compiled one, which lives in this process, a number stands for the
evaluator: a tensor, so that graphs of different layers can be one, with a second tensor whose shape tells the sizes.
An exported one holds the circuit itself, as text.
"""

from __future__ import annotations

from secrets import randbits
from typing import Any, Optional
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from qloom.engines.base import DifferentiableEvaluator
from qloom.errors import ArtifactError
from qloom.nn.arrays import backward, forward
from qloom.nn.documents import evaluator_of

_EVALUATORS: WeakValueDictionary[int, DifferentiableEvaluator] = WeakValueDictionary()

# Which evaluator runs is a number that is read in each call: a CUDA graph would go on with the one of its recording.
_OUTSIDE_GRAPHS: dict[str, Any] = (
    {"tags": [torch.Tag.cudagraph_unsafe]} if hasattr(torch.Tag, "cudagraph_unsafe") else {}
)


class GraphKey:
    """What stands for an evaluator in compiled graphs, while it lives.

    Attributes:
        number: random, so that no other process takes it for one of its own; int64 ().
        sizes: of inputs and outputs, (I, O, 0).
    """

    def __init__(self, evaluator: DifferentiableEvaluator):
        number = randbits(63)
        _EVALUATORS[number] = evaluator
        # On the CPU, whatever device layers are made on: reading it waits for nothing.
        self.number = torch.tensor(number, device="cpu")
        self.sizes = torch.empty(evaluator.circuit.n_inputs, evaluator.n_outputs, 0, device="cpu")


def _find(number: Tensor | None, document: str) -> DifferentiableEvaluator:
    if number is None:
        return evaluator_of(document)
    try:
        return _EVALUATORS[int(number)]
    except KeyError:
        raise ArtifactError(
            "a compiled graph calls a QuantumLayer that is gone or of another process; compile the model again, or "
            "use torch.export to keep it"
        ) from None


# Optional, not `|`: older versions of torch read the operators' schema from these.
@torch.library.custom_op("qloom::evaluate", mutates_args=(), **_OUTSIDE_GRAPHS)
def evaluate_in_graph(
    inputs: Tensor,
    weights: Tensor,
    number: Optional[Tensor],  # noqa: UP045
    sizes: Optional[Tensor],  # noqa: UP045
    document: str,
) -> Tensor:
    """Values (B, O): of a live evaluator by its number, or of an exported one by its document."""
    return forward(_find(number, document), inputs, weights, keep=False)[0]


@evaluate_in_graph.register_fake
def _(inputs: Tensor, weights: Tensor, number: Tensor | None, sizes: Tensor | None, document: str) -> Tensor:
    return inputs.new_empty(inputs.shape[0], evaluator_of(document).n_outputs if sizes is None else sizes.shape[1])


@torch.library.custom_op("qloom::pullback", mutates_args=(), **_OUTSIDE_GRAPHS)
def _pullback_operator(
    inputs: Tensor,
    weights: Tensor,
    cotangents: Tensor,
    number: Optional[Tensor],  # noqa: UP045
    document: str,
    want_inputs: bool,
    want_weights: bool,
) -> tuple[Tensor, Tensor]:
    wants = (want_inputs, want_weights)
    gradients = backward(_find(number, document), inputs, weights, cotangents, None, wants)
    d_inputs, d_weights = (inputs.new_empty(0) if g is None else g for g in gradients)
    return d_inputs, d_weights


@_pullback_operator.register_fake
def _(
    inputs: Tensor, weights: Tensor, cotangents: Tensor, number: Tensor | None, document: str, want_inputs: bool,
    want_weights: bool,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    return (
        inputs.new_empty(inputs.shape if want_inputs else (0,)),
        weights.new_empty(weights.shape if want_weights else (0,)),
    )


def _setup_operator(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    inputs_, weights, number, _, ctx.document = inputs
    ctx.save_for_backward(inputs_, weights, *(() if number is None else (number,)))


def _operator_backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
    inputs, weights, *number = ctx.saved_tensors
    wants = ctx.needs_input_grad[:2]
    d_inputs, d_weights = _pullback_operator(
        inputs, weights, cotangents, number[0] if number else None, ctx.document, *wants
    )
    return d_inputs if wants[0] else None, d_weights if wants[1] else None, None, None, None


evaluate_in_graph.register_autograd(_operator_backward, setup_context=_setup_operator)
