"""An engine that measures another: values are averages over a finite number of measurements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from qloom.checks import is_integer
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine, Estimate, Evaluator, check_engine
from qloom.engines.batch import MOST_NUMBERS, Batch, check_memory
from qloom.engines.measuring.samplers import Sampler, Tally, outcome_numbers
from qloom.engines.outputs import Expectations, Outputs, Probabilities, as_outputs
from qloom.engines.products import product
from qloom.engines.readout import with_gates_before_readout
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, UnsupportedError
from qloom.observables import group_commuting, word_letters

# Turns the letter's eigenbasis into the computational one, by gates that devices have.
_BASIS_CHANGE: dict[str, tuple[tuple[str, tuple[float, ...]], ...]] = {
    "X": (("rz", (np.pi / 2,)), ("sx", ())), "Y": (("sx", ()),), "Z": (),
}  # fmt: skip
MOST_SHOTS = 2**63 - 1


def checked_shots(shots: Any) -> int:
    """A number of measurements: an integer of at least 1."""
    if not is_integer(shots) or shots < 1:
        raise CircuitError(f"shots={shots!r}, expected an integer of at least 1, or None for exact values")
    if shots > MOST_SHOTS:
        raise CircuitError(f"shots={shots}, expected at most 2^63 - 1")
    return int(shots)


class Shots(Engine):
    """Estimates from the bits that another engine gives.

    Args:
        engine: what is measured.
        shots: measurements of each group of words that can be measured together.
        seed: of the random numbers, which go on from call to call; None for fresh entropy; or a `Stream`.

    Raises:
        CircuitError: for `shots` below 1.
        UnsupportedError: for an engine that measures already.
    """

    is_exact = False
    reads_wrongly = True
    shots: int

    def __init__(self, engine: Engine, shots: int, seed: int | Stream | None = None):
        check_engine(engine)
        if engine.shots is not None:
            raise UnsupportedError(f"shots={shots} of an engine that measures {engine.shots} times; give them once")
        self.engine, self.shots = engine, checked_shots(shots)
        self.runs = engine.runs
        self.stream = seed if isinstance(seed, Stream) else Stream(seed)

    def __repr__(self) -> str:
        return f"Shots({self.engine!r}, shots={self.shots})"

    def prepare(self, circuit: Circuit, observables: Any = None) -> Evaluator:
        outputs = as_outputs(circuit, observables)
        if not outputs.is_measured:
            kind = outputs.kind
            raise UnsupportedError(f"a {kind} is not measured, got shots={self.shots}; ask for it without shots")
        return super().prepare(circuit, outputs)

    def check_runs(self, circuit: Circuit) -> None:
        self.engine.check_runs(circuit)

    def to_json(self) -> dict[str, Any]:
        raise UnsupportedError(
            f"a layer with shots={self.shots} cannot be exported, expected exact values; make the layer without shots"
        )

    def on(self, device: str) -> Engine:
        return Shots(self.engine.on(device), self.shots, self.stream)

    def compiled(self, circuit: Circuit) -> tuple[Engine, Circuit]:
        engine, circuit = self.engine.compiled(circuit)
        return self if engine is self.engine else Shots(engine, self.shots, self.stream), circuit

    def running(self, circuit: Circuit) -> tuple[Engine, Circuit]:
        engine, circuit = self.engine.running(circuit)
        return self if engine is self.engine else Shots(engine, self.shots, self.stream), circuit

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> Evaluator:
        # Gates that turn words into the measured basis come on top of what the circuit is in the end.
        return ShotEvaluator(*self.engine.running(circuit), outputs, self.shots, self.stream)

    def sampler(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        return self.engine.sampler(circuit, qubits)


class _Words:
    """Words that are measured together, a bit each.

    Args:
        coefficients: what each word adds to each output, (M, O).
    """

    def __init__(self, sampler: Sampler, coefficients: np.ndarray):
        self.sampler, self._coefficients = sampler, coefficients
        self._table: np.ndarray | None = None

    def means(self, tally: Tally) -> np.ndarray:
        """Of the outputs, (B, O)."""
        if tally.bits.ndim == 2:
            return product(tally.shares, self._values(tally.bits))
        return (1 - 2 * tally.shares * tally.bits.sum(axis=1)) @ self._coefficients

    def squares(self, tally: Tally) -> np.ndarray:
        """Means of the outputs' squares, (B, O)."""
        if tally.bits.ndim == 2:
            return product(tally.shares, self._values(tally.bits) ** 2)
        rows = [((self._signs(bits) @ self._coefficients) ** 2).mean(axis=0) for bits in tally.bits]
        return np.array(rows).reshape(len(tally.bits), -1)

    def sums(self, tally: Tally, cotangents: np.ndarray) -> np.ndarray:
        """What each outcome gives for the outputs weighted by cotangents (B, O), (B, D)."""
        if tally.bits.ndim == 2:
            return product(cotangents, self._values(tally.bits).T)
        weights = cotangents @ self._coefficients.T
        return np.array([self._signs(bits) @ row for bits, row in zip(tally.bits, weights, strict=True)])

    def _values(self, bits: np.ndarray) -> np.ndarray:
        """What outcomes add to the outputs, (D, O): a table that all samples share, made once."""
        if self._table is None:
            self._table = self._signs(bits) @ self._coefficients
        return self._table

    @staticmethod
    def _signs(bits: np.ndarray) -> np.ndarray:
        return 1.0 - 2.0 * bits


