"""A circuit as parts: gates and channels on few qubits, each known by its transfer matrix.

A unitary gate on many qubits is taken apart into rotations about words. A rotation about more letters than a block has
digits stands between CNOTs that take one letter of the word away each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES, pauli_rotation_gate
from qloom.circuits.parameters import Angle, as_angle
from qloom.errors import CircuitError

# Digits of a block: 256 cells with a vector of samples each stay in the first cache.
MOST_DIGITS = 4
# Unitary gates on more qubits are taken apart.
MOST_QUBITS_OF_GATE = 3
# Channels of Pauli words are diagonal: they may be on more qubits than others.
MOST_QUBITS_OF_CHANNEL, MOST_QUBITS_OF_DIAGONAL = 4, 6
_TO_Z = {"X": ("h", "h"), "Y": ("sx", "sxdg"), "Z": (None, None)}


@dataclass(frozen=True)
class Part:
    """One gate or channel on its qubits."""

    gate: Gate
    qubits: tuple[int, ...]
    angles: tuple[Angle, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether all its angles or rates are numbers."""
        return all(angle.is_number for angle in self.angles)

    @property
    def is_wide(self) -> bool:
        """Whether it is known by its diagonal only."""
        return len(self.qubits) > MOST_QUBITS_OF_CHANNEL


def parts_of(circuit: Circuit) -> list[Part]:
    """A circuit's parts, first to last.

    Raises:
        CircuitError: for a channel on more qubits than the engine takes.
    """
    parts: list[Part] = []
    for op in circuit.operations:
        if op.gate.is_unitary and len(op.qubits) > MOST_QUBITS_OF_GATE:
            for letters, angle in op.gate.expansion(*op.angles).rotations:
                parts += _rotation(letters, op.qubits, as_angle(angle))
        elif op.qubits:  # a phase of the whole state is none of a density matrix
            check_width(op.gate, "DensityEngine")
            parts.append(Part(op.gate, op.qubits, op.angles))
    return parts


def check_width(gate: Gate, engine: str) -> None:
    """Raise CircuitError for a channel on more qubits than an engine takes."""
    most = MOST_QUBITS_OF_CHANNEL if gate.pauli is None else MOST_QUBITS_OF_DIAGONAL
    if not gate.is_unitary and gate.n_qubits > most:
        raise CircuitError(
            f"{gate.name} is on {gate.n_qubits} qubits, {engine} takes channels on up to {most}, of Pauli words "
            f"up to {MOST_QUBITS_OF_DIAGONAL}; use TrajectoryEngine"
        )


def _rotation(letters: str, qubits: tuple[int, ...], angle: Angle) -> Iterator[Part]:
    word = [(letter, qubit) for letter, qubit in zip(letters, qubits, strict=True) if letter != "I"]
    if not word:
        return
    on = tuple(qubit for _, qubit in word)
    if len(word) <= MOST_DIGITS:
        yield Part(_rotation_gate("".join(letter for letter, _ in word)), on, (angle,))
        return
    # Z on all, then CNOTs from each qubit to the next until the word is ZZ on the last two.
    there = [Part(GATES[name], (q,)) for letter, q in word if (name := _TO_Z[letter][0])]
    back = [Part(GATES[name], (q,)) for letter, q in word if (name := _TO_Z[letter][1])]
    ladder = [Part(GATES["cx"], pair) for pair in pairwise(on[:-1])]
    yield from [*there, *ladder, Part(GATES["rzz"], on[-2:], (angle,)), *reversed(ladder), *back]


@lru_cache(maxsize=256)
def _rotation_gate(letters: str) -> Gate:
    return GATES[f"r{letters.lower()}"] if len(letters) == 1 else pauli_rotation_gate(letters)


def within_reach(
    parts: Iterable[Part], measured: Iterable[int]
) -> tuple[list[Part], list[Part], tuple[int, ...]]:  # fmt: skip
    """The parts that what is measured on some qubits depends on, the others, and the qubits of the former in order.

    What happens to qubits that nobody looks at later is forgotten: every part preserves the trace.
    """
    live, kept, others = set(measured), [], []
    for part in reversed(list(parts)):
        if live.intersection(part.qubits):
            live.update(part.qubits)
            kept.append(part)
        else:
            others.append(part)
    return kept[::-1], others[::-1], tuple(sorted(live))
