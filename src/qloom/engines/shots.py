"""Values estimated from a finite number of measurements, on top of any engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine, Evaluator, FinalState, Outputs, Probabilities, n_outputs_of
from qloom.engines.batch import MOST_NUMBERS, Batch, check_memory
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from qloom.observables import Word, group_commuting, word_letters

# Turns the letter's eigenbasis into the computational one.
_BASIS_CHANGE = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
MOST_SHOTS = 2**63 - 1


def checked_shots(shots: object) -> int:
    """A number of measurements: an integer of at least 1."""
    if isinstance(shots, bool) or not isinstance(shots, int | np.integer) or shots < 1:
        raise CircuitError(f"shots={shots!r}, expected an integer of at least 1, or None for exact values")
    if shots > MOST_SHOTS:
        raise CircuitError(f"shots={shots}, expected at most 2^63 - 1")
    return int(shots)


class ShotEvaluator(Evaluator):
    """Averages over `shots` measurements of each group of words that can be measured together.

    Args:
        engine: gives the exact outcome probabilities that are sampled from.
        circuit: what is measured.
        outputs: Pauli sums or probabilities.
        shots: measurements of each group, at least 1.
        seed: of the stream of random numbers, which goes on from call to call; None for fresh entropy; or a `Stream`.
    """

    def __init__(self, engine: Engine, circuit: Circuit, outputs: Outputs, shots: int, seed: int | Stream | None):
        if isinstance(outputs, FinalState):
            raise UnsupportedError(f"a state is not measured, got shots={shots}; ask for it without shots")
        self.deterministic = False
        self.circuit = circuit.copy()
        self.shots = checked_shots(shots)
        self.n_outputs = n_outputs_of(outputs)
        self._stream = seed if isinstance(seed, Stream) else Stream(seed)
        # Each with what an outcome adds to the outputs; None where outcomes are the outputs.
        self._groups: list[tuple[Evaluator, np.ndarray | None]] = []
        self._constant = np.broadcast_to(0.0, (self.n_outputs,))
        if isinstance(outputs, Probabilities):
            self._groups.append((engine.prepare_exact(circuit, outputs), None))
        else:
            self._plan(engine, outputs)

    def _plan(self, engine: Engine, outputs: tuple) -> None:
        words = dict.fromkeys(word for observable in outputs for word in observable.terms if word != (0, 0))
        self._constant = np.array([float(o.terms.get((0, 0), 0.0)) for o in outputs])
        for group in group_commuting(words):
            letters: dict[int, str] = {}
            for word in group:
                letters |= word_letters(word)
            rotated = self.circuit.copy()
            for qubit, letter in letters.items():
                for gate in _BASIS_CHANGE[letter]:
                    rotated.append(gate, (), (qubit,))
            qubits = tuple(sorted(letters))
            exact = engine.prepare_exact(rotated, Probabilities(qubits))
            self._groups.append((exact, _outcome_values(group, qubits, outputs)))

    @property
    def n_groups(self) -> int:  # type: ignore[override]
        return len(self._groups)

    def go_on_from(self, other: Any) -> None:
        self._stream = getattr(other, "_stream", self._stream)

    def values(self, batch: Batch) -> np.ndarray:
        if batch.size * self.n_outputs > MOST_NUMBERS:
            check_memory(16 * batch.size * self.n_outputs, f"{batch.size} samples of {self.n_outputs} outputs")
        total = np.tile(self._constant, (batch.size, 1))
        for exact, outcome_values in self._groups:
            pieces = [self._shares(exact, piece, self.shots) for piece in batch.pieces(exact.n_outputs)]
            values = [shares if outcome_values is None else shares @ outcome_values for shares in pieces]
            total += np.concatenate(values) if values else 0.0
        return total.astype(batch.dtype)

    def measure(self, batch: Batch, cotangents: np.ndarray, shots: int) -> tuple[np.ndarray, np.ndarray]:
        """Sums over outputs, weighted by cotangents, from `shots` measurements a group, and how much single ones vary.

        Shapes: cotangents (B, O) -> sums (B,), variances of one measurement of each group (B,), unbiased.
        """
        sums, variances = cotangents @ self._constant, np.zeros(batch.size)
        for exact, outcome_values in self._groups:
            first = 0
            for piece in batch.pieces(exact.n_outputs):
                rows = slice(first, first := first + piece.size)
                weighed = cotangents[rows] if outcome_values is None else cotangents[rows] @ outcome_values.T
                shares = self._shares(exact, piece, shots)
                means = (shares * weighed).sum(axis=1)
                sums[rows] += means
                variances[rows] += (shares * (weighed - means[:, None]) ** 2).sum(axis=1) * shots / max(shots - 1, 1)
        return sums, variances

    def _shares(self, exact: Evaluator, piece: Batch, shots: int) -> np.ndarray:
        """Of each outcome among the measurements, (B, 2^k)."""
        probabilities = exact.values(piece).astype(np.float64)
        if not np.isfinite(probabilities).all():
            raise ShapeError("inputs or weights hold NaN or infinity, expected finite numbers to measure with shots")
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return self._stream.multinomial(shots, probabilities) / shots


def _outcome_values(group: list[Word], qubits: tuple[int, ...], outputs: tuple) -> np.ndarray:
    """What each outcome of the measured qubits adds to each output, (2^k, O)."""
    check_memory(
        8 * 2 ** len(qubits) * len(outputs), f"outcomes of {len(qubits)} qubits for {len(outputs)} observables"
    )
    outcomes = np.arange(2 ** len(qubits))
    table = np.zeros((len(outcomes), len(outputs)))
    for word in group:
        support = word[0] | word[1]
        mask = sum(1 << (len(qubits) - 1 - j) for j, q in enumerate(qubits) if support >> q & 1)
        signs = 1.0 - 2.0 * (np.bitwise_count(outcomes & mask) & 1)
        for o, observable in enumerate(outputs):
            table[:, o] += float(np.real(observable.terms.get(word, 0.0))) * signs
    return table
