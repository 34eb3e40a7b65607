"""A linear layer of low rank: the classical control."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import linear

from qloom.compression.layers import CompressedLinear
from qloom.errors import ShapeError


class LowRankLinear(CompressedLinear):
    """y = L (R x) + b with L (out, r) and R (r, in), which takes r (in + out) multiply-adds a row.

    Args:
        left, right: L and R.
        bias: (out,) or None.
        kind: the class that `dense` gives back.

    Shapes: x (..., in) -> (..., out).

    Raises:
        ShapeError: for factors that do not fit one another.
    """

    def __init__(
        self, left: Tensor, right: Tensor, bias: nn.Parameter | None = None, kind: type[nn.Module] = nn.Linear
    ):
        if left.dim() != 2 or right.dim() != 2 or left.shape[1] != right.shape[0]:
            raise ShapeError(f"factors have shapes {tuple(left.shape)}, {tuple(right.shape)}, expected (m, r), (r, n)")
        super().__init__([left, right], left.shape[0], right.shape[1], bias, kind)

    def matrix(self) -> Tensor:
        left, right = self.factors
        return left @ right

    @property
    def bonds(self) -> tuple[int, ...]:
        return (self.factors[0].shape[1],)

    def form(self) -> dict[str, Any]:
        shape = {"out_features": self.out_features, "in_features": self.in_features}
        return {"form": "svd", **shape, "bonds": list(self.bonds)}

    @classmethod
    def empty(cls, form: dict[str, Any], like: Tensor, bias: nn.Parameter | None, kind: type[nn.Module]) -> Any:
        (rank,) = form["bonds"]
        return cls(like.new_zeros(form["out_features"], rank), like.new_zeros(rank, form["in_features"]), bias, kind)

    def _apply_matrix(self, rows: Tensor) -> Tensor:
        left, right = self.factors
        return linear(linear(rows, right), left)
