"""A layer that came over answers as the one it comes from, or is not given: compared on the way, number by number."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.errors import UnsupportedError
from qloom.nn.imported.polynomials import Polynomials
from qloom.nn.imported.tracing import uniform
from qloom.nn.layer import QuantumLayer

# Largest difference, beside the largest value where that is above 1; by the digits that the foreign layer has.
TOLERANCES = {torch.float64: 1e-9, torch.float32: 2e-5}
_ROWS = 3


@dataclass(frozen=True)
class Foreign:
    """A layer of another package as functions of float64 tensors.

    Args:
        name: as messages call it.
        values: of inputs (B, I) and weights (W,): (B, O), in the dtype it calculates in.
        slopes: of inputs (1, I), weights (W,) and cotangents (1, O): the gradient by the weights, (W,); None where the
            package only estimates it.
    """

    name: str
    values: Callable[[Tensor, Tensor], Tensor]
    slopes: Callable[[Tensor, Tensor, Tensor], Tensor] | None


def verified_layer(
    foreign: Foreign,
    circuit: Circuit,
    outputs: Any,
    weights: Tensor,
    engine: Engine | None,
    dtype: torch.dtype,
    polynomials: Polynomials,
) -> QuantumLayer | nn.Sequential:
    """The layer with these weights behind its polynomials, once its values and its gradient are the foreign one's.

    Compared at 3 inputs drawn within a turn by a seed: values at the trained weights and at others, the gradient by the
    weights at the first.

    Raises:
        UnsupportedError: for an engine that measures, or where they differ: in what, and by how much.
    """
    layer = QuantumLayer(circuit, outputs, engine, init=weights.to(dtype), dtype=dtype)
    if not layer.engine.is_exact:
        raise UnsupportedError(
            f"{foreign.name} is verified with exact values, got {layer.engine}; take layer.with_engine(...) afterwards"
        )
    model, generator = polynomials.in_front_of(layer), torch.Generator().manual_seed(2)
    x, others = uniform(polynomials.n_inputs, generator, (_ROWS,)), uniform(len(weights), generator)
    trained = layer.weights.detach().to(torch.float64)
    _check_values(foreign, model, x, trained, "the trained weights")
    _check_values(foreign, model, x, others, "weights drawn by a seed")
    if foreign.slopes is not None and len(weights):
        _check_slopes(foreign, model, x[:1], trained, uniform(layer.n_outputs, generator, (1,)))
    return model


def quantum_layer(model: nn.Module) -> QuantumLayer:
    """The layer of what came over, alone or behind its polynomials."""
    return next(part for part in model.modules() if isinstance(part, QuantumLayer))


def _check_values(foreign: Foreign, model: nn.Module, x: Tensor, weights: Tensor, where: str) -> None:
    theirs, ours = foreign.values(x, weights).detach(), _at(model, weights)(x).detach()
    _check(foreign.name, f"values at {where}", theirs, ours, TOLERANCES[theirs.dtype])


def _check_slopes(foreign: Foreign, model: nn.Module, x: Tensor, weights: Tensor, cotangents: Tensor) -> None:
    assert foreign.slopes is not None
    ours = _at(model, weights)
    ours(x).backward(cotangents)
    theirs, tolerance = foreign.slopes(x, weights, cotangents), TOLERANCES[foreign.values(x, weights).dtype]
    _check(foreign.name, "gradient by the weights", theirs, quantum_layer(ours).weights.grad, tolerance)


def _at(model: nn.Module, weights: Tensor) -> nn.Module:
    copied = deepcopy(model).double()
    quantum_layer(copied).set_weights(weights)
    return copied


def _check(name: str, what: str, theirs: Tensor, ours: Tensor | None, tolerance: float) -> None:
    assert ours is not None
    if theirs.shape != ours.shape:
        raise UnsupportedError(
            f"{name} gives {what} of shape {tuple(theirs.shape)}, as read here {tuple(ours.shape)}: not brought over"
        )
    off = float((theirs.double() - ours).abs().max()) if theirs.numel() else 0.0
    allowed = tolerance * max(1.0, float(ours.abs().max())) if theirs.numel() else tolerance
    if not off <= allowed:  # NaN is not
        raise UnsupportedError(
            f"{name} differs from what was read of it by {off:.2g} in its {what}, expected at most {allowed:.2g}; it "
            "was not brought over"
        )
