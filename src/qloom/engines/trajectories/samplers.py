"""Measurements of noisy circuits: every shot has errors of its own, and so a trajectory of its own."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.batch import MOST_NUMBERS, Batch
from qloom.engines.measuring.samplers import (
    MOST_COUNTED,
    Sampler,
    Tally,
    checked_table,
    outcome_bits,
    outcome_numbers,
)  # fmt: skip
from qloom.engines.streams import Stream
from qloom.engines.trajectories.lanes import lanes_of
from qloom.engines.trajectories.lowering import lowered_parities
from qloom.engines.trajectories.pieces import Piece, pieces
from qloom.engines.trajectories.rates import Drawn, Rates
from qloom.engines.trajectories.steps import Given, part_of


class TrajectorySampler(Sampler):
    """Bits of Z words, a trajectory a shot; a shot's are found by the call, the sample and the shot alone.

    Attributes:
        numbers_a_row: what a shot takes while it is drawn.
    """

    numbers_a_row: int

    @abstractmethod
    def drawn(self, batch: Batch, shots: int, stream: Stream) -> Any:
        """What all pieces of a call share."""

    @abstractmethod
    def measured(self, batch: Batch, call: Any, piece: Piece) -> np.ndarray:
        """Bits (rows, k) of a piece, uint8."""

    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        bits, call = np.empty((batch.size, shots, self.n_bits), np.uint8), self.drawn(batch, shots, stream)
        for piece in pieces(batch.size, shots, self.numbers_a_row):
            first, count = piece.rows[3:]
            found = self.measured(batch, call, piece)
            bits[piece.samples, first : first + count] = found.reshape(-1, count, self.n_bits)
        return bits

    def tally(self, batch: Batch, shots: int, stream: Stream) -> Tally:
        if not self._counts:
            return super().tally(batch, shots, stream)
        call, size = self.drawn(batch, shots, stream), 2**self.n_bits
        counts = np.zeros((batch.size, size))
        for piece in pieces(batch.size, shots, self.numbers_a_row):
            samples, count = piece.rows[1], piece.rows[4]
            places = outcome_numbers(self.measured(batch, call, piece)).reshape(samples, count)
            places += size * np.arange(samples)[:, None]
            counts[piece.samples] += np.bincount(places.ravel(), minlength=samples * size).reshape(samples, size)
        return Tally(self._all_bits, counts / shots)

    def numbers_a_sample(self, shots: int) -> int:
        return 2**self.n_bits if self._counts else max(1, shots * self.n_bits)

    @property
    def _counts(self) -> bool:
        return 2**self.n_bits <= MOST_COUNTED

    @cached_property
    def _all_bits(self) -> np.ndarray:
        return outcome_bits(np.arange(2**self.n_bits), self.n_bits)


class PauliSampler(TrajectorySampler):
    """Of a circuit whose channels are all Pauli channels.

    Errors flip bits of the outcome and turn rotations round: shots of a sample with equal rotations are drawn from one
    table.
    """

    def __init__(self, circuit: Circuit, masks: tuple[int, ...], n_threads: int, machine: Any = None):
        found = lowered_parities(circuit, masks)
        self.n_bits, self._n_threads, self._n_values = len(masks), n_threads, found.n_values
        self._errors, self._outcomes = found.errors, found.measured
        self._n_table_bits = (found.n_values - 1).bit_length()
        self._rates = Rates(found.channels, found.errors)
        self._lanes = lanes_of(circuit, found.program, found.native, found.n_values, n_threads, machine)
        self.numbers_a_row = found.errors.n_flips + found.errors.n_signs + self.n_bits + 6

    def drawn(self, batch: Batch, shots: int, stream: Stream) -> tuple[np.ndarray, Drawn]:
        return stream.call(), self._rates.at(batch)

    def measured(self, batch: Batch, call: Any, piece: Piece) -> np.ndarray:
        place, drawn = call
        size, errors = piece.size, self._errors
        flips, signs = np.empty((size, errors.n_flips), np.uint64), np.empty((size, errors.n_signs), np.uint64)
        samples, places = np.empty(size, np.int64), np.empty(size, np.int64)
        count, plain = errors.draw(
            *drawn.rows(piece.samples), place, piece.rows, flips, signs, samples, places, self._n_threads
        )
        samples = samples[:count] + piece.rows[0]
        turned = None if plain == count else flips[:count]
        outcomes = self._drawn_outcomes(batch, place, piece, turned, samples, places)
        bits = self._outcomes(outcome_bits(outcomes, self._n_table_bits))
        flipped = np.unpackbits(signs.view(np.uint8), axis=1, count=self.n_bits, bitorder="little")
        return np.bitwise_xor(bits, flipped, out=bits)

    def _drawn_outcomes(
        self, batch: Batch, place: np.ndarray, piece: Piece, turned: np.ndarray | None, samples: np.ndarray,
        places: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """An outcome of every row (rows,): tables of distinct trajectories are run a few at once."""
        order = np.argsort(places, kind="stable")
        tables, numbers = places[order], _numbers_of(piece)[order]
        found = np.empty(piece.size, np.int64)
        step = max(1, MOST_NUMBERS // self._n_values)
        for first in range(0, len(samples), step):
            part = slice(first, min(first + step, len(samples)))
            own = batch.rows(samples[part])
            values = np.empty((own.size, self._n_values), batch.dtype)
            flips = None if turned is None else turned[part]
            self._lanes.forward_into(values, own.inputs, own.weights, False, flips)
            rows = slice(*np.searchsorted(tables, [part.start, part.stop]))
            which = tables[rows] - first
            _native.draw_each(checked_table(values), place, which, numbers[rows], found[rows], self._n_threads)
        outcomes = np.empty_like(found)
        outcomes[order] = found
        return outcomes


class BranchingSampler(TrajectorySampler):
    """Of a circuit with channels of any kind: a state a shot."""

    numbers_a_row = 16

    def __init__(self, circuit: Circuit, masks: tuple[int, ...], n_threads: int):
        self._given, self._n_threads, self.n_bits = Given(circuit, None), n_threads, len(masks)
        self._masks = [self._given.steps.masks(0, mask)[1] for mask in masks]

    def drawn(self, batch: Batch, shots: int, stream: Stream) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        self._given.check(1, self._n_threads)
        return stream.call(), self._given.numbers(batch)

    def measured(self, batch: Batch, call: Any, piece: Piece) -> np.ndarray:
        place, numbers = call
        indices = np.empty(piece.size, np.int64)
        parts = (part_of(n, piece.samples) for n in numbers)
        self._given.steps.native.measure(*parts, place, piece.rows, indices, self._n_threads)
        bits = np.empty((piece.size, self.n_bits), np.uint8)
        for k, mask in enumerate(self._masks):
            bits[:, k] = np.bitwise_count(indices & mask) & 1
        return bits


def _numbers_of(piece: Piece) -> np.ndarray:
    """What the native side calls each row of a piece by."""
    first_sample, samples, every, first, count = piece.rows
    return ((first_sample + np.arange(samples))[:, None] * every + first + np.arange(count)).ravel()
