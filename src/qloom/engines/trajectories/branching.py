"""Trajectories of circuits with any channels: a state vector each, and at every channel one of its Kraus operators.

An operator is drawn with the probability |K psi|^2 that the state gives it, so values are unbiased. Derived is the mean
of the unnormalised <psi|O|psi> over paths, divided by the probability of the path that was drawn: its slopes are
unbiased too, by rates and by angles before a channel, which change those probabilities. Against their spread the mean
of a sample's other trajectories is taken off O. In double precision, whatever the arrays are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Estimate, Wants
from qloom.engines.batch import MOST_NUMBERS, Batch, check_memory
from qloom.engines.outputs import Expectations, Outputs, Probabilities
from qloom.engines.streams import Stream
from qloom.engines.trajectories.operators import Operators, n_operators
from qloom.engines.trajectories.rates import Drawn, Rates, values_of
from qloom.errors import CircuitError, ShapeError
from qloom.observables import word_from_letters

MOST_QUBITS = 30
# Gates without slots on up to so many qubits are one matrix.
_MOST_MATRIX_QUBITS = 3


class _Steps:
    """A circuit as the native side walks it.

    Attributes:
        angles: of rotations, in order.
        paulis, channels: Pauli channels, and those with Kraus operators.
    """

    def __init__(self, circuit: Circuit, outputs: Outputs):
        if circuit.n_qubits > MOST_QUBITS:
            raise CircuitError(f"trajectories of states of {circuit.n_qubits} qubits, expected at most {MOST_QUBITS}")
        self.n_qubits = circuit.n_qubits
        self.native = _native.Branching(circuit.n_qubits, outputs.size)
        self.angles: list[Angle] = []
        self.paulis: list[Operation] = []
        channels: list[Operation] = []
        for op in circuit.operations:
            bits = [self._bit(q) for q in op.qubits]
            if op.gate.is_unitary:
                self._add_gate(op, bits)
            elif op.gate.pauli is not None:
                self.native.pauli(bits)
                self.paulis.append(op)
            else:
                channels.append(op)
                self.native.kraus(bits, n_operators(op))
        self.channels = tuple(channels)
        self._measure(outputs)

    def _bit(self, qubit: int) -> int:
        return self.n_qubits - 1 - qubit

    def _masks(self, x: int, z: int) -> tuple[int, int]:
        x, z = (sum((mask >> q & 1) << self._bit(q) for q in range(self.n_qubits)) for mask in (x, z))
        return x, z

    def _add_gate(self, op: Operation, bits: list[int]) -> None:
        if len(bits) <= _MOST_MATRIX_QUBITS and all(angle.is_number for angle in op.angles):
            matrix = op.gate.matrix(*(angle.offset for angle in op.angles))
            self.native.matrix(bits, np.ascontiguousarray(matrix, complex))
            return
        for letters, angle in op.gate.expansion(*op.angles).rotations:
            self.native.rotation(*self._masks(*word_from_letters(letters, op.qubits)))
            self.angles.append(angle if isinstance(angle, Angle) else Angle("number", 0, 0.0, float(angle)))

    def _measure(self, outputs: Outputs) -> None:
        if isinstance(outputs, Probabilities):
            return self.native.measure_outcomes([self._bit(q) for q in outputs.qubits])  # type: ignore[no-any-return]
        assert isinstance(outputs, Expectations)
        for place, observable in enumerate(outputs.observables):
            for coefficient, word in observable:
                self.native.measure_term(float(np.real(coefficient)), *self._masks(*word), place)


@lru_cache(maxsize=128)
def _steps(circuit: Circuit, outputs: Outputs) -> _Steps:
    return _Steps(circuit, outputs)


class _Hazardless:
    """Stands for the native side of Pauli channels where their errors are not drawn by waits."""

    def hazards(self, probabilities: np.ndarray, hazards: np.ndarray) -> None:
        hazards[:] = 0


class BranchingEvaluator(DifferentiableEvaluator):
    """Means over trajectories of a circuit with channels of any kind."""

    stream: Stream

    def __init__(self, circuit: Circuit, outputs: Outputs, n_trajectories: int, stream: Stream, n_threads: int):
        self._steps = _steps(circuit, outputs)
        self.circuit, self.n_outputs, self.any_norm = circuit.copy(), outputs.size, outputs.any_norm
        self.n_trajectories, self.stream, self.n_threads = n_trajectories, stream, n_threads
        self._operators = Operators(self._steps.channels)
        self._rates = Rates(self._steps.paulis, _Hazardless())

    def __reduce__(self) -> Any:
        raise TypeError("an evaluator is not pickled; pickle the circuit and prepare it again")

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        place, means, _ = self._means(batch)
        return means.astype(batch.dtype), (place, means) if keep else None

    def estimate(self, batch: Batch) -> Estimate:
        """Errors are those of the spread of trajectories, infinite of a single one: it says nothing of its spread."""
        _, means, squares = self._means(batch)
        n = self.n_trajectories
        errors = np.sqrt(squares / (n - 1) / n) if n > 1 else np.full_like(means, np.inf)
        return Estimate(means.astype(batch.dtype), errors.astype(batch.dtype), batch.size * n)

    def _means(self, batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the random numbers stand, means and sums of squared differences from them (B, O)."""
        self._check(batch, states=1)
        place = self.stream.call()
        means, squares = np.zeros((batch.size, self.n_outputs)), np.zeros((batch.size, self.n_outputs))
        numbers = self._numbers(batch)
        for samples, rows in self._pieces(batch):
            values = np.empty((rows[1], rows[4], self.n_outputs))
            self._steps.native.forward(*(_part(n, samples) for n in numbers), place, rows, values, self.n_threads)
            before, mine = means[samples].copy(), values.mean(axis=1)
            total, share = rows[3] + rows[4], rows[4] / (rows[3] + rows[4])
            squares[samples] += ((values - mine[:, None]) ** 2).sum(axis=1)
            squares[samples] += (mine - before) ** 2 * rows[3] * rows[4] / total
            means[samples] = before + (mine - before) * share
        return place, means, squares

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        if cotangents.shape != (batch.size, self.n_outputs):
            raise ShapeError(f"cotangents has shape {cotangents.shape}, expected {(batch.size, self.n_outputs)}")
        self._check(batch, states=3 + len(self._steps.channels))
        place, means = self._means(batch)[:2] if kept is None else kept
        d_inputs = np.zeros(batch.inputs.shape) if wants[0] else None
        d_weights = np.zeros(batch.weights.shape) if wants[1] else None

        def array(angle: Angle) -> Any:
            if angle.is_number:
                return None
            return d_inputs if angle.source == "input" else d_weights if self.wants_weight(angle.index) else None

        self._walk_back(batch, np.ascontiguousarray(cotangents, np.float64), place, means, array, d_inputs)
        found = [None if d is None else d.astype(batch.dtype) for d in (d_inputs, d_weights)]
        return found[0], found[1]

    def _walk_back(self, batch: Batch, cotangents: Any, place: Any, means: Any, array: Any, d_inputs: Any) -> None:
        numbers, size = self._numbers(batch), batch.size
        scores = np.zeros((size, numbers[1].shape[1])) if self._rates.wants(array) else None
        d_angles = np.zeros((size, len(self._steps.angles)))
        slopes = self._operators.slopes(batch, array)
        d_rates = np.zeros((size, len(slopes.rates)))
        initial = self.circuit.initial
        starts = d_inputs is not None and initial is not None and initial.values is None
        d_start = np.zeros((size, 2**self.circuit.n_qubits), complex) if starts else None
        for samples, rows in self._pieces(batch):
            out = [None if d is None else d[samples] for d in (d_angles, scores, d_rates, d_start)]
            self._steps.native.backward(
                *(_part(n, samples) for n in numbers), place, rows, cotangents[samples], means[samples], slopes.places,
                _part(slopes.entries, samples), *out, self.n_threads,
            )  # fmt: skip
        for column, angle in enumerate(self._steps.angles):
            if (total := array(angle)) is not None:
                found = angle.scale * d_angles[:, column]
                total[..., angle.index] += found if total.ndim == 2 else found.sum()
        if scores is not None:
            drawn = self._rates.at(batch)
            pooled = scores if len(drawn.probabilities) == size else scores.sum(axis=0, keepdims=True)
            self._rates.add_slopes(batch, pooled, drawn, array)
        slopes.add(d_rates, array)
        if d_start is not None:
            self._add_amplitudes(d_start, d_inputs)

    def _add_amplitudes(self, d_start: np.ndarray, d_inputs: np.ndarray) -> None:
        initial, size = self.circuit.initial, d_start.shape[1]
        assert initial is not None
        assert initial.real is not None
        d_inputs[:, initial.real : initial.real + size] += d_start.real
        if initial.imaginary is not None:
            d_inputs[:, initial.imaginary : initial.imaginary + size] += d_start.imag

    def _numbers(self, batch: Batch) -> tuple[np.ndarray, ...]:
        """Angles, probabilities of Pauli words, operators, initial states: a row for all samples or one each."""
        angles = np.atleast_2d(values_of(self._steps.angles, batch)) if self._steps.angles else np.zeros((1, 0))
        drawn: Drawn = self._rates.at(batch)
        return np.ascontiguousarray(angles), drawn.probabilities, self._operators.at(batch), self._start(batch)

    def _start(self, batch: Batch) -> np.ndarray:
        size, initial = 2**self.circuit.n_qubits, self.circuit.initial
        if initial is None:
            return np.eye(1, size, dtype=complex)
        if initial.values is not None:
            return np.array([initial.values], complex)
        assert initial.real is not None
        out = batch.inputs[:, initial.real : initial.real + size].astype(complex)
        if initial.imaginary is not None:
            out += 1j * batch.inputs[:, initial.imaginary : initial.imaginary + size]
        return out

    def _pieces(self, batch: Batch) -> Iterator[tuple[slice, list[int]]]:
        """Samples, and trajectories of each, as many as have room for their values."""
        n, most = self.n_trajectories, max(1, MOST_NUMBERS // self.n_outputs)
        together, count = max(1, most // n), min(n, most)
        for first in range(0, batch.size, together):
            samples = slice(first, min(first + together, batch.size))
            for start in range(0, n, count):
                yield samples, [first, samples.stop - first, n, start, min(count, n - start)]

    def _check(self, batch: Batch, states: int) -> None:
        n = self.circuit.n_qubits
        if states * 2**n > MOST_NUMBERS // 64:
            check_memory(16 * states * 2**n * self.n_threads, f"{states} states of {n} qubits a thread")


def _part(numbers: np.ndarray, samples: slice) -> np.ndarray:
    return numbers if len(numbers) == 1 else numbers[samples]
