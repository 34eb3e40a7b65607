"""How the steps of an epoch are taken: of one training, or of several as one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Taken:
    """What the steps of an epoch gave.

    Attributes:
        loss: the mean.
        notes: further numbers for the history.
    """

    loss: float
    notes: Mapping[str, Any] = field(default_factory=dict)


class Stepper(ABC):
    """Takes the steps of an epoch, of one training or of several as one."""

    @abstractmethod
    def run(self) -> Sequence[Taken]:
        """One epoch of each training."""

    def release(self) -> None:  # noqa: B027 - most hold nothing together
        """Give trainings what was held together of theirs; none of them is stepped here again."""
