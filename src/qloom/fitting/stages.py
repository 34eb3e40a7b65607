"""What of a module is trained when: a stage for every epoch, as a function of the epoch alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """What is trained in an epoch.

    Attributes:
        title: for people.
        trained: names of parameters, with * and ?, as `qloom.nn.train_only` takes them.
        share: (k, n): of every block of a trained circuit's weights only the k-th, from 0, of n equal shares of its
            first dimension, so that of blocks (L, ...) k is a layer; None for all.
    """

    title: str
    trained: tuple[str, ...] = ("*",)
    share: tuple[int, int] | None = None


EVERYTHING = Stage("everything")
# Epoch from 0 -> what is trained in it.
Stages = Callable[[int], Stage]
