"""Models of bits whose means of products, a factor a bit, are exact at any number of bits."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from qloom.checks import is_real
from qloom.errors import ConfigError
from qloom.models.generative.base import GenerativeModel
from qloom.models.generative.words import checked_width, median_width, own_kernel

# Numbers that the factors of a block of products hold.
_BLOCK = 1 << 23


class FactoredModel(GenerativeModel):
    """A distribution that factors along its bits: moments and discrepancies are exact, not of a sample."""

    @abstractmethod
    def expected(self, factors: np.ndarray) -> np.ndarray:
        """Means of A products of a factor a bit, which is one number where the bit is 0 and another where it is 1.

        Shapes: factors (n, 2, A), which are written over -> (A,).
        """

    @abstractmethod
    def expected_of_two(self, alike: float, different: float) -> float:
        """The mean over two independent rows of a product over bits: a factor where they agree, another where not."""

    def moments(self, operators: Any, exact: bool = True) -> np.ndarray:
        """Means of products of (-1)^x over the bits of each operator: <Z_S>, exact. Shapes: A operators -> (A,)."""
        chosen = self._words(operators).matrix()
        found = [self.expected(_factors(1.0, np.where(part, -1.0, 1.0))) for part in _blocks(chosen)]
        return np.concatenate([np.empty(0), *found])

    def mmd(self, X: Any, width: float | None = None) -> float:
        """The squared maximum mean discrepancy to the distribution that rows were drawn from, without bias.

        The kernel's means over the model are exact, so that only the rows bring noise.

        Args:
            width: of the Gaussian kernel; None for the median distance of two rows.

        Shapes: X (N, n).
        """
        bits = self._bits(X)
        width = checked_width(median_width(bits) if width is None else width)
        different = math.exp(-0.5 / width**2)
        cross = [self.expected(_factors(*np.where([part, part == 0], different, 1.0))).sum() for part in _blocks(bits)]
        return self.expected_of_two(1.0, different) + own_kernel(bits, width) - 2 * float(sum(cross)) / len(bits)


def _factors(of_0: Any, of_1: np.ndarray) -> np.ndarray:
    """Factors of bits that are 0 and that are 1, (A, n) each -> (n, 2, A)."""
    return np.stack(np.broadcast_arrays(of_0, of_1), axis=-1).transpose(1, 2, 0).copy()


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, _BLOCK // (2 * rows.shape[1]))
    return (rows[k : k + step] for k in range(0, len(rows), step))


def checked_smoothing(smoothing: Any) -> float:
    """How many rows' worth of uniform bits is added to counts: above 0, so that no probability is 0."""
    if not is_real(smoothing) or not math.isfinite(smoothing) or smoothing <= 0:
        raise ConfigError(f"smoothing={smoothing!r}, expected a number of rows above 0, such as 1")
    return float(smoothing)
