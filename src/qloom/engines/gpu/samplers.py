"""Bits drawn on a device, a thread a shot."""

from __future__ import annotations

import numpy as np
import torch

from qloom.engines.batch import Batch
from qloom.engines.gpu.evaluator import GpuEvaluator
from qloom.engines.gpu.machine import Call
from qloom.engines.gpu.packing import NUMPY_REALS
from qloom.engines.gpu.shapes import MOST_THREADS, OF_A_THREAD
from qloom.engines.measuring.samplers import OutcomeMap, TableSampler, checked_table, outcome_bits
from qloom.engines.streams import Stream

# Threads that go on to further shots when there are more.
_MOST_BLOCKS = 1 << 16


class GpuSampler(TableSampler):
    """Draws from probabilities that stay on the device; only outcomes come back.

    Random numbers are found by the same key, call, row and shot as on the CPU, and read as a place among the summed up
    probabilities: of few outcomes the CPU reads them another way, so that the bits of one seed differ.
    """

    evaluator: GpuEvaluator

    def __init__(self, evaluator: GpuEvaluator, outcomes: OutcomeMap | None = None):
        super().__init__(evaluator, outcomes)

    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        outcomes = np.empty((batch.size, shots), np.int64)
        first = 0
        for piece in batch.pieces(self.evaluator.n_outputs):
            outcomes[first : first + piece.size] = self._drawn(piece, shots, stream.call())
            first += piece.size
        return self._measured(outcome_bits(outcomes, self._n_table_bits))

    def _added_up(self, values: torch.Tensor) -> torch.Tensor:
        """Probabilities with all before them, in a fixed order, which torch's own sums on a device need not have."""
        rows, n = values.shape
        parts = -(-n // (MOST_THREADS * OF_A_THREAD))
        table = torch.empty((rows, n), dtype=torch.float64, device=values.device)
        partial = torch.empty((rows, parts), dtype=torch.float64, device=values.device)
        call = Call()
        call.values, call.partial, call.sums = values.data_ptr(), partial.data_ptr(), table.data_ptr()
        call.n_local, call.n_parts, call.n_columns = rows, parts, n
        shared = 8 * MOST_THREADS
        variant = self.evaluator.packed(values.dtype, False).variant
        launch = self.evaluator.machine.launch
        launch("add_parts", variant, rows * parts, MOST_THREADS, shared, call)
        launch("add_up_parts", variant, -(-rows // MOST_THREADS), MOST_THREADS, 0, call)
        launch("add_up", variant, rows * parts, MOST_THREADS, shared, call)
        return table

    def _drawn(self, batch: Batch, shots: int, place: np.ndarray) -> np.ndarray:
        evaluator, machine = self.evaluator, self.evaluator.machine
        inputs, weights = evaluator.there(batch.inputs), evaluator.there(batch.weights)
        values = inputs.new_empty((batch.size, evaluator.n_outputs))
        evaluator.forward_into(values, inputs, weights, keep=False)
        table = self._added_up(values)
        checked_table(np.array([values.min().item(), values.max().item(), table[:, -1:].min().item()]))
        outcomes = torch.empty((batch.size, shots), dtype=torch.int64, device=machine.device)
        call = Call()
        call.table, call.outcomes = table.data_ptr(), outcomes.data_ptr()
        call.n_local, call.shots, call.n_columns = batch.size, shots, evaluator.n_outputs
        call.key_low, call.key_high, call.call_number = (int(number) for number in place)
        variant = evaluator.packed(NUMPY_REALS[batch.dtype], False).variant
        blocks = min(_MOST_BLOCKS, -(-batch.size * shots // MOST_THREADS))
        machine.launch("draw", variant, blocks, MOST_THREADS, 0, call)
        return outcomes.numpy(force=True)
