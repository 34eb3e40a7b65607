"""Learning rates as functions of how many epochs are done."""

from __future__ import annotations

import math
from collections.abc import Callable

# Epochs done, with the part of the present one -> the learning rate.
Rate = Callable[[float], float]


def cosine(first: float, epochs: int, lowest: float = 0.02) -> Rate:
    """From `first` down to a share `lowest` of it, along half a cosine over so many epochs.

    Source: Loshchilov and Hutter 2017, International Conference on Learning Representations (SGDR).
    """

    def rate(done: float) -> float:
        return first * (lowest + (1 - lowest) * (0.5 * (1 + math.cos(math.pi * done / epochs))))

    return rate
