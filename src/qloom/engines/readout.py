"""Readout errors: what is measured is read wrongly, whatever engine measures it.

They stand last on their qubits and belong to no state. Of a word whose letters are measured on the qubits of a readout
error, the parity that is read is a sum of parities that are there: with M the confusion matrix (measured, true) and H
the Walsh-Hadamard matrix, A = H M H / 2^k takes true parities to read ones. Of one qubit with rates a = p(1|0) and
b = p(0|1) that is P -> (b - a) I + (1 - a - b) P, in whatever basis it is measured. Probabilities are multiplied by M,
measured bits flipped by chance.

Where qubits are read together and a word has letters on some of them, the others are taken as measured in Z. Shots that
measure several words together measure them in the basis of those, which matters only where a matrix correlates them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.transfer import transfer_slope
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Estimate, Evaluator, Wants
from qloom.engines.batch import Batch, value_of
from qloom.engines.outputs import Expectations, Outputs, Probabilities
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from qloom.observables import PauliSum, Word

# A word is read as up to so many others.
MOST_PARTS = 1 << 16


def without_readout(circuit: Circuit) -> tuple[Circuit, tuple[Operation, ...]]:
    """A circuit without its readout errors, and those.

    Raises:
        CircuitError: where something follows one on its qubits.
    """
    errors = tuple(op for op in circuit.operations if op.gate.kind == "readout")
    if not errors:
        return circuit, ()
    read: dict[int, str] = {}
    for op in circuit.operations:
        for qubit in op.qubits:
            if qubit in read:
                raise CircuitError(
                    f"{op.gate.name} follows {read[qubit]} on qubit {qubit}, expected readout errors last"
                )
        if op.gate.kind == "readout":
            read |= dict.fromkeys(op.qubits, op.gate.name)
    rest = circuit.copy()
    rest.operations = [op for op in circuit.operations if op.gate.kind != "readout"]
    return rest, errors


def with_gates_before_readout(circuit: Circuit, gates: Circuit) -> Circuit:
    """A circuit with the gates of another, which has all its slots, before the readout errors."""
    rest, errors = without_readout(circuit)
    out = gates.copy()
    out.operations = [*rest.operations, *gates.operations[len(circuit.operations) :], *errors]
    return out


class Confusion:
    """One readout error: its matrix at the rates of a batch, and slopes."""

    def __init__(self, op: Operation):
        self.gate, self.qubits, self.angles = op.gate, op.qubits, op.angles
        if op.gate.confusion is None:
            raise CircuitError(f"{op.gate.name} is no readout error")
        self.matrix_of = op.gate.confusion

    @property
    def is_fixed(self) -> bool:
        """Whether all rates are numbers."""
        return all(angle.is_number for angle in self.angles)

    def rates(self, batch: Batch) -> list[np.ndarray]:
        """Of every angle: (B,), or () where all samples share it."""
        out = [value_of(angle, batch) for angle in self.angles]
        if fault := self.gate.fault(*out):
            raise ShapeError(f"{self.gate.name} on qubit {self.qubits[0]}: {fault}")
        return out

    def matrix(self, batch: Batch) -> np.ndarray:
        """(..., 2^k, 2^k)."""
        return np.asarray(self.matrix_of(*self.rates(batch)))

    def slope(self, batch: Batch, which: int) -> np.ndarray:
        return transfer_slope(self.matrix_of, self.rates(batch), which)


def of_parities(matrix: np.ndarray) -> np.ndarray:
    """A from M, (..., 2^k, 2^k): read parities from true ones."""
    size = matrix.shape[-1]
    walsh = np.array([[(-1) ** (i & j).bit_count() for j in range(size)] for i in range(size)], float)
    return walsh @ matrix @ walsh / size


@dataclass(frozen=True)
class _Share:
    """What one true word adds to an output: coefficient times an entry of each confusion it touches."""

    output: int
    part: int
    coefficient: float
    entries: tuple[tuple[int, int, int], ...]  # confusion, parity read, parity there


class ReadoutEvaluator(DifferentiableEvaluator):
    """Values as they are read, from those of the parts of an evaluator without readout errors.

    Args:
        circuit: with the readout errors.
        parts: an evaluator of the circuit without them; walks back if derivatives are asked for.
    """

    def __init__(self, circuit: Circuit, parts: Any, outputs: Outputs, confusions: Sequence[Confusion]):
        self.circuit, self.parts, self.n_outputs = circuit.copy(), parts, outputs.size
        self._confusions = confusions
        self.n_groups, self.any_norm = parts.n_groups, parts.any_norm
        self.walk_cost = getattr(parts, "walk_cost", 0)

    @property
    def stream(self) -> Any:  # type: ignore[override]
        return self.parts.stream

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        true, kept = self.parts.forward(batch, keep) if keep else (self.parts.values(batch), None)
        return self._read(true, self._matrices(batch)).astype(batch.dtype), (true, kept) if keep else None

    def estimate(self, batch: Batch) -> Estimate:
        """Standard errors, and typical ones, as if those of the parts were independent; bounds add up."""
        parts = self.parts.estimate(batch)
        matrices = self._matrices(batch)

        def together(errors: np.ndarray) -> np.ndarray:
            return np.sqrt(self._read_squares(errors**2, matrices))

        return Estimate(
            self._read(parts.values, matrices).astype(batch.dtype),
            together(parts.errors).astype(batch.dtype),
            parts.runs,
            parts.shots,
            bounds=None if parts.bounds is None else self._read_bounds(parts.bounds, matrices),
            typical=None if parts.typical is None else together(parts.typical),
        )

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        true, inner = (self.parts.values(batch), None) if kept is None else kept
        matrices = self._matrices(batch)
        self.parts.trained = self.trained
        pulled = np.ascontiguousarray(self._pulled(cotangents, matrices), batch.dtype)
        d_inputs, d_weights = self.parts.backward(batch, pulled, inner, wants)
        for c, confusion in enumerate(self._confusions):
            for k, angle in enumerate(confusion.angles):
                if angle.is_number or not wants[angle.source == "weight"]:
                    continue
                changed = [*matrices[:c], confusion.slope(batch, k), *matrices[c + 1 :]]
                slopes = angle.scale * (cotangents * self._read(true, changed, only=c)).sum(axis=1)
                if angle.source == "input":
                    d_inputs[:, angle.index] += slopes
                elif self.wants_weight(angle.index):
                    d_weights[..., angle.index] += slopes if d_weights.ndim == 2 else slopes.sum()
        return d_inputs, d_weights

    def _matrices(self, batch: Batch) -> list[np.ndarray]:
        return [confusion.matrix(batch) for confusion in self._confusions]

    @abstractmethod
    def _read(self, true: np.ndarray, matrices: list[np.ndarray], only: int | None = None) -> np.ndarray:
        """Values (B, O) from true ones (B, P); with `only`, the parts that this confusion has a share in."""

    @abstractmethod
    def _read_squares(self, squares: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        """Squares of standard errors of values from those of true ones."""

    @abstractmethod
    def _read_bounds(self, bounds: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        """Bounds of values from those of true ones."""

    @abstractmethod
    def _pulled(self, cotangents: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        """Cotangents (B, P) of true values from those of values."""


class _ReadWords(ReadoutEvaluator):
    """Expectation values: each read word is a sum of words."""

    def __init__(self, circuit: Circuit, prepare: Any, outputs: Expectations, confusions: Sequence[Confusion]):
        self._shares, words = _shares(outputs, confusions)
        parts = prepare(Expectations(tuple(PauliSum({word: 1.0}) for word in words)))
        super().__init__(circuit, parts, outputs, confusions)
        self._n_parts = len(words)
        self._fixed: np.ndarray | None = None
        if all(confusion.is_fixed for confusion in confusions):
            self._fixed = self._coefficients(self._matrices(Batch(np.zeros((1, 0)), np.zeros(0), True)))

    def _coefficients(self, matrices: list[np.ndarray], only: int | None = None) -> np.ndarray:
        """What parts add to outputs, (P, O) or (B, P, O)."""
        parities = [of_parities(m) for m in matrices]
        lead = np.broadcast_shapes(*(p.shape[:-2] for p in parities))
        out = np.zeros((*lead, self._n_parts, self.n_outputs))
        for share in self._shares:
            if only is None or any(c == only for c, _, _ in share.entries):
                factors = [parities[c][..., read, there] for c, read, there in share.entries]
                out[..., share.part, share.output] += share.coefficient * prod(factors)
        return out

    def _counted(self, matrices: list[np.ndarray], only: int | None = None) -> np.ndarray:
        """The same, those found once where all rates are numbers."""
        return self._coefficients(matrices, only) if self._fixed is None else self._fixed

    def _read(self, true: np.ndarray, matrices: list[np.ndarray], only: int | None = None) -> np.ndarray:
        return _times(true, self._counted(matrices, only))

    def _read_squares(self, squares: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        return _times(squares, self._counted(matrices) ** 2)

    def _read_bounds(self, bounds: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        return _times(bounds, np.abs(self._counted(matrices)))

    def _pulled(self, cotangents: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        return _times(cotangents, np.swapaxes(self._counted(matrices), -1, -2))


def _times(rows: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Rows (B, P) times matrices (P, O), or one for each row (B, P, O)."""
    return rows @ matrices if matrices.ndim == 2 else np.einsum("bp,bpo->bo", rows, matrices)


