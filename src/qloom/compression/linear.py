"""Linear layers as they are met: torch's Linear, and transformers' Conv1D with its weight the other way round.

Conv1D is known by where its class is, so that transformers need not be there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def is_linear(module: nn.Module) -> bool:
    """Whether it is one of the two classes itself: what is made of them may do more than multiply."""
    return type(module) is nn.Linear or _is_transposed(type(module))


def oriented(matrix: Tensor, kind: type[nn.Module]) -> Tensor:
    """A matrix (out, in) as layers of a kind have it, and the other way round."""
    return matrix.T if _is_transposed(kind) else matrix


def matrix_of(layer: Any) -> Tensor:
    """The weight as a matrix (out, in)."""
    return oriented(layer.weight.detach(), type(layer))


def make_linear(kind: type[Any], matrix: Tensor, bias: nn.Parameter | None) -> Any:
    """A layer of a kind with this matrix (out, in) and this bias itself."""
    (out_features, in_features), transposed = matrix.shape, _is_transposed(kind)
    with torch.device("meta"):  # first weights would be drawn in vain, from torch's generator
        layer = kind(out_features, in_features) if transposed else kind(in_features, out_features)
    layer.weight = nn.Parameter(oriented(matrix, kind).contiguous())
    layer.register_parameter("bias", bias)
    return layer


def _is_transposed(kind: type) -> bool:
    return (kind.__module__, kind.__qualname__) == ("transformers.pytorch_utils", "Conv1D")
