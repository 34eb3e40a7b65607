"""Lowering with errors: one program for all trajectories, and what each Pauli error flips in it.

A channel is put into the circuit as rotations about X_q and Z_q of its qubits, marks that the frame pulls back like any
other: so an error's word stands among the rotations. Moved behind them it flips the later ones that anticommute with
it, and of what is measured the words that do. Marks are then taken out; which word a rotation is about, and so the
light cone, does not depend on errors. Numbers are not merged: between two of them there may be an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import GATES
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.outputs import Expectations, Outputs, Probabilities
from qloom.engines.statevector.lowering import WIDE, cost
from qloom.engines.statevector.native_program import measured_parities, native_expectations, native_probabilities
from qloom.engines.statevector.program import Program
from qloom.engines.statevector.register import n_bits
from qloom.observables import PauliSum
from qloom.programs.frame import flat_gates, make_frame
from qloom.programs.pulling import pull_back_sums
from qloom.programs.rotations import SOURCES, Rotations, Terms

# Pairs of words that are compared at once.
_PAIRS = 1 << 22


@dataclass(frozen=True, eq=False)
class Lowered:
    """A noisy circuit for the native side.

    Attributes:
        program, native: of every trajectory; a value for each word that is measured, or for each outcome.
        channels: those whose errors change anything, in order.
        errors: what they flip, on the native side.
        measured: how values become outputs, on the native side; of parities an `OutcomeMap`.
        n_values: of a trajectory, V.
    """

    program: Program
    native: Any
    channels: tuple[Operation, ...]
    errors: Any
    measured: Any
    n_values: int


@dataclass(frozen=True, eq=False)
class _Marked:
    """Rotations with their places in the circuit, and the words of the marks with theirs.

    Shapes: places (R,), mark_places (M,).
    """

    program: Program
    places: np.ndarray
    marks: Rotations
    mark_places: np.ndarray


@lru_cache(maxsize=128)
def lowered(circuit: Circuit, outputs: Outputs) -> Lowered:
    """A circuit whose channels are Pauli channels, lowered for what is asked for."""
    if isinstance(outputs, Expectations):
        return _of_sums(circuit, outputs.observables)
    assert isinstance(outputs, Probabilities)
    return _of_outcomes(circuit, outputs.qubits)


@lru_cache(maxsize=128)
def lowered_parities(circuit: Circuit, masks: tuple[int, ...]) -> Lowered:
    """The same for bits of Z words, given by masks of their qubits: `measured` is how outcomes give them."""
    marked = _marked(circuit, [PauliSum({(0, mask): 1.0}) for mask in masks], monomial=True)
    terms = marked.program.terms
    found = measured_parities(circuit, marked.program, masks, (terms.coefficient < 0).astype(np.uint8))
    size = 2 ** found.outcomes.rows.shape[1]
    program = replace(marked.program, n_outputs=size)
    return _lowered(circuit, marked, program, found.native, terms, found.outcomes)


def channels_of(circuit: Circuit) -> tuple[Operation, ...]:
    """All that is not unitary, in order."""
    return tuple(op for op in circuit.operations if not op.gate.is_unitary)


def _of_sums(circuit: Circuit, sums: Sequence[PauliSum]) -> Lowered:
    tried = [_marked(circuit, sums, monomial) for monomial in (False, True)]
    best = min(tried, key=lambda one: (n_bits(one.program) if circuit.n_qubits > WIDE else 0, cost(one.program)))
    terms = best.program.terms
    measured = _native.SignedOutputs(terms.output.tolist(), len(sums), 0)
    apart = Terms(terms.coefficient, terms.x, terms.z, np.arange(len(terms), dtype=np.uint32))
    program = replace(best.program, terms=apart, n_outputs=len(terms))
    return _lowered(circuit, best, program, native_expectations(circuit, program), apart, measured)


def _of_outcomes(circuit: Circuit, qubits: tuple[int, ...]) -> Lowered:
    # Bit k of an outcome is that of the k-th qubit from the last.
    words = [PauliSum({(0, 1 << qubit): 1.0}) for qubit in reversed(qubits)]
    marked = _marked(circuit, words, monomial=True)
    program = replace(marked.program, n_outputs=2 ** len(qubits), measured=qubits)
    measured = _native.SignedOutputs([], program.n_outputs, len(qubits))
    terms = marked.program.terms
    return _lowered(circuit, marked, program, native_probabilities(circuit, program), terms, measured)


def _marked(circuit: Circuit, sums: Sequence[PauliSum], monomial: bool) -> _Marked:
    frame, marked = make_frame(circuit.n_qubits, monomial), circuit.copy()
    marked.operations = list(_with_marks(circuit))
    rotations, terms = pull_back_sums(flat_gates(marked), sums, frame)
    is_mark = (rotations.source == SOURCES.index("input")) & (rotations.index >= circuit.n_inputs)
    places, mark_places = np.flatnonzero(~is_mark), np.flatnonzero(is_mark)
    real = rotations[places]
    kept = _native.effective_rotations(real.x, real.z, terms.x, terms.z, circuit.initial is None)
    left = real[kept]
    order, starts = _native.fuse_rotations(left.x, left.z, left.shared)
    program = Program(
        circuit.n_qubits, circuit.n_inputs, circuit.n_weights, circuit.initial, left[order], np.zeros(len(kept)),
        starts, terms, len(sums), None, frame, (),
    )  # fmt: skip
    return _Marked(program, places[kept][order], rotations[mark_places], mark_places)


def _with_marks(circuit: Circuit) -> Any:
    slot = circuit.n_inputs
    for op in circuit.operations:
        if op.gate.is_unitary:
            yield op
            continue
        for qubit in op.qubits:
            for name in ("rx", "rz"):
                yield Operation(GATES[name], (qubit,), (Angle("input", slot),))
                slot += 1


def _lowered(circuit: Circuit, marked: _Marked, program: Program, native: Any, terms: Terms, measured: Any) -> Lowered:
    r, marks = program.rotations, marked.marks
    later = marked.places[None, :] > marked.mark_places[:, None]
    flips = np.hstack([_packed(_anticommuting(marks, r) & later), _packed(_anticommuting(marks, terms))])
    channels, first, kept, rows = channels_of(circuit), 0, [], []
    for op in channels:
        own = flips[first : (first := first + 2 * len(op.qubits))]
        if own.any():
            kept.append(op)
            rows.append(own)
    generators = np.concatenate([*rows, np.zeros((0, flips.shape[1]), np.uint64)])
    errors = _native.PauliErrors(len(r), len(terms), [len(op.qubits) for op in kept], generators)
    return Lowered(program, native, tuple(kept), errors, measured, program.n_outputs)


def _anticommuting(marks: Rotations, words: Rotations | Terms) -> np.ndarray:
    """Which marks (M,) anticommute with which words (R,): (M, R)."""
    out = np.zeros((len(marks), len(words)), bool)
    step = max(1, _PAIRS // max(1, words.x.size))
    for first in range(0, len(marks), step):
        x, z = (m[first : first + step, None] for m in (marks.x, marks.z))
        crossed = np.bitwise_count(x & words.z) + np.bitwise_count(z & words.x)
        out[first : first + step] = crossed.sum(axis=-1) % 2
    return out


def _packed(bits: np.ndarray) -> np.ndarray:
    """Rows of bits (M, R) as rows of 64-bit numbers, bit k % 64 of number k // 64."""
    whole = np.zeros((len(bits), (bits.shape[1] + 63) // 64 * 64), np.uint8)
    whole[:, : bits.shape[1]] = bits
    return np.packbits(whole, axis=1, bitorder="little").view(np.uint64)