def _shares(outputs: Expectations, confusions: Sequence[Confusion]) -> tuple[list[_Share], list[Word]]:
    places: dict[Word, int] = {}
    shares = []
    for output, observable in enumerate(outputs.observables):
        for coefficient, word in observable:
            touched = [(c, _parity(one.qubits, word)) for c, one in enumerate(confusions)]
            touched = [(c, parity) for c, parity in touched if parity]
            if sum(len(confusions[c].qubits) for c, _ in touched) > MOST_PARTS.bit_length() - 1:
                raise UnsupportedError(
                    f"a word on {len(touched)} qubits with readout errors is read as more than {MOST_PARTS} words, "
                    "expected fewer; measure it with shots"
                )
            for theirs in product(*(range(2 ** len(confusions[c].qubits)) for c, _ in touched)):
                true = word
                for (c, _), parity in zip(touched, theirs, strict=True):
                    true = _with_parity(confusions[c].qubits, true, parity)
                entries = tuple((c, read, there) for (c, read), there in zip(touched, theirs, strict=True))
                part = places.setdefault(true, len(places))
                shares.append(_Share(output, part, float(np.real(coefficient)), entries))
    return shares, list(places)


def _parity(qubits: tuple[int, ...], word: Word) -> int:
    """Which of a confusion's qubits a word has letters on, the first the most significant bit."""
    mask = word[0] | word[1]
    return sum((mask >> q & 1) << k for k, q in enumerate(reversed(qubits)))


