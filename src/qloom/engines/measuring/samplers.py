"""Bits of measured qubits: drawn one by one, or counted outcome by outcome where there are few outcomes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from qloom import _native
from qloom.engines.base import Evaluator
from qloom.engines.batch import Batch
from qloom.engines.streams import Stream
from qloom.errors import ShapeError, UnsupportedError

# Up to so many outcomes are counted, of more the bits are kept.
MOST_COUNTED: int = _native.most_counted
# With more shots than so many an outcome, counts are drawn outcome by outcome, with fewer shot by shot.
SHOTS_AN_OUTCOME = 40


@dataclass(frozen=True)
class Tally:
    """What was measured.

    Shapes: bits (D, k) of outcomes that all samples share, or (B, D, k), uint8; shares (B, D) of the measurements that
    gave each, or (1, 1) where all have the same.
    """

    bits: np.ndarray
    shares: np.ndarray

    def table(self) -> np.ndarray:
        """Shares of all outcomes, (B, 2^k); outcomes that samples share are distinct."""
        places, size = outcome_numbers(self.bits), 1 << self.bits.shape[-1]
        if places.ndim == 1:
            table = np.zeros((len(self.shares), size))
            table[:, places] = self.shares
            return table
        flat = (places + size * np.arange(len(places))[:, None]).ravel()
        return np.bincount(flat, minlength=len(places) * size).reshape(-1, size) * self.shares


class Sampler(ABC):
    """Measures k qubits of a prepared circuit. Thread-safe.

    Attributes:
        n_bits: k.
        threads: how many draw; what is drawn does not depend on it.
    """

    n_bits: int
    threads: int = 1

    @abstractmethod
    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        """Measured bits (B, shots, k), uint8; `stream` gives the random numbers."""

    def tally(self, batch: Batch, shots: int, stream: Stream) -> Tally:
        """How often each outcome was measured."""
        return Tally(self.draw(batch, shots, stream), np.full((1, 1), 1 / shots))

    def table(self, batch: Batch) -> np.ndarray | None:
        """Probabilities of all outcomes of the bits, (B, 2^k); None where they are many, or not known."""
        return None

    def numbers_a_sample(self, shots: int) -> int:
        """How many numbers a sample takes while it is measured."""
        return shots * self.n_bits


@dataclass(frozen=True)
class OutcomeMap:
    """How k measured bits come from d bits that tell outcomes apart.

    Attributes:
        rows: (k, d) of zeros and ones, which of the d bits each measured bit is the sum of, modulo 2.
        flips: (k,) of zeros and ones, what is added to each.
    """

    rows: np.ndarray
    flips: np.ndarray

    def __call__(self, bits: np.ndarray) -> np.ndarray:
        """Measured bits (..., k) from bits (..., d), uint8."""
        measured = np.empty((*bits.shape[:-1], len(self.rows)), np.uint8)
        for k, (row, flip) in enumerate(zip(self.rows, self.flips, strict=True)):
            measured[..., k] = np.bitwise_xor.reduce(bits[..., row.astype(bool)], axis=-1, initial=0) ^ flip
        return measured


class TableSampler(Sampler):
    """Draws from a table of probabilities.

    Args:
        evaluator: gives those of 2^d outcomes, in order of the bit string.
        outcomes: how measured bits come from those of an outcome; None where they are the same.
        threads: how many draw; what is drawn does not depend on it.
    """

    def __init__(self, evaluator: Evaluator, outcomes: OutcomeMap | None = None, threads: int = 1):
        self.evaluator, self._outcomes, self.threads = evaluator, outcomes, threads
        self._n_table_bits = (evaluator.n_outputs - 1).bit_length()
        self.n_bits = self._n_table_bits if outcomes is None else len(outcomes.rows)
        self._counts = evaluator.n_outputs <= MOST_COUNTED

    def numbers_a_sample(self, shots: int) -> int:
        return self.evaluator.n_outputs if self._counts else max(self.evaluator.n_outputs, shots * self.n_bits)

    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        outcomes = np.empty((batch.size, shots), np.int64)
        first = 0
        for piece in batch.pieces(self.evaluator.n_outputs):
            part = outcomes[first : first + piece.size]
            _native.draw(self._probabilities(piece), stream.call(), shots, part, self.threads)
            first += piece.size
        return self._measured(outcome_bits(outcomes, self._n_table_bits))

    def tally(self, batch: Batch, shots: int, stream: Stream) -> Tally:
        if not self._counts:
            return super().tally(batch, shots, stream)
        probabilities = self._probabilities(batch)
        return Tally(self._all_bits, drawn_shares(probabilities, shots, stream, self.threads))

    def table(self, batch: Batch) -> np.ndarray | None:
        if not self._counts or 2**self.n_bits > MOST_COUNTED:
            return None
        return Tally(self._all_bits, self._probabilities(batch)).table()

    def _probabilities(self, batch: Batch) -> np.ndarray:
        return checked_table(self.evaluator.values(batch))

    @cached_property
    def _all_bits(self) -> np.ndarray:
        return self._measured(outcome_bits(np.arange(self.evaluator.n_outputs), self._n_table_bits))

    def _measured(self, bits: np.ndarray) -> np.ndarray:
        return bits if self._outcomes is None else self._outcomes(bits)


class ProductSampler(Sampler):
    """Bits that are sums, modulo 2, of those that independent samplers give."""

    def __init__(self, parts: Sequence[Sampler]):
        self._parts, self.n_bits = parts, parts[0].n_bits

    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        bits = self._parts[0].draw(batch, shots, stream)
        for part in self._parts[1:]:
            bits ^= part.draw(batch, shots, stream)
        return bits

    def numbers_a_sample(self, shots: int) -> int:
        return max(2 * shots * self.n_bits, *(part.numbers_a_sample(shots) for part in self._parts))


def sum_of(parts: Sequence[Sampler]) -> Sampler:
    """What samples the sums of independent samplers' bits: the only one, where there is one."""
    return parts[0] if len(parts) == 1 else ProductSampler(parts)


