"""Batches of density matrices, as vectors over Pauli words, forward and backward."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Wants
from qloom.engines.batch import Batch, check_memory, check_shapes, initial_states, starts_from_inputs
from qloom.engines.density.program import Compiled
from qloom.engines.density.start import add_slopes, pauli_vectors
from qloom.engines.density.transfers import Chain, Transfers, Values
from qloom.errors import ShapeError

# Less than this is not worth asking the system for.
_LEAST_CHECKED = 1 << 28
# States before all sweeps, kept from the way there, spare the way back finding them again: of a batch up to this many
# bytes.
_MOST_KEPT = 1 << 27


class _Numbers(NamedTuple):
    """What a call's arrays come to: numbers of the maps, what slopes by them are found from, the start; states kept."""

    values: Values
    chains: list[Chain]
    start: np.ndarray | None
    states: Any = None


class DensityEvaluator(DifferentiableEvaluator):
    """A compiled circuit in the native engine's hands.

    The walk back needs the states before its sweeps. They stay from the way there, up to 128 MB a batch, or are found
    again, up to 256 MB a state that is worked on; beyond that those before every s-th of S sweeps, s about the root of
    S, and the others are found again: 2 sqrt(S) states in all. Channels are never undone: some cannot be, and others
    only with large errors.
    """

    walk_cost = 3

    def __init__(self, circuit: Circuit, compiled: Compiled, n_outputs: int, n_threads: int):
        self.circuit = circuit.copy()
        self.n_outputs, self.n_threads = n_outputs, n_threads
        self._compiled = compiled
        self._start = self._fixed_start()

    def __reduce__(self) -> Any:  # the native program is made again from the circuit
        raise TypeError("an evaluator is not pickled; pickle the circuit and prepare it again")

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        self._check(batch, back=False, kept=self._kept_bytes(batch) if keep else 0)
        if not batch.size:
            return np.empty((0, self.n_outputs), batch.dtype), None
        transfers, reading = self._transfers(batch), self._compiled.reading
        numbers = self._numbers(batch)
        if keep:
            numbers = numbers._replace(states=self._room_for_states(batch))
        read = np.empty((batch.size, len(reading.cells)), batch.dtype)
        _native.density_forward(
            self._compiled.native, *numbers.values, transfers.columns, transfers.is_own, numbers.start, read,
            numbers.states, self.n_threads,
        )  # fmt: skip
        return reading.values(read).astype(batch.dtype), numbers if keep else None

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        self._check(batch, back=True)
        if cotangents.shape != (batch.size, self.n_outputs):
            raise ShapeError(f"cotangents has shape {tuple(cotangents.shape)}, expected {(batch.size, self.n_outputs)}")
        if not batch.size:
            return np.zeros_like(batch.inputs) if wants[0] else None, np.zeros_like(batch.weights) if wants[1] else None
        transfers = self._transfers(batch)
        numbers: _Numbers = self._numbers(batch) if kept is None else kept
        by_values = Values(*(np.zeros(each.shape) for each in numbers.values))
        by_start = self._room_for_start(batch, wants)
        _native.density_backward(
            self._compiled.native, *numbers.values, transfers.columns, transfers.is_own, numbers.start,
            np.ascontiguousarray(self._compiled.reading.cotangents(cotangents), batch.dtype),
            transfers.wanted(wants, self.trained), *by_values, by_start, numbers.states, self.n_threads,
        )  # fmt: skip
        d_inputs, d_weights = np.zeros(batch.inputs.shape), np.zeros(batch.weights.shape)
        transfers.slopes(batch, by_values, numbers.chains, d_inputs, d_weights)
        if by_start is not None:
            initial = self.circuit.initial
            assert initial is not None
            states = initial_states(initial, batch, self.circuit.n_qubits)
            add_slopes(initial, states, by_start.astype(float), self._compiled.register, d_inputs)
        if self.trained is not None:
            d_weights[..., ~self.trained] = 0
        return (
            d_inputs.astype(batch.dtype) if wants[0] else None,
            d_weights.astype(batch.dtype) if wants[1] else None,
        )

    def _kept_bytes(self, batch: Batch) -> int:
        """Of the states that stay for the way back; 0 where they are too many."""
        n_bytes: int = self._compiled.native.kept_bytes(batch.size, batch.dtype.itemsize == 8)
        return n_bytes if n_bytes <= _MOST_KEPT else 0

    def _room_for_states(self, batch: Batch) -> Any:
        n_bytes = self._kept_bytes(batch)
        return _native.Kept(n_bytes) if n_bytes else None

    def _transfers(self, batch: Batch) -> Transfers:
        return self._compiled.transfers[batch.weights.ndim == 2]

    def _numbers(self, batch: Batch) -> _Numbers:
        values, chains = self._transfers(batch).values(batch)
        return _Numbers(values, chains, self._start_of(batch))

    # -- initial amplitudes

    def _fixed_start(self) -> np.ndarray | None:
        initial = self.circuit.initial
        if initial is None or initial.values is None:
            return None
        states = np.array(initial.values, complex)[None]
        return pauli_vectors(states, self._compiled.register)[0]

    def _start_of(self, batch: Batch) -> np.ndarray | None:
        if self._start is not None:
            return self._start.astype(batch.dtype)
        if not starts_from_inputs(self.circuit):
            return None
        assert self.circuit.initial is not None
        states = initial_states(self.circuit.initial, batch, self.circuit.n_qubits)
        return pauli_vectors(states, self._compiled.register).astype(batch.dtype)

    def _room_for_start(self, batch: Batch, wants: Wants) -> np.ndarray | None:
        if not (wants[0] and starts_from_inputs(self.circuit)):
            return None
        return np.zeros((batch.size, 4 ** len(self._compiled.register)), batch.dtype)

    # -- what is refused

    def _check(self, batch: Batch, back: bool, kept: int = 0) -> None:
        check_shapes(batch.inputs, batch.weights, self.circuit.n_inputs, self.circuit.n_weights)
        needed = self.bytes_needed(batch, back) + kept
        if needed > _LEAST_CHECKED:
            n = len(self._compiled.register)
            check_memory(needed, f"{batch.size} density matrices of {n} qubits, {self.n_outputs} outputs")

    def bytes_needed(self, batch: Batch, back: bool) -> int:
        """Bytes of states at one time, of what they start from and of what is read."""
        states: int = self._compiled.native.bytes_needed(
            max(1, batch.size), self.n_threads, back, batch.dtype.itemsize == 8
        )
        starts = 4 ** len(self._compiled.register) * starts_from_inputs(self.circuit)
        return states + 8 * batch.size * (starts + 2 * len(self._compiled.reading.cells) + 2 * self.n_outputs)
