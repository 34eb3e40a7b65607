"""A linear layer whose matrix is a tensor train (matrix product operator)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from torch import Tensor, nn

from qloom.compression.contraction import apply, costs, operations
from qloom.compression.decomposition import join
from qloom.compression.layers import CompressedLinear
from qloom.errors import ConfigError, ShapeError

WAYS = ("auto", "left", "right", "dense")


class TensorTrainLinear(CompressedLinear):
    """y = W x + b with W as cores G_k (r_{k-1}, m_k, n_k, r_k), out = m_1 ... m_d and in = n_1 ... n_d.

    The way through the cores is the one of the fewest multiply-adds for the rows at hand (`operations`): a token at a
    time goes through the cores, a batch through the matrix they are joined to for this call. Ways differ by rounding.

    Args:
        cores: d of them, r_0 = r_d = 1.
        bias: (out,) or None.
        kind: the class that `dense` gives back.
        way: "auto", or the one to go always: "left", "right", "dense".

    Shapes: x (..., in) -> (..., out).

    Raises:
        ShapeError: for cores that do not fit one another.
        ConfigError: for an unknown way.

    Source: Novikov, Podoprikhin, Osokin and Vetrov 2015, Advances in Neural Information Processing Systems 28.
    """

    def __init__(
        self,
        cores: Sequence[Tensor],
        bias: nn.Parameter | None = None,
        kind: type[nn.Module] = nn.Linear,
        way: str = "auto",
    ):
        shapes: list[Any] = [tuple(core.shape) for core in cores]
        _check(shapes)
        if way not in WAYS:
            raise ConfigError(f"way={way!r}, expected one of {', '.join(WAYS)}")
        out_axes, in_axes = tuple(shape[1] for shape in shapes), tuple(shape[2] for shape in shapes)
        super().__init__(cores, prod(out_axes), prod(in_axes), bias, kind)
        self.out_axes, self.in_axes, self.way = out_axes, in_axes, way
        self._costs = costs(shapes)

    def matrix(self) -> Tensor:
        return join(list(self.factors))

    @property
    def bonds(self) -> tuple[int, ...]:
        return tuple(core.shape[-1] for core in list(self.factors)[:-1])

    def operations(self, n_rows: int) -> dict[str, int]:
        """Multiply-adds of each way for so many rows; a dense layer takes n_rows * in * out."""
        return operations(self._costs, n_rows)

    def form(self) -> dict[str, Any]:
        axes = {"out_axes": list(self.out_axes), "in_axes": list(self.in_axes)}
        return {"form": "tensor-train", **axes, "bonds": list(self.bonds)}

    @classmethod
    def empty(cls, form: dict[str, Any], like: Tensor, bias: nn.Parameter | None, kind: type[nn.Module]) -> Any:
        bonds = [1, *form["bonds"], 1]
        shapes = zip(bonds[:-1], form["out_axes"], form["in_axes"], bonds[1:], strict=True)
        return cls([like.new_zeros(shape) for shape in shapes], bias, kind)

    def _apply_matrix(self, rows: Tensor) -> Tensor:
        return apply(list(self.factors), rows, self._choose(len(rows)) if self.way == "auto" else self.way)

    def _choose(self, n_rows: int) -> str:
        best, least = "dense", None
        for way, count in self.operations(n_rows).items():  # a loop, as torch.compile knows no min with a key
            if least is None or count < least:
                best, least = way, count
        return best


def _check(shapes: Sequence[tuple[int, ...]]) -> None:
    fits = shapes and all(len(shape) == 4 for shape in shapes)
    if not fits or [1, *(shape[3] for shape in shapes)] != [*(shape[0] for shape in shapes), 1]:
        raise ShapeError(f"cores have shapes {list(shapes)}, expected (1, m, n, r), (r, m, n, s), ..., (t, m, n, 1)")
