"""Bit strings over which means of cosines are taken, as rows of signs for the native side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Whole vectors of any instruction set, of either type.
_LANES = 16


@dataclass(frozen=True)
class Strings:
    """Strings z side by side, one a column.

    Attributes:
        signs: (-1)^z, (n, stride); 0 in the columns from `count` on.
        count: of strings.
    """

    signs: Tensor
    count: int

    @classmethod
    def of(cls, bits: np.ndarray, dtype: torch.dtype) -> Strings:
        """From rows of bits (K, n)."""
        signs = rows(bits.shape[1], len(bits), dtype)
        signs[:, : len(bits)] = 1 - 2 * torch.from_numpy(np.ascontiguousarray(bits)).to(dtype).T
        signs[:, len(bits) :] = 0
        return cls(signs, len(bits))

    @classmethod
    def drawn(
        cls, n_qubits: int, count: int, even: bool, generator: np.random.Generator, dtype: torch.dtype
    ) -> Strings:
        """Uniform strings; `even` for those with an even number of ones."""
        columns = (count + 7) // 8
        packed = generator.integers(0, 256, (n_qubits, columns), np.uint8)
        if even:
            packed[-1] = np.bitwise_xor.reduce(packed[:-1], axis=0)
        bits = np.unpackbits(packed, axis=1, count=count)
        signs = rows(n_qubits, count, dtype)
        signs[:, :count] = torch.from_numpy(bits)
        signs[:, :count].mul_(-2).add_(1)
        signs[:, count:] = 0
        return cls(signs, count)


def rows(n_rows: int, count: int, dtype: torch.dtype) -> Tensor:
    """An open array (n_rows, stride) for `count` strings, as the native side takes it: torch aligns it to vectors."""
    return torch.empty(n_rows, (count + _LANES - 1) // _LANES * _LANES, dtype=dtype)
