"""Layers of a model exchanged for smaller ones, by an error or by a size."""

from __future__ import annotations

import copy as copying
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, TypeVar

import torch
from torch import nn

from qloom.checks import is_integer, is_real
from qloom.compression.candidates import Candidate, candidates
from qloom.compression.compression import CompressedLayer, Compression
from qloom.compression.layers import CompressedLinear
from qloom.compression.linear import matrix_of
from qloom.compression.outputs import output_errors
from qloom.compression.targets import find_layers, put, shares_weight
from qloom.compression.tensor_train import TensorTrainLinear
from qloom.errors import ConfigError

FORMS = ("tensor-train", "svd")
Model = TypeVar("Model", bound=nn.Module)
# Bonds share an error by its square root, so that beyond 1 cuts still grow; here all are cut to bond dimension 1.
_LARGEST_ERROR = 16.0


def compress(
    model: nn.Module,
    targets: str | Sequence[str] = "all-linear",
    *,
    error: float | None = None,
    parameters: float | None = None,
    form: str = "tensor-train",
    n_axes: int | None = None,
    calibration: Iterable[Any] | None = None,
    copy: bool = False,
) -> Compression:
    """Write linear layers of a model as tensor trains, or in low rank.

    Every layer may lose the same share of its matrix's norm, so that each gets the bond dimensions it needs. A layer
    that would not become smaller stays as it is, and so does one whose widths have no such axes or whose weight
    another module has too.

    Args:
        model: changed in place.
        targets: endings of names, or "all-linear" for all but what answers.
        error: what each matrix may lose of its Frobenius norm, at least 0 and below 1.
        parameters: instead, what is to be left of the layers' parameters altogether, between 0 and 1; the least error
            at which they fit is found.
        form: "tensor-train", or "svd" for two factors of low rank, the classical control.
        n_axes: cores of a tensor train; None takes for each layer what is smallest of 2, 3 and 4.
        calibration: batches for the model, as tensor, tuple or mapping; errors of the layers' outputs on these are
            measured, nothing is chosen by them.
        copy: leave the model as it is and compress a copy.

    Raises:
        ConfigError: for an unknown target or form, numbers out of range, a weight that is not finite, or a share that
            is below what bond dimensions of 1 leave.

    Source: Oseledets 2011, SIAM Journal on Scientific Computing 33, 2295, for the error of a sweep.
    """
    _check(error, parameters, form, n_axes)
    model = copying.deepcopy(model) if copy else model
    before = _count(model)
    choices = [_choose(model, name, layer, form, n_axes) for name, layer in find_layers(model, targets).items()]
    if not choices:
        raise ConfigError(f"targets={targets!r} leaves no layer of {type(model).__name__}, expected one; name some")
    allowed = _common_error(choices, float(parameters)) if parameters is not None else float(error or 0.0)
    built = {choice.name: choice.build(allowed) for choice in choices}
    made = {choice.layer: new for choice in choices if (new := built[choice.name]) is not None}
    measured = {} if calibration is None else output_errors(model, made, calibration)
    rows = tuple(choice.described(built[choice.name], measured.get(choice.layer)) for choice in choices)
    for old, new in made.items():
        put(model, old, new)
    return Compression(model, rows, allowed, before, _count(model))


def to_dense(model: Model) -> Model:
    """Give compressed layers back as ordinary ones, equal to rounding; the model is changed in place."""
    for layer in [module for module in model.modules() if isinstance(module, CompressedLinear)]:
        put(model, layer, layer.dense())
    return model