class _Outcomes:
    """All 2^k outcomes of k qubits, an output each."""

    def __init__(self, sampler: Sampler):
        self.sampler = sampler

    def means(self, tally: Tally) -> np.ndarray:
        return tally.table()

    squares = means  # of zeros and ones

    def sums(self, tally: Tally, cotangents: np.ndarray) -> np.ndarray:
        places = outcome_numbers(tally.bits)
        return cotangents[:, places] if places.ndim == 1 else np.take_along_axis(cotangents, places, axis=1)


class ShotEvaluator(Evaluator):
    """Averages over `shots` measurements of each group of words that can be measured together."""

    stream: Stream

    def __init__(self, engine: Engine, circuit: Circuit, outputs: Outputs, shots: int, stream: Stream):
        self.circuit, self.shots, self.stream = circuit.copy(), shots, stream
        self.n_outputs = outputs.size
        self._constant = np.zeros(self.n_outputs)
        self._groups: list[_Words | _Outcomes] = []
        if isinstance(outputs, Expectations):
            self._plan(engine, outputs.observables)
        elif isinstance(outputs, Probabilities):
            self._groups.append(_Outcomes(engine.sampler(circuit, outputs.qubits)))
        else:
            raise UnsupportedError(f"{outputs.kind} of shots={shots}, expected Pauli sums or probabilities")
        self.n_groups = len(self._groups)

    def _plan(self, engine: Engine, observables: tuple) -> None:
        words = dict.fromkeys(word for observable in observables for word in observable.terms if word != (0, 0))
        self._constant = np.array([float(np.real(o.terms.get((0, 0), 0.0))) for o in observables])
        for group in group_commuting(words):
            letters: dict[int, str] = {}
            for word in group:
                letters |= word_letters(word)
            rotated = self.circuit.copy()
            for qubit, letter in letters.items():
                for gate, angles in _BASIS_CHANGE[letter]:
                    rotated.append(gate, angles, (qubit,))
            rotated = with_gates_before_readout(self.circuit, rotated)
            coefficients = [[float(np.real(o.terms.get(word, 0.0))) for o in observables] for word in group]
            sampler = engine.parities(rotated, tuple(x | z for x, z in group))
            self._groups.append(_Words(sampler, np.array(coefficients)))

    def values(self, batch: Batch) -> np.ndarray:
        self._check_memory(batch)
        means = np.tile(self._constant, (batch.size, 1))
        for group, rows, tally in self._tallies(batch):
            means[rows] += group.means(tally)
        return means.astype(batch.dtype)

    def estimate(self, batch: Batch) -> Estimate:
        self._check_memory(batch)
        means, variances = np.tile(self._constant, (batch.size, 1)), np.zeros((batch.size, self.n_outputs))
        for group, rows, tally in self._tallies(batch):
            mean = group.means(tally)
            means[rows] += mean
            variances[rows] += group.squares(tally) - mean**2
        errors = np.sqrt(np.maximum(variances, 0) / max(self.shots - 1, 1)) if self.shots > 1 else variances + np.inf
        runs = batch.size * self.n_groups
        return Estimate(means.astype(batch.dtype), errors.astype(batch.dtype), runs, runs * self.shots)

    def _check_memory(self, batch: Batch) -> None:
        if batch.size * self.n_outputs > MOST_NUMBERS:
            check_memory(16 * batch.size * self.n_outputs, f"{batch.size} samples of {self.n_outputs} outputs")

    def _tallies(self, batch: Batch) -> Iterator[tuple[_Words | _Outcomes, slice, Tally]]:
        """What is measured, group by group and piece by piece of the batch."""
        for group in self._groups:
            for rows, piece in _pieces(batch, group.sampler, self.shots):
                yield group, rows, group.sampler.tally(piece, self.shots, self.stream)

    def measure(self, batch: Batch, cotangents: np.ndarray, shots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums over outputs, weighted by cotangents, from `shots` measurements a group, and how much single ones vary.

        Shapes: cotangents (B, O), shots (B,) -> sums (B,), variances of one measurement of each group (B,), unbiased.
        """
        sums, variances = np.empty(batch.size), np.empty(batch.size)
        for count in np.unique(shots):
            rows = np.flatnonzero(shots == count)
            sums[rows], variances[rows] = self._measure(batch.rows(rows), cotangents[rows], int(count))
        return sums, variances

    def _measure(self, batch: Batch, cotangents: np.ndarray, shots: int) -> tuple[np.ndarray, np.ndarray]:
        sums, variances = cotangents @ self._constant, np.zeros(batch.size)
        for group in self._groups:
            for rows, piece in _pieces(batch, group.sampler, shots):
                tally = group.sampler.tally(piece, shots, self.stream)
                weighed = group.sums(tally, cotangents[rows])
                means = (tally.shares * weighed).sum(axis=1)
                sums[rows] += means
                variances[rows] += (
                    (tally.shares * (weighed - means[:, None]) ** 2).sum(axis=1) * shots / max(shots - 1, 1)
                )
        return sums, variances


def _pieces(batch: Batch, sampler: Sampler, shots: int) -> Iterator[tuple[slice, Batch]]:
    """The batch in pieces whose tables and bits fit, with the rows they are."""
    first = 0
    for piece in batch.pieces(sampler.numbers_a_sample(shots)):
        yield slice(first, first := first + piece.size), piece
