"""Lowering: a circuit becomes a program of Pauli rotations.

Walking the gates, Clifford gates go into the frame C and cost nothing; a rotation about P becomes one about
C^dagger P C; observables are pulled back in the same way at the end. Which Clifford gates go in is chosen by counting
passes: all of them (full), or only those that permute basis states (monomial). The second keeps diagonal layers
diagonal, which often fuses far better, and is the only one for states, outcomes and samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qloom.circuits.circuit import Circuit
from qloom.circuits.parameters import Angle, as_angle
from qloom.observables import PauliSum, word_from_letters
from qloom.programs.frame import Frame, gate_tableau, quarter_turns, rotation_tableau
from qloom.programs.fusion import fuse
from qloom.programs.program import Program, Rotation, Term


def lower(circuit: Circuit, observables: Sequence[PauliSum]) -> Program:
    """Program for the expectation values of observables, in the cheaper of the two frames."""
    candidates = [_lower_into(Frame(circuit.n_qubits, monomial), circuit, observables) for monomial in (False, True)]
    return min(candidates, key=cost)


def lower_states(circuit: Circuit, measured: Sequence[int] | None = None) -> Program:
    """Program for states (measured is None) or for the outcome probabilities of some qubits."""
    program = _lower_into(Frame(circuit.n_qubits, monomial=True), circuit, ())
    if measured is None:
        return program
    return replace(program, measured=tuple(measured), n_outputs=2 ** len(measured))


def cost(program: Program) -> float:
    """Walks over the state that one evaluation takes: a shared pass is one, else every rotation is."""
    passes = sum(1 if p.shared else len(p.rotations) for p in program.passes)
    return passes + 0.5 * sum(term.word[0] != 0 for term in program.terms)


def _lower_into(frame: Frame, circuit: Circuit, observables: Sequence[PauliSum]) -> Program:
    rotations: list[Rotation] = []
    phases: list[Angle] = []
    for op in circuit.operations:
        tableau = gate_tableau(op.gate)
        if tableau is not None and frame.takes(tableau):
            frame.apply(tableau, op.qubits)
            continue
        expansion = op.gate.expansion(*op.angles)
        phases += [as_angle(phase) for phase in expansion.phases]
        for letters, angle in expansion.rotations:
            slot = angle if isinstance(angle, Angle) else as_angle(angle)
            _lower_rotation(frame, letters, slot, op.qubits, rotations)
    return Program(
        circuit.n_qubits, circuit.n_inputs, circuit.n_weights, circuit.initial, fuse(rotations),
        _pull_terms(frame, observables), len(observables), None, frame, tuple(phases),
    )  # fmt: skip


def _lower_rotation(frame: Frame, letters: str, angle: Angle, qubits: Sequence[int], out: list[Rotation]) -> None:
    if angle.is_number:
        turns = quarter_turns(angle.offset)
        if turns is not None:
            support = [j for j, letter in enumerate(letters) if letter != "I"]
            tableau = rotation_tableau("".join(letters[j] for j in support), turns)
            if frame.takes(tableau):
                frame.apply(tableau, [qubits[j] for j in support])
                return
    sign, word = frame.pull(word_from_letters(letters, qubits))
    out.append(Rotation(word, angle if sign > 0 else -angle))


def _pull_terms(frame: Frame, observables: Sequence[PauliSum]) -> tuple[Term, ...]:
    terms = []
    for output, observable in enumerate(observables):
        for coefficient, word in observable:
            sign, pulled = frame.pull(word)
            terms.append(Term(sign * float(coefficient.real), pulled, output))
    return tuple(terms)