@dataclass(frozen=True)
class _Choice:
    """A layer, the ways to write it, and why there are none."""

    name: str
    layer: Any
    ways: list[Candidate]
    reason: str

    @property
    def n_before(self) -> int:
        return _count(self.layer)

    def best(self, error: float) -> Candidate | None:
        """The smallest way, if it is smaller than the layer is."""
        best = min(self.ways, key=lambda way: way.n_weights(error), default=None)
        return best if best is not None and best.n_weights(error) < self.layer.weight.numel() else None

    def n_parameters(self, error: float) -> int:
        best = self.best(error)
        if best is None:
            return self.n_before
        return self.n_before - self.layer.weight.numel() + best.n_weights(error)

    def build(self, error: float) -> CompressedLinear | None:
        best = self.best(error)
        return None if best is None else best.build(error)

    def described(self, made: CompressedLinear | None, output_error: float | None) -> CompressedLayer:
        matrix = matrix_of(self.layer).double()
        out_features, in_features = matrix.shape
        row = CompressedLayer(
            self.name, out_features, in_features, form="dense", parameters_before=self.n_before,
            parameters=self.n_before, note=self.reason or "it would not get smaller",
        )  # fmt: skip
        if made is None:
            return row
        with torch.no_grad():
            lost = float((matrix - made.matrix().double()).norm())
        axes = (made.out_axes, made.in_axes) if isinstance(made, TensorTrainLinear) else ((), ())
        return replace(
            row, form=made.form()["form"], parameters=made.n_parameters, out_axes=axes[0], in_axes=axes[1],
            bonds=made.bonds, error=lost / (float(matrix.norm()) or 1.0), output_error=output_error, note="",
        )  # fmt: skip


def _choose(model: nn.Module, name: str, layer: Any, form: str, n_axes: int | None) -> _Choice:
    if layer.weight.is_meta:
        raise ConfigError(f"layer {name} has no numbers yet (device meta), expected weights; load the model first")
    if not torch.isfinite(layer.weight).all():
        raise ConfigError(f"the weight of layer {name} holds NaN or infinity, expected finite numbers")
    if (other := shares_weight(model, layer)) is not None:
        return _Choice(name, layer, [], f"{other} has the same weight")
    ways = candidates(layer, form, n_axes)
    out_features, in_features = matrix_of(layer).shape
    count = "2" if n_axes is None else str(n_axes)
    return _Choice(
        name, layer, ways, "" if ways else f"{out_features} x {in_features} have no {count} axes above 1 each"
    )


def _common_error(choices: Sequence[_Choice], share: float) -> float:
    """The least error, by bisection, at which the layers have this share of their parameters."""
    whole = sum(choice.n_before for choice in choices)

    def size(error: float) -> int:
        return sum(choice.n_parameters(error) for choice in choices)

    least = size(_LARGEST_ERROR)
    if least > share * whole:
        shown = ceil(1e4 * least / whole) / 1e4
        raise ConfigError(
            f"parameters={share:g}, expected at least {shown:g}, which bond dimensions of 1 and layers that "
            f"stay dense leave of these {len(choices)} layers"
        )
    low, high = 0.0, _LARGEST_ERROR
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if size(middle) <= share * whole else (middle, high)
    return high


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _check(error: Any, parameters: Any, form: str, n_axes: Any) -> None:
    if (error is None) == (parameters is None):
        raise ConfigError(f"error={error!r} and parameters={parameters!r}, expected one of them; leave the other out")
    if error is not None and not (is_real(error) and 0 <= error < 1):
        raise ConfigError(f"error={error!r}, expected a number of at least 0 and below 1")
    if parameters is not None and not (is_real(parameters) and 0 < parameters < 1):
        raise ConfigError(f"parameters={parameters!r}, expected a share between 0 and 1")
    if form not in FORMS:
        raise ConfigError(f"form={form!r}, expected one of {', '.join(map(repr, FORMS))}")
    if n_axes is not None and not (is_integer(n_axes) and n_axes >= 2):
        raise ConfigError(f"n_axes={n_axes!r}, expected an integer of at least 2, or None")
    if n_axes is not None and form == "svd":
        raise ConfigError(f"n_axes={n_axes} with form='svd', expected none; axes are of tensor trains")
