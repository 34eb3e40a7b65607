"""What all compressed layers are: in the place of a linear layer, with the same inputs and outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from qloom.compression.linear import make_linear, oriented
from qloom.errors import ShapeError


class CompressedLinear(nn.Module, ABC):
    """y = W x + b with W (out, in) as a product of smaller factors, which are trained in its place.

    Args:
        factors: tensors that make up W; parameters of this layer from then on.
        out_features, in_features: of W.
        bias: (out,) or None.
        kind: the class that `dense` gives back, `nn.Linear` or transformers' `Conv1D`.

    Shapes: x (..., in) -> (..., out).

    Raises:
        ShapeError: when it is called, for x of another width.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        factors: Sequence[Tensor],
        out_features: int,
        in_features: int,
        bias: nn.Parameter | None,
        kind: type[nn.Module],
    ):
        super().__init__()
        self.out_features, self.in_features, self.kind = out_features, in_features, kind
        self.factors = nn.ParameterList([factor.detach().contiguous() for factor in factors])
        self.register_parameter("bias", bias)

    @abstractmethod
    def matrix(self) -> Tensor:
        """W (out, in), made of the factors."""

    @abstractmethod
    def form(self) -> dict[str, Any]:
        """What `empty` makes the layer of again, without its numbers, as plain JSON values."""

    @classmethod
    @abstractmethod
    def empty(cls, form: dict[str, Any], like: Tensor, bias: nn.Parameter | None, kind: type[nn.Module]) -> Any:
        """A layer of a form whose factors are zeros of the dtype and device of `like`.

        Args:
            form: what `form` gave.
            like: of the dtype and device that factors are to have.
            bias: (out,) or None.
            kind: the class that `dense` gives back.
        """

    @property
    @abstractmethod
    def bonds(self) -> tuple[int, ...]:
        """Bond dimensions: how many values the factors are summed over."""

    @abstractmethod
    def _apply_matrix(self, rows: Tensor) -> Tensor:
        """(N, in) -> (N, out)."""

    def forward(self, input: Tensor) -> Tensor:
        if input.shape[-1:] != (self.in_features,):
            raise ShapeError(f"x has shape {tuple(input.shape)}, expected (..., {self.in_features})")
        out = self._apply_matrix(input.reshape(-1, self.in_features))
        out = out.reshape(*input.shape[:-1], self.out_features)
        return out if self.bias is None else out + self.bias

    @property
    def weight(self) -> Tensor:
        """The dense weight as the original layer has it; some models ask a layer for it, or for its dtype."""
        return oriented(self.matrix(), self.kind)

    @property
    def n_parameters(self) -> int:
        """Numbers in the factors and the bias."""
        return sum(parameter.numel() for parameter in self.parameters())

    @torch.no_grad()
    def dense(self) -> nn.Module:
        """The ordinary layer with the same matrix and the same bias."""
        layer = make_linear(self.kind, self.matrix(), self.bias)
        layer.weight.requires_grad_(self.factors[0].requires_grad)
        return layer.train(self.training)

    def extra_repr(self) -> str:
        bonds = ", ".join(map(str, self.bonds))
        return f"{self.in_features}, {self.out_features}, bonds=({bonds}), bias={self.bias is not None}"
