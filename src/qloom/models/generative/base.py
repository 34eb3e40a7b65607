"""What all generative models of bits share: how they are asked, and what follows from 2^n probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from qloom.checks import is_integer
from qloom.errors import ConfigError, DataError, UnsupportedError
from qloom.models.generative.packed import PackedRows
from qloom.models.generative.words import (
    MOST_EXACT,
    Words,
    bits_of,
    checked_bits,
    exact_mmd,
    median_width,
    outcomes_of,
    sample_mmd,
    walsh,
)
from qloom.models.saving import Saved

# What rounding leaves of a probability of 0.
LEAST_PROBABILITY = 1e-12


class GenerativeModel(Saved, ABC, BaseEstimator):  # type: ignore[misc]
    """A distribution over bit strings, learnt from rows of them.

    Attributes:
        n_features_in_: bits, n.
    """

    n_features_in_: int

    @abstractmethod
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from rows of bits. Shapes: X (N, n) of 0 and 1; y is not used.

        Raises:
            DataError: for what is no row of bits.
            ConfigError: for settings that cannot be.
        """

    @abstractmethod
    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """Rows of bits from the model, uint8 (n_samples, n).

        Args:
            n_samples: at least 1.
            random_state: seed; None for fresh entropy.

        Raises:
            ConfigError: for `n_samples` below 1.
        """

    @abstractmethod
    def score_samples(self, X: Any) -> np.ndarray:
        """How much rows look like the model, higher is more so, in units of each model's own.

        Shapes: X (N, n) -> (N,).

        Raises:
            DataError: for what is no row of bits.
            ShapeError: for other numbers of bits.
        """

    def moments(self, operators: Any, exact: bool = False) -> np.ndarray:
        """Means of products of (-1)^x over the bits of each operator: <Z_S>, from 100,000 rows of a sample.

        Args:
            operators: tuples of qubits.
            exact: refused by models that only sample.

        Shapes: A operators -> (A,).

        Raises:
            ShapeError: for operators on bits that the model does not have.
            UnsupportedError: for `exact`, of models that only sample.
        """
        if exact:
            raise UnsupportedError(f"{type(self).__name__} has moments from samples only; ask for exact=False")
        return PackedRows(self.sample(100_000, 0)).means(self._words(operators))

    def mmd(self, X: Any, width: float | None = None) -> float:
        """The squared maximum mean discrepancy to the distribution of rows, without bias, from a sample of as many.

        Args:
            width: of the Gaussian kernel; None for the median distance of two rows.

        Shapes: X (N, n).

        Raises:
            DataError: for what is no row of bits, or rows that are all the same without a width.
            ConfigError: for a width that is not above 0.
        """
        bits = self._bits(X)
        return sample_mmd(self.sample(max(len(bits), 2), 0), bits, median_width(bits) if width is None else width)

    def marginal(self, qubits: Sequence[int]) -> np.ndarray:
        """The distribution of up to 20 of the bits, float64 (2^k,); the first is the most significant.

        Args:
            qubits: k different bits.

        Raises:
            ShapeError: for bits that the model does not have.
            UnsupportedError: for more than 20.
        """
        return marginal_of(self, self._places(qubits))

    def conditional_moments(self, operators: Any, given: Mapping[int, int], **how: Any) -> np.ndarray:
        """Means of products of (-1)^x over each operator's bits among rows that have given bits.

        Args:
            operators: tuples of qubits; an operator and the given ones are up to 20 together.
            given: qubit -> 0 or 1.
            how: further arguments of `marginal`.

        Shapes: A operators -> float64 (A,).

        Raises:
            DataError: for given bits that no row can have.
            ShapeError: for bits that the model does not have.
        """
        fixed, bits = next(iter(self._words([tuple(given)]))), dict(given)
        if any(value not in (0, 1) for value in bits.values()):
            raise DataError(f"given={bits!r}, expected 0 or 1 for each qubit")
        row = outcomes_of(np.array([[bits[q] for q in fixed]], np.int64).reshape(1, -1))[0]
        found = []
        for word in self._words(operators):
            others = [q for q in word if q not in bits]
            shares = self.marginal([*fixed, *others], **how).reshape(-1, 1 << len(others))[row]
            if shares.sum() < LEAST_PROBABILITY:
                raise DataError(f"given={bits!r} has probability 0 in the model, expected bits that rows can have")
            sign = (-1) ** sum(bits[q] for q in word if q in bits)
            found.append(sign * walsh(shares)[-1] / shares.sum())
        return np.array(found)

    def correlations(self, qubits: Sequence[int] | None = None, **how: Any) -> np.ndarray:
        """Correlation coefficients of bits, float64 (k, k), 0 with a bit that never changes.

        Args:
            qubits: which; None for all.
            how: further arguments of `moments`.
        """
        places = range(self.n_features_in_) if qubits is None else self._places(qubits, self.n_features_in_)
        k = len(places)
        first, second = np.triu_indices(k, 1)
        pairs = [(places[a], places[b]) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
        means = self.moments([*((q,) for q in places), *pairs], **how)
        spread = np.sqrt(np.clip(1 - means[:k] ** 2, 0, None))
        covariances, scale = means[k:] - means[first] * means[second], spread[first] * spread[second]
        found = np.eye(k)
        found[first, second] = found[second, first] = np.divide(
            covariances, scale, out=np.zeros(len(scale)), where=scale > 0
        )
        return found

    def _places(self, qubits: Sequence[int], most: int = MOST_EXACT, instead: str = "") -> list[int]:
        """Different qubits in the order given, at most so many."""
        self._words([tuple(qubits)])
        if len(qubits) > most:
            raise UnsupportedError(f"a marginal of {len(qubits)} qubits, expected at most {most}{instead}")
        return [int(q) for q in qubits]

    def _bits(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return checked_bits(X, self.n_features_in_)

    def _words(self, operators: Any) -> Words:
        check_is_fitted(self)
        return Words.of(operators, self.n_features_in_)


class EveryOutcome(GenerativeModel):
    """A model that knows all 2^n probabilities, of up to 20 bits."""

    @abstractmethod
    def probabilities(self) -> np.ndarray:
        """Of every outcome, float64 (2^n,); bit 0 is the most significant."""

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        check_is_fitted(self)
        return drawn_rows(self.probabilities(), n_samples, random_state)

    def score_samples(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities of rows; -inf where there is none. Shapes: (N, n) -> (N,)."""
        outcomes = outcomes_of(self._bits(X))
        with np.errstate(divide="ignore"):
            return np.log(np.clip(self.probabilities(), 0, None))[outcomes]  # type: ignore[no-any-return]

    def moments(self, operators: Any, exact: bool = True) -> np.ndarray:
        """Means of products of (-1)^x over the bits of each operator: <Z_S>, exact. Shapes: A operators -> (A,).

        Args:
            operators: tuples of qubits.
            exact: always so here.
        """
        return walsh(self.probabilities())[self._words(operators).masks()]

    def mmd(self, X: Any, width: float | None = None) -> float:
        """The squared maximum mean discrepancy to the distribution that rows were drawn from, without bias.

        Args:
            width: of the Gaussian kernel; None for the median distance of two rows.

        Shapes: X (N, n).
        """
        bits = self._bits(X)
        return exact_mmd(self.probabilities(), bits, median_width(bits) if width is None else width)


def marginal_of(model: GenerativeModel, qubits: Sequence[int], **how: Any) -> np.ndarray:
    """The distribution of k qubits from the moments of all their subsets, (2^k,)."""
    subsets = bits_of(np.arange(1 << len(qubits)), len(qubits)).astype(bool)
    moments = model.moments([tuple(np.array(qubits, np.int64)[subset].tolist()) for subset in subsets], **how)
    return np.clip(walsh(moments) / len(moments), 0, None)  # type: ignore[no-any-return]


def drawn_rows(shares: np.ndarray, n_samples: Any, random_state: Any) -> np.ndarray:
    """Rows of bits by the probabilities of all 2^n outcomes, uint8 (n_samples, n)."""
    generator, count = check_random_state(random_state), checked_samples(n_samples)
    drawn = generator.choice(len(shares), count, p=shares / shares.sum())
    return bits_of(drawn, len(shares).bit_length() - 1)


def checked_samples(n_samples: Any) -> int:
    """A number of rows to draw."""
    if not is_integer(n_samples) or n_samples < 1:
        raise ConfigError(f"n_samples={n_samples!r}, expected an integer of at least 1")
    return int(n_samples)


def check_few_enough(name: str, n_bits: int, most: int = MOST_EXACT) -> None:
    """Refuse what would need a number for each of too many outcomes."""
    if n_bits > most:
        raise UnsupportedError(
            f"{name} was given {n_bits} bits, expected at most {most}; take fewer columns or bins, or IQPModel, which "
            "has no such limit"
        )
