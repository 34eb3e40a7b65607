"""Lowering: a circuit becomes a program of Pauli rotations.

Walking the gates, Clifford gates go into the frame C and cost nothing; a rotation about P becomes one about
C^dagger P C; observables are pulled back in the same way at the end. Which Clifford gates go in is chosen by counting
passes: all of them (full), or only those that permute basis states (monomial). The second keeps diagonal layers
diagonal, which often fuses far better, and is the only one for states, outcomes and samples.

Rotations that cannot change what is measured are left out: those outside the light cone of all observables, and
diagonal ones that meet |0>. Their derivatives are zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.parameters import Angle, Source
from qloom.observables import PauliSum, Word
from qloom.programs.frame import FlatGates, GateForm, flat_gates, gate_forms, make_frame
from qloom.programs.masks import pack
from qloom.programs.program import Program, Rotations, Terms
from qloom.programs.register import n_bits

WIDE = 32
_PART = np.pi / 16
_TURN = 8 * np.arctan(np.longdouble(1))


def lower(circuit: Circuit, observables: Sequence[PauliSum]) -> Program:
    """Program for the expectation values of observables, in the cheaper of the two frames.

    Of registers that are too wide for a state, in the one that reaches fewer basis states.
    """
    gates = flat_gates(circuit, gate_forms(circuit))
    programs = (_lower_values(circuit, gates, observables, monomial) for monomial in (False, True))
    if circuit.n_qubits <= WIDE:
        return min(programs, key=cost)
    return min(programs, key=lambda program: (n_bits(program), cost(program)))


def lower_states(circuit: Circuit, measured: Sequence[int] | None = None) -> Program:
    """Program for states (measured is None) or for the outcome probabilities of some qubits."""
    forms, frame = gate_forms(circuit), make_frame(circuit.n_qubits, monomial=True)
    rotations = flat_gates(circuit, forms).lower_into(frame)
    if measured is None:
        return _program(circuit, rotations, _terms(frame, ()), 0, None, frame, _phases(circuit, forms))
    kept = _measured(circuit, rotations, frame, [1 << qubit for qubit in measured])
    return _program(circuit, kept, _terms(frame, ()), 2 ** len(measured), tuple(measured), frame, ())


def lower_parities(circuit: Circuit, masks: Sequence[int]) -> Program:
    """Program for the joint outcomes of Z words, given by masks of their qubits."""
    frame = make_frame(circuit.n_qubits, monomial=True)
    rotations = flat_gates(circuit, gate_forms(circuit)).lower_into(frame)
    kept = _measured(circuit, rotations, frame, masks)
    return _program(circuit, kept, _terms(frame, ()), 0, None, frame, ())


def _measured(circuit: Circuit, rotations: Rotations, frame: Any, masks: Sequence[int]) -> Rotations:
    """The rotations that can change the outcomes of Z words."""
    _, x, z = pull(frame, [(0, mask) for mask in masks])
    return _effective(circuit, rotations, x, z)


def cost(program: Program) -> float:
    """Walks over the state that one evaluation takes: a shared pass is one, else every rotation is."""
    shared = program.rotations.shared[program.starts[:-1]]
    passes = np.where(shared, 1, np.diff(program.starts)).sum()
    return float(passes + 0.5 * program.terms.x.any(axis=1).sum())


def pull(frame: Any, words: Sequence[Word]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """C^dagger P C for Hermitian words P: signs (T,) and masks x, z (T, 1) of Hermitian words."""
    xs, zs = (pack((word[part] for word in words), frame.n_qubits) for part in (0, 1))
    return frame.pull(xs, zs)


def _lower_values(circuit: Circuit, gates: FlatGates, observables: Sequence[PauliSum], monomial: bool) -> Program:
    frame = make_frame(circuit.n_qubits, monomial)
    rotations = gates.lower_into(frame)
    terms = _terms(frame, observables)
    kept = _effective(circuit, rotations, terms.x, terms.z)
    return _program(circuit, kept, terms, len(observables), None, frame, ())


def _effective(circuit: Circuit, rotations: Rotations, x: np.ndarray, z: np.ndarray) -> Rotations:
    """The rotations that can change what is measured about the words (x, z)."""
    return rotations[_native.effective_rotations(rotations.x, rotations.z, x, z, circuit.initial is None)]


def _program(circuit: Circuit, rotations: Rotations, *rest: Any) -> Program:
    order, starts = _native.fuse_rotations(rotations.x, rotations.z, rotations.shared)
    return Program(
        circuit.n_qubits, circuit.n_inputs, circuit.n_weights, circuit.initial, rotations[order], starts, *rest
    )


def _terms(frame: Any, observables: Sequence[PauliSum]) -> Terms:
    flat = [
        (coefficient, word, output) for output, observable in enumerate(observables) for coefficient, word in observable
    ]
    signs, x, z = pull(frame, [word for _, word, _ in flat])
    coefficients = np.array([coefficient.real for coefficient, _, _ in flat], np.float64)
    return Terms(signs * coefficients, x, z, np.array([output for _, _, output in flat], np.uint32))


def _phases(circuit: Circuit, forms: Sequence[GateForm]) -> tuple[Angle, ...]:
    """The phases of all gates, added up: one of every slot, and a number."""
    scales: dict[tuple[Source, int], float] = {}
    numbers = []
    for op, form in zip(circuit.operations, forms, strict=True):
        for phase in form.phases_at(op.angles):
            numbers.append(phase.offset)
            if not phase.is_number:
                slot = phase.source, phase.index
                scales[slot] = scales.get(slot, 0.0) + phase.scale
    slots = [Angle(source, index, scale) for (source, index), scale in scales.items()]
    number = _sum_of_phases(np.array(numbers))
    return (*slots, Angle("number", 0, 0.0, number)) if number else tuple(slots)


def _sum_of_phases(numbers: np.ndarray) -> float:
    """Their sum within a turn; 1e-12 is kept over many thousands of them.

    Parts of a turn that gates have, sixteenths of pi, are counted: their rounding would add up.
    """
    counts = np.rint(numbers / _PART)
    whole = np.abs(numbers - counts * _PART) <= 1e-15 * np.maximum(1, np.abs(numbers))
    rest = np.remainder(numbers[~whole].astype(np.longdouble).sum(), _TURN)
    return float(np.remainder(counts[whole].sum(), 32) * _PART + rest)
