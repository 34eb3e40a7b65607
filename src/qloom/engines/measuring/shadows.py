"""Classical shadows: a state measured in random Pauli bases, kept, and asked for many observables later.

Every qubit of every snapshot is measured in the basis of X, Y or Z at random. A snapshot's estimate of a word is
3^weight times the product of its signs where all its letters were measured, and 0 elsewhere; means of groups of
snapshots are taken and of those the median.

Source: Huang, Kueng, Preskill 2020, Nature Physics 16, 1050.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.checks import is_integer
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.batch import check_memory, make_batch
from qloom.engines.evaluation import checked_engine
from qloom.engines.measuring.shots import checked_shots
from qloom.engines.readout import with_gates_before_readout
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, ShapeError
from qloom.observables import PauliSum, Word, check_fits, word_letters

LETTERS = "XYZ"
# Turns about Y and X that bring each letter's eigenbasis to the computational one.
_TURNS = np.array([[-np.pi / 2, 0], [0, np.pi / 2], [0, 0]])


@dataclass(frozen=True)
class ClassicalShadow:
    """Snapshots of a state.

    Args:
        bases: which of X, Y, Z each qubit was measured in, 0, 1 or 2.
        bits: what was measured.

    Shapes: bases, bits (S, n), uint8.

    Raises:
        ShapeError: for arrays of other shapes or numbers.

    Source: Huang, Kueng, Preskill 2020, Nature Physics 16, 1050.
    """

    bases: np.ndarray
    bits: np.ndarray

    def __post_init__(self) -> None:
        fits = self.bases.ndim == 2 and self.bases.shape == self.bits.shape and len(self.bases) > 0
        if not fits or np.max(self.bases) > 2 or np.max(self.bits) > 1:
            raise ShapeError(
                f"shadow of bases {self.bases.shape} and bits {self.bits.shape}, expected one shape (S, n), "
                "bases 0 to 2 and bits 0 to 1"
            )

    @property
    def n_snapshots(self) -> int:
        """S, how often the state was measured."""
        return len(self.bases)

    @property
    def n_qubits(self) -> int:
        """n, qubits of the state."""
        return int(self.bases.shape[1])

    def expectation(self, observables: PauliSum | Sequence[PauliSum], n_groups: int = 1) -> np.ndarray:
        """Estimates of observables, each the median over groups of the means of their snapshots, (O,).

        Args:
            observables: one Pauli sum or several.
            n_groups: from 1, the plain mean; 2 log(2 O / delta) groups bound all errors with probability 1 - delta.

        Raises:
            CircuitError: for more groups than snapshots, or an observable on qubits that the state does not have.
        """
        if not is_integer(n_groups) or not 1 <= n_groups <= self.n_snapshots:
            raise CircuitError(
                f"n_groups={n_groups!r}, expected an integer from 1 to {self.n_snapshots}, the snapshots"
            )
        given = (observables,) if isinstance(observables, PauliSum) else tuple(observables)
        for observable in given:
            check_fits(observable, self.n_qubits)
        means = [
            [group.mean() for group in np.array_split(self._estimates(observable), n_groups)] for observable in given
        ]
        return np.median(np.array(means), axis=1)

    def _estimates(self, observable: PauliSum) -> np.ndarray:
        """Of every snapshot, (S,)."""
        total = np.zeros(self.n_snapshots)
        for coefficient, word in observable:
            total += float(np.real(coefficient)) * self._signs(word)
        return total

    def _signs(self, word: Word) -> np.ndarray:
        letters = word_letters(word)
        if not letters:
            return np.ones(self.n_snapshots)
        qubits = list(letters)
        measured = (self.bases[:, qubits] == [LETTERS.index(letter) for letter in letters.values()]).all(axis=1)
        return 3.0 ** len(qubits) * measured * (1 - 2.0 * (self.bits[:, qubits].sum(axis=1) & 1))

    def reduced_density_matrix(self, qubits: Sequence[int]) -> np.ndarray:
        """Mean over snapshots of the tensor product of 3 |s><s| - 1, (2^k, 2^k); of trace 1, not always positive.

        Args:
            qubits: k different ones, in the order of the matrix's bits, the first the most significant.
        """
        vectors = np.array(
            [[[1, 1], [1, -1]], [[1, 1j], [1, -1j]], [[2**0.5, 0], [0, 2**0.5]]]
        ) / 2**0.5  # [basis, bit]  # fmt: skip
        inverted = 3 * vectors[..., :, None] * vectors[..., None, :].conj() - np.eye(2)
        total = np.ones((self.n_snapshots, 1, 1), complex)
        for qubit in qubits:
            factor = inverted[self.bases[:, qubit], self.bits[:, qubit]]
            size = 2 * total.shape[1]
            total = np.einsum("sij,skl->sikjl", total, factor).reshape(-1, size, size)
        return total.mean(axis=0)


def classical_shadow(
    circuit: Circuit,
    n_snapshots: int,
    inputs: Any = None,
    weights: Any = None,
    *,
    seed: int | None = None,
    engine: Engine | None = None,
) -> ClassicalShadow:
    """Measure the circuit's state `n_snapshots` times, each in random Pauli bases of its own.

    Args:
        circuit: the circuit.
        n_snapshots: S, at least 1.
        seed: of bases and measurements; None for fresh entropy.
        engine: what is measured; StatevectorEngine() by default.

    Shapes: inputs (I,), weights (W,): of one sample.

    Raises:
        CircuitError: for `n_snapshots` below 1.
        ShapeError: for several samples, or arrays that do not fit the circuit.
        MemoryLimitError: for more bits than fit in memory.

    Source: Huang, Kueng, Preskill 2020, Nature Physics 16, 1050.
    """
    n, count = circuit.n_qubits, checked_shots(n_snapshots)
    batch = make_batch(circuit, inputs, weights)
    if batch.size != 1:
        raise ShapeError(f"{batch.size} samples, expected one: shadows are taken sample by sample")
    check_memory(count * 8 * (n + 4), f"{count} snapshots of {n} qubits")
    stream = Stream(seed)
    bases = stream.generator().integers(3, size=(count, n), dtype=np.uint8)
    settings, of_snapshot = np.unique(bases, axis=0, return_inverse=True)
    engine, circuit = checked_engine(engine).running(circuit)
    turned = circuit.copy()
    for qubit, (about_y, about_x) in enumerate(turned.inputs(n, 2)):
        turned.ry(about_y, qubit).rx(about_x, qubit)
    turned = with_gates_before_readout(circuit, turned)
    sampler = engine.sampler(turned, tuple(range(n)))
    turns = _TURNS[settings].reshape(len(settings), 2 * n).astype(batch.dtype)
    rows = np.hstack([np.repeat(batch.inputs, len(settings), axis=0), turns])
    whole = make_batch(turned, rows, batch.weights if batch.weights.ndim == 1 else batch.weights[0])
    # Snapshots in order of their setting; settings of equally many are measured together.
    places, times = np.argsort(of_snapshot.ravel(), kind="stable"), np.bincount(of_snapshot.ravel())
    ends, bits = np.cumsum(times), np.empty((count, n), np.uint8)
    for shots in np.unique(times):
        some = np.flatnonzero(times == shots)
        taken = places[ends[some, None] - shots + np.arange(shots)]
        bits[taken] = sampler.draw(whole.rows(some), int(shots), stream)
    return ClassicalShadow(bases, bits)
