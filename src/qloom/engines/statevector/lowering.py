"""Lowering: a circuit, pulled back, becomes a program of passes for the state-vector engine.

Which Clifford gates go into the frame is chosen by counting passes: all of them (full), or only those that permute
basis states (monomial). The second keeps diagonal layers diagonal, which often fuses far better, and is the only one
for states, outcomes and samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.parameters import Angle, Source
from qloom.engines.statevector.program import Program
from qloom.engines.statevector.register import n_bits
from qloom.observables import PauliSum
from qloom.programs.frame import FlatGates, GateForm, flat_gates, make_frame
from qloom.programs.pulling import effective, pull_back, pull_back_sums
from qloom.programs.rotations import Rotations

WIDE = 32
_PART = np.pi / 16
_TURN = 8 * np.arctan(np.longdouble(1))


def lower(circuit: Circuit, observables: Sequence[PauliSum]) -> Program:
    """Program for the expectation values of observables, in the cheaper of the two frames.

    Of registers that are too wide for a state, in the one that reaches fewer basis states.
    """
    gates = flat_gates(circuit)
    programs = (_lower_values(circuit, gates, observables, monomial) for monomial in (False, True))
    if circuit.n_qubits <= WIDE:
        return min(programs, key=cost)
    return min(programs, key=lambda program: (n_bits(program), cost(program)))


def lower_states(circuit: Circuit, measured: Sequence[int] | None = None) -> Program:
    """Program for states (measured is None) or for the outcome probabilities of some qubits."""
    if measured is not None:
        masks = [1 << qubit for qubit in measured]
        return replace(lower_parities(circuit, masks), n_outputs=2 ** len(measured), measured=tuple(measured))
    gates, frame = flat_gates(circuit), make_frame(circuit.n_qubits, monomial=True)
    rotations, terms = pull_back(gates, (), frame)
    return _program(circuit, rotations, terms, 0, None, frame, _phases(circuit, gates.forms))


def lower_parities(circuit: Circuit, masks: Sequence[int]) -> Program:
    """Program for the joint outcomes of Z words, given by masks of their qubits."""
    frame = make_frame(circuit.n_qubits, monomial=True)
    rotations, words = pull_back(circuit, [(0, mask) for mask in masks], frame)
    nothing = words[np.arange(0)]
    return _program(circuit, effective(circuit, rotations, words), nothing, 0, None, frame, ())


def cost(program: Program) -> float:
    """Walks over the state that one evaluation takes: a shared pass is one, else every rotation is.

    Those over a real state are half as long.
    """
    shared = program.rotations.shared[program.starts[:-1]]
    passes = np.where(shared, 1, np.diff(program.starts)).sum()
    return float(passes + 0.5 * program.terms.x.any(axis=1).sum()) * (0.5 if _is_real(program) else 1.0)


def _is_real(program: Program) -> bool:
    """Whether every rotation is about a word odd in Y, and the state that they start from real."""
    initial, odd = program.initial, np.bitwise_count(program.rotations.x & program.rotations.z).sum(axis=1) % 2
    if initial is None:
        starts_real = True
    elif initial.values is None:
        starts_real = initial.imaginary is None
    else:
        starts_real = not np.imag(initial.values).any()
    return starts_real and bool(odd.all())


def _lower_values(circuit: Circuit, gates: FlatGates, observables: Sequence[PauliSum], monomial: bool) -> Program:
    frame = make_frame(circuit.n_qubits, monomial)
    rotations, terms = pull_back_sums(gates, observables, frame)
    kept = effective(circuit, rotations, terms)
    return _program(circuit, kept, terms, len(observables), None, frame, ())


def _program(circuit: Circuit, rotations: Rotations, *rest: Any) -> Program:
    kept, turns = _native.merge_numbers(rotations.x, rotations.z, rotations.source, rotations.offset)
    left = rotations[kept]
    order, starts = _native.fuse_rotations(left.x, left.z, left.shared)
    return Program(
        circuit.n_qubits, circuit.n_inputs, circuit.n_weights, circuit.initial,
        left[order], turns[order], starts, *rest,
    )  # fmt: skip


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
