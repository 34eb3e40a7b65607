"""What a compression did, layer by layer: sizes, bond dimensions, errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from torch import nn


@dataclass(frozen=True)
class CompressedLayer:
    """A layer that was asked for.

    Attributes:
        name: in the model.
        out_features, in_features: of its matrix.
        form: "tensor-train", "svd", or "dense" for one that stays as it was.
        parameters_before, parameters: numbers in it, with the bias.
        out_axes, in_axes: of a tensor train.
        bonds: bond dimensions; the rank of a low-rank one.
        error: the Frobenius norm of what its matrix lost, as a share of its norm.
        output_error: the same of its outputs on calibration batches; None without.
        note: why it stays dense.
    """

    name: str
    out_features: int
    in_features: int
    form: str
    parameters_before: int
    parameters: int
    out_axes: tuple[int, ...] = ()
    in_axes: tuple[int, ...] = ()
    bonds: tuple[int, ...] = ()
    error: float = 0.0
    output_error: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Compression:
    """A compressed model and what it cost.

    Attributes:
        model: the one given, or its copy.
        layers: all that were asked for.
        error: what every layer was allowed to lose; found, where a share of parameters was asked for.
        model_parameters_before, model_parameters: of the whole model.
    """

    model: nn.Module
    layers: tuple[CompressedLayer, ...]
    error: float
    model_parameters_before: int
    model_parameters: int

    @property
    def parameters_before(self) -> int:
        """Numbers that the layers had before, with biases."""
        return sum(layer.parameters_before for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Numbers that the layers have now, with biases."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def share(self) -> float:
        """What is left of the layers' parameters."""
        return self.parameters / self.parameters_before

    def rows(self) -> list[dict[str, Any]]:
        """The table as plain data, a row a layer."""
        return [asdict(layer) for layer in self.layers]

    def __str__(self) -> str:
        """The table as plain text, of any width."""
        text = StringIO()
        Console(file=text, width=10_000, no_color=True, legacy_windows=False).print(self.__rich__())
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def __rich__(self) -> Group:
        measured = any(layer.output_error is not None for layer in self.layers)
        table = Table(box=None, pad_edge=False)
        for title in ("layer", "shape", "axes"):
            table.add_column(title, no_wrap=title != "axes")
        for title in ("before", "after", "bonds", "error", *["outputs"] * measured):
            table.add_column(title, justify="right")
        table.add_column("")
        for layer in self.layers:
            table.add_row(*_cells(layer, measured))
        total = (
            f"{len(self.layers)} layers: {self.parameters_before:,} -> {self.parameters:,} parameters "
            f"({self.share:.1%}); model: {self.model_parameters_before:,} -> {self.model_parameters:,}"
        )
        return Group(table, total)


def _cells(layer: CompressedLayer, measured: bool) -> list[str]:
    axes = f"{_product(layer.out_axes)} x {_product(layer.in_axes)}" if layer.out_axes else ""
    outputs = "" if layer.output_error is None else f"{layer.output_error:.3f}"
    return [
        layer.name,
        f"{layer.out_features} x {layer.in_features}",
        axes,
        f"{layer.parameters_before:,}",
        f"{layer.parameters:,}",
        ", ".join(map(str, layer.bonds)),
        f"{layer.error:.3f}" if layer.form != "dense" else "",
        *[outputs] * measured,
        f"stays dense: {layer.note}" if layer.note else "",
    ]


def _product(axes: tuple[int, ...]) -> str:
    return "·".join(map(str, axes))