class ParitySampler(Sampler):
    """Parities of bits that another sampler gives.

    Args:
        rows: which bits each parity is of, zeros and ones, (M, k).
    """

    def __init__(self, sampler: Sampler, rows: Sequence[Sequence[int]]):
        self._sampler = sampler
        self._parity = OutcomeMap(np.array(rows, np.uint8), np.zeros(len(rows), np.uint8))
        self.n_bits = len(rows)

    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        return self._parity(self._sampler.draw(batch, shots, stream))

    def tally(self, batch: Batch, shots: int, stream: Stream) -> Tally:
        counted = self._sampler.tally(batch, shots, stream)
        return Tally(self._parity(counted.bits), counted.shares)

    def numbers_a_sample(self, shots: int) -> int:
        return self._sampler.numbers_a_sample(shots) + super().numbers_a_sample(shots)


def checked_table(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities, where they can be drawn from; ShapeError or UnsupportedError where not."""
    if not np.isfinite(probabilities.max(initial=0)):
        raise ShapeError("inputs or weights hold NaN or infinity, expected finite numbers to measure with shots")
    if (least := probabilities.min(initial=0)) < 0:
        raise UnsupportedError(f"probabilities hold {least:.3g}, expected none below 0 to measure; ask for values")
    return probabilities


def drawn_shares(probabilities: np.ndarray, shots: int, stream: Stream, threads: int) -> np.ndarray:
    """Shares of the measurements that gave each of few outcomes, (B, n) as their probabilities."""
    if shots < SHOTS_AN_OUTCOME * probabilities.shape[1]:
        counts = np.empty(probabilities.shape)
        _native.count(probabilities, stream.call(), shots, counts, threads)
    else:
        shares = probabilities.astype(np.float64)
        shares /= shares.sum(axis=1, keepdims=True)
        counts = stream.generator().multinomial(shots, shares).astype(np.float64)
    counts /= shots
    return counts


def outcome_numbers(bits: np.ndarray) -> np.ndarray:
    """Places of bits (..., k) in the order of the bit string, (...)."""
    places: np.ndarray = bits @ (1 << np.arange(bits.shape[-1], dtype=np.int64)[::-1])
    return places


def outcome_bits(outcomes: np.ndarray, n_bits: int) -> np.ndarray:
    """The lowest bits of each outcome (...), highest first: (..., n_bits), uint8."""
    if n_bits == 0:
        return np.zeros((*outcomes.shape, 0), np.uint8)
    n_bytes = (n_bits + 7) // 8
    leading = (outcomes << (8 * n_bytes - n_bits)).astype(">i8")
    return np.unpackbits(leading[..., None].view(np.uint8)[..., 8 - n_bytes :], axis=-1, count=n_bits)
