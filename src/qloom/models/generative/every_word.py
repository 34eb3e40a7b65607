"""All words of Z at once, of up to 20 bits, for torch: moments from probabilities, and the discrepancy over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom import _native
from qloom.models.generative.words import walsh, word_weights

# Numbers that one thread transforms before another has woken up.
_FEW = 1 << 18


class _Walsh(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        out = values.contiguous().clone()
        _native.walsh(out, _native.available_threads() if out.numel() > _FEW else 1)
        return out

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor]:
        return (transformed(slopes),)


def transformed(values: Tensor) -> Tensor:
    """sum_x (-1)^(a.x) values[x] for every a, of arrays (R, 2^n); slopes flow through it."""
    return _Walsh.apply(values)  # type: ignore[no-any-return]


def discrepancy_to(shares: np.ndarray, widths: Sequence[float]) -> Callable[[Tensor], Tensor]:
    """The squared maximum mean discrepancy to shares of outcomes (2^n,), the mean over widths, of moments (2^n,)."""
    weights = torch.from_numpy(np.mean([word_weights(len(shares).bit_length() - 1, width) for width in widths], axis=0))
    words = torch.from_numpy(walsh(shares))
    return lambda moments: weights @ (moments - words).square()
