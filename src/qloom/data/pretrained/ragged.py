"""Features of rows of which each may have another number of vectors: a token's each, or one of the whole row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


class Ragged(NamedTuple):
    """Vectors of N rows, one row's after the other's.

    Shapes: values (sum of lengths, F); lengths int64 (N,).
    """

    values: Tensor
    lengths: np.ndarray

    def take(self, rows: np.ndarray) -> Ragged:
        """Some of the rows, in that order. Shapes: rows int64 (M,)."""
        import torch

        starts, lengths = np.cumsum(self.lengths) - self.lengths, self.lengths[rows]
        ends = np.cumsum(lengths)
        places = np.repeat(starts[rows] - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
        return Ragged(self.values[torch.from_numpy(places)], lengths)

    @classmethod
    def joined(cls, parts: Sequence[Ragged]) -> Ragged:
        """Rows of several parts, at least one, one part after the other."""
        import torch

        return cls(torch.cat([part.values for part in parts]), np.concatenate([part.lengths for part in parts]))

    def padded(self) -> tuple[Tensor, Tensor]:
        """Vectors filled up with zeros, and where they are. Shapes: -> (N, T, F), bool (N, T)."""
        import torch

        widest = int(self.lengths.max(initial=0))
        padding = torch.from_numpy(np.arange(widest) >= self.lengths[:, None])
        out = self.values.new_zeros(len(self.lengths), widest, self.values.shape[1])
        out[~padding] = self.values
        return out, padding
