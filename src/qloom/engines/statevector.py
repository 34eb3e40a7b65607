"""The native engine: programs of Pauli rotations on batches of state vectors, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.parameters import Angle
from qloom.engines.base import AdjointEvaluator, Engine, Outputs, n_outputs_of
from qloom.engines.batch import Batch, check_memory
from qloom.engines.native_program import prepared, prepared_states
from qloom.errors import CircuitError, ShapeError

MOST_THREADS = 1024
# Final states kept from the forward walk spare the backward one a second run, up to this many bytes.
MOST_KEPT_BYTES = 1 << 26


class StatevectorEngine(Engine):
    """Exact simulation on the CPU.

    Args:
        threads: how many to use; None for all this process may run on. Results do not depend on it.
    """

    def __init__(self, threads: int | None = None):
        if threads is not None and (type(threads) is not int or not 1 <= threads <= MOST_THREADS):
            raise CircuitError(f"threads={threads!r}, expected an integer from 1 to {MOST_THREADS}, or None for all")
        self.threads = threads

    def __repr__(self) -> str:
        return f"StatevectorEngine(threads={self.threads})"

    @property
    def n_threads(self) -> int:
        return self.threads or _native.available_threads()

    def prepare_exact(self, circuit: Circuit, outputs: Outputs) -> StatevectorEvaluator:
        return StatevectorEvaluator(circuit, outputs, self.n_threads)

    def state(self, circuit: Circuit, batch: Batch) -> np.ndarray:
        program, native = prepared_states(circuit.copy())
        size = 2**program.n_qubits
        item = 2 * batch.dtype.itemsize
        # The walk and the permutation at the end each hold one state more.
        check_memory((batch.size + 1) * size * item, f"{batch.size} states of {program.n_qubits} qubits")
        out = np.empty((batch.size, size), np.result_type(batch.dtype, np.complex64))
        _native.states(native, batch.inputs, batch.weights, out.view(batch.dtype), self.n_threads)
        phases = np.exp(1j * _total(program.phases, batch))
        program.frame.to_basis(out, phases, self.n_threads)
        return out


class StatevectorEvaluator(AdjointEvaluator):
    """A lowered circuit in the native engine's hands."""

    def __init__(self, circuit: Circuit, outputs: Outputs, n_threads: int):
        self.circuit = circuit.copy()
        self.n_outputs = n_outputs_of(outputs)
        self.n_threads = n_threads
        self.program, self._native = prepared(self.circuit, outputs)

    def __reduce__(self) -> Any:  # the native program is made again from the circuit
        raise TypeError("an evaluator is not pickled; pickle the circuit and prepare it again")

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, np.ndarray | None]:
        self._check(batch)
        self._check_memory(batch, states=1)
        values = np.empty((batch.size, self.n_outputs), batch.dtype)
        kept = None
        if keep:
            size = self._native.kept_size(batch.size, batch.dtype == np.float64)
            kept = _aligned(size, batch.dtype) if size * batch.dtype.itemsize <= MOST_KEPT_BYTES else None
        _native.forward(self._native, batch.inputs, batch.weights, values, kept, self.n_threads)
        return values, kept

    def backward(
        self, batch: Batch, cotangents: np.ndarray, kept: np.ndarray | None, wants: tuple[bool, bool]
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        self._check(batch)
        if cotangents.shape != (batch.size, self.n_outputs):
            raise ShapeError(f"cotangents has shape {cotangents.shape}, expected {(batch.size, self.n_outputs)}")
        if kept is not None and kept.size != self._native.kept_size(batch.size, batch.dtype == np.float64):
            raise ShapeError(
                f"kept states of {kept.size} numbers are those of another batch, expected this one's or None"
            )
        self._check_memory(batch, states=2)
        d_inputs = np.zeros_like(batch.inputs) if wants[0] else None
        d_weights = np.zeros_like(batch.weights) if wants[1] else None
        cotangents = np.ascontiguousarray(cotangents, batch.dtype)
        if batch.size:
            _native.backward(
                self._native,
                batch.inputs,
                batch.weights,
                cotangents,
                kept,
                d_inputs,
                d_weights,
                self.n_threads,
            )
        return d_inputs, d_weights

    def _check(self, batch: Batch) -> None:
        """What the native side trusts blindly."""
        c, w = self.circuit, batch.weights
        own = w.ndim == 2 and len(w) == batch.size
        if batch.inputs.shape[1:] != (c.n_inputs,) or w.shape[-1:] != (c.n_weights,) or not (w.ndim == 1 or own):
            raise ShapeError(
                f"inputs has shape {batch.inputs.shape} and weights {w.shape}, "
                f"expected (B, {c.n_inputs}) and ({c.n_weights},) or (B, {c.n_weights})"
            )

    def _check_memory(self, batch: Batch, states: int) -> None:
        # Small registers run in tiles of a few samples: only large ones are worth asking the system.
        n = self.program.n_qubits
        if n >= 20 or batch.size * self.n_outputs > 1 << 24:
            state = 2 * batch.dtype.itemsize * 2**n
            values = batch.size * self.n_outputs * batch.dtype.itemsize
            check_memory(states * state + values, f"{batch.size} samples of {n} qubits, {self.n_outputs} outputs")


def _aligned(size: int, dtype: np.dtype[Any]) -> np.ndarray:
    """An empty array that starts at a multiple of 64 bytes, as the kernels need it."""
    raw = np.empty(size * dtype.itemsize + 63, np.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + size * dtype.itemsize].view(dtype)


def _total(angles: tuple[Angle, ...], batch: Batch) -> np.ndarray:
    total = np.zeros(batch.size)
    for angle in angles:
        total += angle.offset
        if angle.source == "input":
            total += angle.scale * batch.inputs[:, angle.index]
        elif angle.source == "weight":
            total += angle.scale * batch.weights[..., angle.index]
    return total
