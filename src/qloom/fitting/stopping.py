"""When a training without validation has come to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Flat:
    """The means of the losses' last two intervals differ by less than half the standard error of the last.

    Attributes:
        interval: epochs, which for a training by single batches are steps.

    Source: Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    interval: int

    def __call__(self, losses: Sequence[float]) -> bool:
        if len(losses) <= 2 * self.interval + 1:
            return False
        last, before = losses[-self.interval :], losses[-2 * self.interval : -self.interval]
        return bool(abs(np.mean(last) - np.mean(before)) <= np.std(last) / np.sqrt(self.interval) / 2)
