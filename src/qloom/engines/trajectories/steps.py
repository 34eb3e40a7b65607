"""Circuits with channels as the native side walks them, step by step, and the numbers that a call gives the steps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.batch import MOST_NUMBERS, Batch, check_memory, initial_states
from qloom.engines.outputs import Expectations, Outputs, Probabilities
from qloom.engines.trajectories.operators import Operators, n_operators
from qloom.engines.trajectories.rates import Drawn, Rates, values_of
from qloom.errors import CircuitError
from qloom.observables import word_from_letters

MOST_QUBITS = 30
# Gates without slots on up to so many qubits are one matrix.
_MOST_MATRIX_QUBITS = 3


class Steps:
    """A circuit as the native side walks it.

    Attributes:
        angles: of rotations, in order.
        paulis, channels: Pauli channels, and those with Kraus operators.
    """

    def __init__(self, circuit: Circuit, outputs: Outputs | None):
        if circuit.n_qubits > MOST_QUBITS:
            raise CircuitError(f"trajectories of states of {circuit.n_qubits} qubits, expected at most {MOST_QUBITS}")
        self.n_qubits = circuit.n_qubits
        self.native = _native.Branching(circuit.n_qubits, 0 if outputs is None else outputs.size)
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
        if outputs is not None:
            self._measure(outputs)

    def _bit(self, qubit: int) -> int:
        return self.n_qubits - 1 - qubit

    def masks(self, x: int, z: int) -> tuple[int, int]:
        """Of a word, as masks of an index."""
        x, z = (sum((mask >> q & 1) << self._bit(q) for q in range(self.n_qubits)) for mask in (x, z))
        return x, z

    def _add_gate(self, op: Operation, bits: list[int]) -> None:
        if len(bits) <= _MOST_MATRIX_QUBITS and all(angle.is_number for angle in op.angles):
            matrix = op.gate.matrix(*(angle.offset for angle in op.angles))
            self.native.matrix(bits, np.ascontiguousarray(matrix, complex))
            return
        for letters, angle in op.gate.expansion(*op.angles).rotations:
            self.native.rotation(*self.masks(*word_from_letters(letters, op.qubits)))
            self.angles.append(angle if isinstance(angle, Angle) else Angle("number", 0, 0.0, float(angle)))

    def _measure(self, outputs: Outputs) -> None:
        if isinstance(outputs, Probabilities):
            return self.native.measure_outcomes([self._bit(q) for q in outputs.qubits])  # type: ignore[no-any-return]
        assert isinstance(outputs, Expectations)
        for place, observable in enumerate(outputs.observables):
            for coefficient, word in observable:
                self.native.measure_term(float(np.real(coefficient)), *self.masks(*word), place)


@lru_cache(maxsize=128)
def steps_of(circuit: Circuit, outputs: Outputs | None) -> Steps:
    """A circuit's steps; outputs is None where no means are asked for."""
    return Steps(circuit, outputs)


class _Hazardless:
    """Stands for the native side of Pauli channels where their errors are not drawn by waits."""

    def hazards(self, probabilities: np.ndarray, hazards: np.ndarray) -> None:
        hazards[:] = 0


class Given:
    """What a circuit's steps are given at the samples of a batch.

    Attributes:
        steps, rates, operators: the native side's, of Pauli channels, of those with Kraus operators.
    """

    def __init__(self, circuit: Circuit, outputs: Outputs | None):
        self._circuit, self.steps = circuit, steps_of(circuit, outputs)
        self.operators = Operators(self.steps.channels)
        self.rates = Rates(self.steps.paulis, _Hazardless())

    def numbers(self, batch: Batch) -> tuple[np.ndarray, ...]:
        """Angles, probabilities of Pauli words, operators, initial states: a row for all samples or one each."""
        angles = np.atleast_2d(values_of(self.steps.angles, batch)) if self.steps.angles else np.zeros((1, 0))
        drawn: Drawn = self.rates.at(batch)
        return np.ascontiguousarray(angles), drawn.probabilities, self.operators.at(batch), self._start(batch)

    def _start(self, batch: Batch) -> np.ndarray:
        size, initial = 2**self._circuit.n_qubits, self._circuit.initial
        if initial is None:
            return np.eye(1, size, dtype=complex)
        return initial_states(initial, batch, self._circuit.n_qubits)

    def check(self, states: int, n_threads: int) -> None:
        """Refuse states that would not fit."""
        n = self._circuit.n_qubits
        if states * 2**n > MOST_NUMBERS // 64:
            check_memory(16 * states * 2**n * n_threads, f"{states} states of {n} qubits a thread")


def part_of(numbers: np.ndarray, samples: slice) -> np.ndarray:
    """Of some samples."""
    return numbers if len(numbers) == 1 else numbers[samples]
