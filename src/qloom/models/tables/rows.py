"""Rows of numbers, as networks and baselines learn from them and are judged on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Rows(NamedTuple):
    """Rows to learn from or to be judged on.

    Shapes: x (B, F) float32; y (B,), class codes int64 or standardised numbers float32; weights (B,) float32 of
    mean 1, None for equal ones; values (B,) what scores compare with: class codes, or numbers in the target's unit,
    None if they are y.
    """

    x: Tensor
    y: Tensor
    weights: Tensor | None = None
    values: np.ndarray | None = None

    def take(self, rows: Tensor) -> Rows:
        """Some of the rows to learn from."""
        return Rows(self.x[rows], self.y[rows], None if self.weights is None else self.weights[rows])

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """Rows of several blocks of a stream, one after the other; one's values go with the others'."""
        weights, values = [part.weights for part in parts], [part.values for part in parts]
        return cls(
            torch.cat([part.x for part in parts]),
            torch.cat([part.y for part in parts]),
            None if weights[0] is None else torch.cat([each for each in weights if each is not None]),
            None if values[0] is None else np.concatenate([each for each in values if each is not None]),
        )

    @property
    def scored_weights(self) -> np.ndarray | None:
        """The weights as scores take them."""
        return None if self.weights is None else self.weights.double().numpy()

    @property
    def truth(self) -> np.ndarray:
        """What scores compare with, (B,): class codes, or numbers."""
        if self.values is not None:
            return self.values
        return self.y.double().numpy() if self.y.is_floating_point() else self.y.numpy()