def _with_parity(qubits: tuple[int, ...], word: Word, parity: int) -> Word:
    """The word with letters on these of the qubits: its own, or Z where it has none."""
    x, z = word
    for k, q in enumerate(reversed(qubits)):
        if not parity >> k & 1:
            x, z = x & ~(1 << q), z & ~(1 << q)
        elif not (x | z) >> q & 1:
            z |= 1 << q
    return x, z


class _ReadOutcomes(ReadoutEvaluator):
    """Probabilities: of all qubits that are read together, summed over those that were not asked for."""

    def __init__(self, circuit: Circuit, prepare: Any, outputs: Probabilities, confusions: Sequence[Confusion]):
        asked = outputs.qubits
        touched = [c for c in confusions if set(c.qubits) & set(asked)]
        others = tuple(q for c in touched for q in c.qubits if q not in asked)
        self._qubits, self._n_others = (*asked, *others), len(others)
        super().__init__(circuit, prepare(Probabilities(self._qubits)), outputs, touched)

    def _read(self, true: np.ndarray, matrices: list[np.ndarray], only: int | None = None) -> np.ndarray:
        return self._applied(true, matrices).reshape(len(true), self.n_outputs, 2**self._n_others).sum(axis=-1)

    def _read_squares(self, squares: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        return self._read(squares, [m**2 for m in matrices])

    def _read_bounds(self, bounds: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        return self._read(bounds, matrices)

    def _pulled(self, cotangents: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        spread = np.repeat(cotangents, 2**self._n_others, axis=1)
        return self._applied(spread, [np.swapaxes(m, -1, -2) for m in matrices])

    def _applied(self, rows: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
        """Matrices on the bits of their qubits, (B, 2^k)."""
        for confusion, matrix in zip(self._confusions, matrices, strict=True):
            rows = on_bits(rows, [self._qubits.index(q) for q in confusion.qubits], lambda flat, m=matrix: m @ flat)
        return rows


def on_bits(rows: np.ndarray, bits: Sequence[int], change: Any) -> np.ndarray:
    """Tables of outcomes (B, 2^k), changed along some of the bits: `change` takes and gives (B, 2^bits, rest)."""
    n_bits, places = (rows.shape[1] - 1).bit_length(), range(1, 1 + len(bits))
    axes = [1 + bit for bit in bits]
    moved = np.moveaxis(rows.reshape(len(rows), *[2] * n_bits), axes, places)
    changed = change(moved.reshape(len(rows), 2 ** len(bits), 2 ** (n_bits - len(bits)))).reshape(moved.shape)
    return np.moveaxis(changed, places, axes).reshape(rows.shape)


def readout_evaluator(circuit: Circuit, errors: Sequence[Operation], outputs: Outputs, prepare: Any) -> Evaluator:
    """An evaluator of what is read.

    Args:
        prepare: outputs -> an evaluator of the circuit without readout errors.
    """
    confusions = [Confusion(op) for op in errors]
    if isinstance(outputs, Expectations):
        return _ReadWords(circuit, prepare, outputs, confusions)
    if isinstance(outputs, Probabilities):
        return _ReadOutcomes(circuit, prepare, outputs, confusions)
    raise UnsupportedError(
        f"readout errors change what is measured, got {outputs.kind}; ask for Pauli sums or probabilities, or leave "
        "them out"
    )


def read_together(errors: Sequence[Operation], qubits: tuple[int, ...]) -> tuple[int, ...]:
    """Qubits, then those that are read together with some of them."""
    others = {q for op in errors if set(op.qubits) & set(qubits) for q in op.qubits}
    return (*qubits, *sorted(others - set(qubits)))
