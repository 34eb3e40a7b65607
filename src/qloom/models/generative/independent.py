"""Bits that know nothing of each other: what any model of a distribution has to beat."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from qloom.models.generative.base import checked_samples
from qloom.models.generative.factored import FactoredModel, checked_smoothing
from qloom.models.generative.words import checked_bits


class IndependentBits(FactoredModel):
    """Each bit by its own mean.

    Args:
        smoothing: rows' worth of uniform bits added to the counts, above 0: a bit's probability is
            (ones + smoothing / 2) / (rows + smoothing), so that no row has probability 0.

    Attributes:
        shares_: probabilities of each bit being 0 and 1, (n, 2).
    """

    def __init__(self, smoothing: float = 1.0):
        self.smoothing = smoothing

    def fit(self, X: Any, y: Any = None) -> Self:
        """Count. Shapes: X (N, n) of 0 and 1; y is not used."""
        added, bits = checked_smoothing(self.smoothing), checked_bits(X)
        self.n_features_in_ = bits.shape[1]
        ones = bits.sum(axis=0)
        self.shares_ = shares(np.stack([len(bits) - ones, ones], axis=1), added / 2)
        return self

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        check_is_fitted(self)
        shape = checked_samples(n_samples), self.n_features_in_
        return (check_random_state(random_state).random_sample(shape) < self.shares_[:, 1]).astype(np.uint8)

    def score_samples(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities of rows. Shapes: X (N, n) -> (N,)."""
        of_0, of_1 = np.log(self.shares_).T
        return of_0.sum() + self._bits(X) @ (of_1 - of_0)  # type: ignore[no-any-return]

    def expected(self, factors: np.ndarray) -> np.ndarray:
        return np.prod(np.einsum("nx,nxa->na", self.shares_, factors), axis=0)  # type: ignore[no-any-return]

    def expected_of_two(self, alike: float, different: float) -> float:
        differ = 2 * self.shares_.prod(axis=1)
        return float(np.prod(alike * (1 - differ) + different * differ))


def shares(counts: np.ndarray, added: float) -> np.ndarray:
    """Probabilities of 0 and 1 from how often each was seen, with `added` to either. Shapes: (..., 2) -> (..., 2)."""
    return (counts + added) / (counts.sum(axis=-1, keepdims=True) + 2 * added)  # type: ignore[no-any-return]
