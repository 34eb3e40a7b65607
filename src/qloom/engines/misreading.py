"""Bits that are read wrongly: drawn one by one, or counted where there are few outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from qloom.circuits.operations import Operation
from qloom.engines.batch import Batch
from qloom.engines.measuring.samplers import MOST_COUNTED, Sampler, Tally, drawn_shares, outcome_bits
from qloom.engines.readout import Confusion, on_bits
from qloom.engines.streams import Stream


class MisreadSampler(Sampler):
    """Bits of another sampler, read wrongly by chance.

    Args:
        sampler: measures `qubits`, which hold all that the readout errors act on together.
        n_bits: how many of them, the first, are given.
    """

    def __init__(self, sampler: Sampler, qubits: tuple[int, ...], errors: Sequence[Operation], n_bits: int):
        self._sampler, self.n_bits, self.threads = sampler, n_bits, sampler.threads
        self._counts = 2**sampler.n_bits <= MOST_COUNTED
        self._all_bits = outcome_bits(np.arange(2**n_bits if self._counts else 0), n_bits)
        self._confusions = [Confusion(op) for op in errors if set(op.qubits) & set(qubits)]
        self._places = [[qubits.index(q) for q in one.qubits] for one in self._confusions]

    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        bits = self._sampler.draw(batch, shots, stream)
        for confusion, places in zip(self._confusions, self._places, strict=True):
            powers = 1 << np.arange(len(places))[::-1]
            true = bits[..., places] @ powers
            # Columns summed down are cumulative over measured outcomes; samples share them or have their own.
            ladder = np.cumsum(np.swapaxes(confusion.matrix(batch), -1, -2), axis=-1)
            ladder = np.broadcast_to(ladder, (batch.size, *ladder.shape[-2:]))
            steps = ladder[np.arange(batch.size)[:, None], true]
            uniform = stream.generator().random(true.shape)[..., None]
            read = np.minimum((uniform >= steps).sum(axis=-1), len(powers) and 2 ** len(places) - 1)
            bits[..., places] = (read[..., None] // powers) & 1
        return bits[..., : self.n_bits]

    def table(self, batch: Batch) -> np.ndarray | None:
        table = self._sampler.table(batch)
        return None if table is None else self._read(table, batch, lambda flat, matrix: matrix @ flat)

    def tally(self, batch: Batch, shots: int, stream: Stream) -> Tally:
        """Shots are misread one by one: counts of few outcomes are those of what is read, or are shared out."""
        if not self._counts:
            return super().tally(batch, shots, stream)
        if (table := self.table(batch)) is not None:
            return Tally(self._all_bits, drawn_shares(np.maximum(table, 0), shots, stream, self.threads))
        true = self._sampler.tally(batch, shots, stream).table() * shots
        generator = stream.generator()

        def share_out(counts: np.ndarray, matrix: np.ndarray) -> np.ndarray:
            """Of counts (B, true, rest), drawn column by column: (B, measured, rest)."""
            columns = np.swapaxes(matrix, -1, -2)[..., None, :]
            drawn = generator.multinomial(counts, np.broadcast_to(columns, (*counts.shape, columns.shape[-1])))
            return np.moveaxis(drawn.sum(axis=1), -1, 1)

        return Tally(self._all_bits, self._read(np.rint(true).astype(np.int64), batch, share_out) / shots)

    def _read(self, table: np.ndarray, batch: Batch, change: Any) -> np.ndarray:
        """A table of true outcomes (B, 2^k), changed by one confusion after the other, of the bits that are given."""
        for confusion, places in zip(self._confusions, self._places, strict=True):
            table = on_bits(table, places, partial(change, matrix=confusion.matrix(batch)))
        return table.reshape(batch.size, 2**self.n_bits, -1).sum(axis=-1)

    def numbers_a_sample(self, shots: int) -> int:
        if self._counts:
            return max(self._sampler.numbers_a_sample(shots), 2 ** (self._sampler.n_bits + 1))
        return max(self._sampler.numbers_a_sample(shots), 8 * shots * max(1, self.n_bits))
