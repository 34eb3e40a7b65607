"""How a fitted model's outputs become predictions, in numbers alone: neither torch nor scikit-learn is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.data import TargetCoding


def softmax(scores: np.ndarray) -> np.ndarray:
    """Shapes: scores (B, C) -> probabilities (B, C)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


# Outputs (B, C) -> probabilities (B, C), or numbers (B,) coded as the target is.
LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "softmax": softmax,
    "identity": lambda outputs: outputs[:, 0],
    "exponential": lambda outputs: np.exp(outputs[:, 0]),
}


@dataclass(frozen=True)
class Readout:
    """From outputs to predictions, and from probabilities to decisions.

    Attributes:
        link: one of `LINKS`.
        threshold: of two classes the second is decided for above it.
        residuals: of the coded target, as quantiles: what means of transformed numbers need.
        quantile: of the target that predictions are; None for means.
    """

    link: str
    threshold: float = 0.5
    residuals: tuple[float, ...] = ()
    quantile: float | None = None

    @property
    def level(self) -> float:
        """What scores of decisions or of quantiles take: the quantile, or the threshold."""
        return self.threshold if self.quantile is None else self.quantile

    def predictions(self, coding: TargetCoding, outputs: np.ndarray) -> np.ndarray:
        """Shapes: outputs (B, C) -> class probabilities (B, C), or values in the target's unit (B,)."""
        read = LINKS[self.link](outputs.astype(np.float64))
        return read if coding.task == "classification" else coding.expect(read, self.residuals)


def read_readout(record: Mapping[str, Any] | None, task: str) -> Readout:
    """What `asdict` of a readout gave; None, of models before there were any, for the task's usual one."""
    if record is None:
        return Readout("softmax" if task == "classification" else "identity")
    return Readout(**{**record, "residuals": tuple(map(float, record["residuals"]))})
