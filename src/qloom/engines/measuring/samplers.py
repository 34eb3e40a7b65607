"""Bits of measured qubits: drawn one by one, or counted outcome by outcome where there are few outcomes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from qloom import _native
from qloom.engines.base import Evaluator
from qloom.engines.batch import Batch
from qloom.engines.streams import Stream
from qloom.errors import ShapeError

# Up to so many outcomes are counted by a multinomial draw, more are drawn one by one.
MOST_COUNTED = 1 << 12


@dataclass(frozen=True)
class Tally:
    """What was measured.

    Shapes: bits (D, k) of outcomes that all samples share, or (B, D, k), uint8; shares (B, D) of the measurements that
    gave each, or (1, 1) where all have the same.
    """

    bits: np.ndarray
    shares: np.ndarray


class Sampler(ABC):
    """Measures k qubits of a prepared circuit. Thread-safe.

    Attributes:
        n_bits: k.
    """

    n_bits: int

    @abstractmethod
    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        """Measured bits (B, shots, k), uint8."""

    def tally(self, batch: Batch, shots: int, stream: Stream) -> Tally:
        """How often each outcome was measured."""
        return Tally(self.draw(batch, shots, stream), np.full((1, 1), 1 / shots))

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
    """

    def __init__(self, evaluator: Evaluator, outcomes: OutcomeMap | None = None):
        self.evaluator, self._outcomes = evaluator, outcomes
        self._n_table_bits = (evaluator.n_outputs - 1).bit_length()
        self.n_bits = self._n_table_bits if outcomes is None else len(outcomes.rows)
        self._counts = evaluator.n_outputs <= MOST_COUNTED

    def numbers_a_sample(self, shots: int) -> int:
        return self.evaluator.n_outputs if self._counts else max(self.evaluator.n_outputs, shots * self.n_bits)

    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        outcomes = np.empty((batch.size, shots), np.int64)
        rows = iter(outcomes)
        for piece in batch.pieces(self.evaluator.n_outputs):
            for probabilities in self._probabilities(piece):
                _native.draw(probabilities, stream.random(shots), next(rows))
        return self._measured(_bits(outcomes, self._n_table_bits))

    def tally(self, batch: Batch, shots: int, stream: Stream) -> Tally:
        if not self._counts:
            return super().tally(batch, shots, stream)
        probabilities = self._probabilities(batch).astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return Tally(self._all_bits, stream.multinomial(shots, probabilities) / shots)

    def _probabilities(self, batch: Batch) -> np.ndarray:
        probabilities = self.evaluator.values(batch)
        if not np.isfinite(probabilities).all():
            raise ShapeError("inputs or weights hold NaN or infinity, expected finite numbers to measure with shots")
        return probabilities

    @cached_property
    def _all_bits(self) -> np.ndarray:
        return self._measured(_bits(np.arange(self.evaluator.n_outputs), self._n_table_bits))

    def _measured(self, bits: np.ndarray) -> np.ndarray:
        return bits if self._outcomes is None else self._outcomes(bits)


def _bits(outcomes: np.ndarray, n_bits: int) -> np.ndarray:
    """The lowest bits of each outcome (...), highest first: (..., n_bits), uint8."""
    if n_bits == 0:
        return np.zeros((*outcomes.shape, 0), np.uint8)
    n_bytes = (n_bits + 7) // 8
    leading = (outcomes << (8 * n_bytes - n_bits)).astype(">i8")
    return np.unpackbits(leading[..., None].view(np.uint8)[..., 8 - n_bytes :], axis=-1, count=n_bits)


def signs_of(bits: np.ndarray, supports: list[list[int]]) -> np.ndarray:
    """Eigenvalues of Z words on measured bits (..., k): (..., M), +1 or -1."""
    out = np.empty((*bits.shape[:-1], len(supports)), np.float64)
    for m, support in enumerate(supports):
        parity = np.bitwise_xor.reduce(bits[..., support], axis=-1, initial=0)
        np.subtract(1.0, 2.0 * parity, out=out[..., m])
    return out
