"""Programs of Pauli rotations on batches of state vectors, forward and backward."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Wants
from qloom.engines.batch import Batch, check_memory, check_shapes
from qloom.engines.statevector.program import Program
from qloom.engines.statevector.register import n_bits
from qloom.errors import ShapeError

# Final states kept from the forward walk spare the backward one a second run: of a batch up to this many bytes, of one
# sample always, since the walk back then needs no other copy.
MOST_KEPT_BYTES = 1 << 26
# Of fewer samples threads share one large state (FEW in cpp/statevector/engine.cpp).
FEW_SAMPLES = 4


class StatevectorEvaluator(DifferentiableEvaluator):
    """A lowered circuit in the native engine's hands."""

    reads_tensors = True

    def __init__(
        self, circuit: Circuit, program: Program, native: Any, n_outputs: int, n_threads: int, any_norm: bool = False
    ):
        self.circuit = circuit.copy()
        self.program, self._native = program, native
        self.n_outputs, self.n_threads, self.any_norm = n_outputs, n_threads, any_norm

    def __reduce__(self) -> Any:  # the native program is made again from the circuit
        raise TypeError("an evaluator is not pickled; pickle the circuit and prepare it again")

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        self.check(batch.inputs, batch.weights, states=2 if keep else 1)
        values = np.empty((batch.size, self.n_outputs), batch.dtype)
        return values, self.forward_into(values, batch.inputs, batch.weights, keep)

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        d_inputs = np.empty_like(batch.inputs) if wants[0] else None
        d_weights = np.empty_like(batch.weights) if wants[1] else None
        cotangents = np.ascontiguousarray(cotangents, batch.dtype)
        self.backward_into(d_inputs, d_weights, batch.inputs, batch.weights, cotangents, kept)
        return d_inputs, d_weights

    # -- the same on arrays of any library that the native side reads: contiguous, on the CPU, of one dtype

    def forward_into(self, values: Any, inputs: Any, weights: Any, keep: bool, flips: Any = None) -> Any:
        """Fill `values` (B, O) and give back what `forward` would beside it.

        Args:
            flips: (B, numbers) uint64; where bit r of a sample's is 1, the program's rotation r turns the other way.
        """
        # What is kept is for a walk back, which needs a second state: where that has no room, nothing is begun.
        self.check(inputs, weights, states=2 if keep else 1)
        kept = self.room_for(inputs.shape[0], inputs.itemsize) if keep else None
        _native.forward(self._native, inputs, weights, values, kept, self.n_threads, flips)
        return kept

    def backward_into(
        self, d_inputs: Any, d_weights: Any, inputs: Any, weights: Any, cotangents: Any, kept: Any, flips: Any = None
    ) -> None:
        """Fill `d_inputs` and `d_weights`, shaped as inputs and weights; None is not wanted."""
        self.check(inputs, weights, states=2 if kept is None else 1, with_outputs=False)
        expected = (inputs.shape[0], self.n_outputs)
        if cotangents.shape != expected:
            raise ShapeError(f"cotangents has shape {tuple(cotangents.shape)}, expected {expected}")
        _native.backward(
            self._native, inputs, weights, cotangents, kept, d_inputs, d_weights,
            None if self.trained is None else self.trained.view(np.uint8), self.n_threads, flips,
        )  # fmt: skip

    def room_for(self, n_samples: int, itemsize: int) -> Any:
        """For final states of so many samples; None where they are too many to be kept."""
        n_bytes = itemsize * self._native.kept_size(n_samples, itemsize == 8)
        return _native.Kept(n_bytes) if n_samples == 1 or n_bytes <= MOST_KEPT_BYTES else None

    def check(self, inputs: Any, weights: Any, states: int, with_outputs: bool = True) -> None:
        """Refuse arrays that do not fit the circuit, or states that have no room."""
        check_shapes(inputs, weights, self.program.n_inputs, self.program.n_weights)
        # Small registers run in tiles of a few samples: only large ones are worth asking the system.
        if self.program.n_qubits >= 20 or len(inputs) * self.n_outputs > 1 << 24:
            needed = self.bytes_needed(len(inputs), inputs.itemsize, states, states if with_outputs else 0)
            wide, n = self.program.n_qubits, self.n_bits
            within = "" if n == wide else f", in states of {n},"
            check_memory(needed, f"{len(inputs)} samples of {wide} qubits{within}, {self.n_outputs} outputs")

    def bytes_needed(self, n_samples: int, itemsize: int, states: int, outputs: int) -> int:
        """Bytes of so many states and arrays of values (B, O): one each for a walk forward, two for one back too.

        Threads have states of their own where there are samples for them, and share one otherwise.
        """
        at_once = 1 if n_samples < FEW_SAMPLES else min(n_samples, self.n_threads)
        sums = 8 * self.n_outputs * at_once if outputs and self.program.measured is not None else 0
        parts = 1 if self._native.is_real else 2
        return itemsize * (states * parts * 2**self.n_bits * at_once + outputs * n_samples * self.n_outputs) + sums

    @cached_property
    def n_bits(self) -> int:
        """2 to this power are the amplitudes of a state."""
        return n_bits(self.program)
