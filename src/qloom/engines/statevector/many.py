"""Many circuits lowered together: their gates as flat arrays, those equal but for numbers as one program."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Gate
from qloom.circuits.kinds import check_kinds
from qloom.engines.outputs import Expectations
from qloom.programs.frame import gate_form
from qloom.programs.rotations import SOURCES

_NUMBER, _INPUT = SOURCES.index("number"), SOURCES.index("input")


class Ragged(NamedTuple):
    """Lists of different lengths in one array: list k is all[starts[k]:starts[k + 1]]."""

    all: np.ndarray
    starts: np.ndarray

    def of(self, row: int) -> np.ndarray:
        return self.all[self.starts[row] : self.starts[row + 1]]

    def rows(self, which: np.ndarray) -> Ragged:
        """Some of the lists."""
        lengths = np.diff(self.starts)[which]
        starts = _starts(lengths)
        places = np.arange(starts[-1]) + np.repeat(self.starts[:-1][which].astype(np.int64) - starts[:-1], lengths)
        return Ragged(self.all[places], starts)


def _starts(lengths: Any) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint32)


def _ragged(lists: Sequence[np.ndarray], dtype: Any) -> Ragged:
    whole = np.concatenate([one.ravel() for one in lists]).astype(dtype) if lists else np.zeros(0, dtype)
    return Ragged(whole, _starts([one.size for one in lists]))


class FlatCircuits(NamedTuple):
    """The gates of all circuits, one after the other; a list a circuit each."""

    gates: list[Gate]
    form: Ragged  # which of the gates
    qubits: Ragged
    source: Ragged
    slot: Ragged  # of inputs or of weights
    scale: Ragged
    offset: Ragged

    def rows(self, which: np.ndarray) -> FlatCircuits:
        return FlatCircuits(self.gates, *(part.rows(which) for part in self[1:]))


def flatten(circuits: Sequence[Circuit]) -> FlatCircuits:
    """Circuits as arrays; UnsupportedError unless all their gates are unitary."""
    operations = list(chain.from_iterable(circuit.operations for circuit in circuits))
    gates, form, qubits, *angles = _native.read_operations(operations)
    if not all(gate.is_unitary for gate in gates):
        for circuit in circuits:
            check_kinds(
                circuit, "a CircuitBatch", "take it out, or evaluate the circuits one by one with DensityEngine()"
            )
    ends = _starts([len(circuit.operations) for circuit in circuits])

    def starts(sizes: list[int]) -> np.ndarray:
        """Where the qubits or angles of each circuit start."""
        return _starts(np.array(sizes, np.int64)[form])[ends]

    of_angles = starts([gate.n_angles for gate in gates])
    return FlatCircuits(
        gates, Ragged(form, ends), Ragged(qubits, starts([gate.n_qubits for gate in gates])),
        *(Ragged(each, of_angles) for each in angles),
    )  # fmt: skip


def alike(flat: FlatCircuits, more: Sequence[Any]) -> list[np.ndarray]:
    """Rows of circuits that are equal but for numbers.

    Args:
        more: of each circuit what must be equal too.
    """
    slots = flat.offset._replace(all=np.where(flat.source.all == _NUMBER, 0.0, flat.offset.all))
    parts = [*flat[1:-1], slots]
    buffers = [(part.all.tobytes(), (part.starts * part.all.itemsize).tolist()) for part in parts]
    groups: dict[Any, list[int]] = {}
    for row, other in enumerate(more):
        key = other, *(buffer[starts[row] : starts[row + 1]] for buffer, starts in buffers)
        groups.setdefault(key, []).append(row)
    return [np.array(rows) for rows in groups.values()]


def add_lowered(
    programs: Any, circuits: Sequence[Circuit], rows: np.ndarray, outputs: Sequence[Expectations], which: np.ndarray,
    places: tuple[Sequence[np.ndarray], Sequence[np.ndarray]], threads: int,
) -> None:  # fmt: skip
    """Lower some circuits, started from |0> and of at most 32 qubits, into the native `Programs` of a batch.

    Args:
        rows: of those circuits among all.
        outputs, which: different lists of observables, and which of them every circuit has.
        places: of every circuit's inputs and weights among the batch's.
    """
    if not len(rows):
        return
    chosen = [circuits[row] for row in rows.tolist()]
    flat = flatten(chosen)
    more = [(circuits[row].n_qubits, which[row], *(id(source[row]) for source in places)) for row in rows.tolist()]
    groups = alike(flat, more)
    firsts = np.array([group[0] for group in groups])
    whole = flat if len(groups) == len(chosen) else flat.rows(firsts)
    of_inputs, of_weights = (_ragged([source[row] for row in rows[firsts]], np.uint32) for source in places)
    n_inputs = np.diff(of_inputs.starts)
    numbers = [_numbers_as_inputs(flat, whole, k, group, n_inputs[k]) for k, group in enumerate(groups)]
    programs.add_lowered(
        [gate_form(gate).expansion for gate in whole.gates],
        np.array([chosen[first].n_qubits for first in firsts], np.uint32),
        *whole.form, *whole.qubits, whole.source.all, whole.slot.all, whole.scale.all, *whole.offset,
        which[rows[firsts]].astype(np.uint32), *_words(outputs),
        *_ragged([rows[group] for group in groups], np.uint32), *of_inputs, *of_weights,
        *_ragged(numbers, np.float64), threads,
    )  # fmt: skip


def _numbers_as_inputs(flat: FlatCircuits, whole: FlatCircuits, k: int, group: np.ndarray, n_inputs: int) -> np.ndarray:
    """Of circuits that are one program the numbers in which they differ, (circuits, N): its last inputs.

    Where they stand in the program, the k-th of `whole`, angles become inputs.
    """
    if len(group) == 1:
        return np.zeros((1, 0))
    offsets = np.stack([flat.offset.of(row) for row in group.tolist()])
    differing = np.flatnonzero((offsets != offsets[0]).any(axis=0))
    whole.source.of(k)[differing] = _INPUT
    whole.slot.of(k)[differing] = n_inputs + np.arange(len(differing))
    whole.scale.of(k)[differing] = 1.0
    whole.offset.of(k)[differing] = 0.0
    return offsets[:, differing]


def _words(outputs: Sequence[Expectations]) -> tuple[np.ndarray, ...]:
    """Coefficients of the words of every list of observables, where the lists start, x and z masks, and outputs."""
    lists = [[(c.real, *word, k) for k, one in enumerate(o.observables) for c, word in one] for o in outputs]
    flat = [term for terms in lists for term in terms]
    coefficients, x, z, output = (list(column) for column in zip(*flat, strict=True)) if flat else ([], [], [], [])
    starts = _starts([len(terms) for terms in lists])
    return (
        np.array(coefficients, np.float64), starts, np.array(x, np.uint64), np.array(z, np.uint64),
        np.array(output, np.uint32),
    )  # fmt: skip
