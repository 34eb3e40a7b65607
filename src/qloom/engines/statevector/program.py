"""The program: a circuit after lowering. Passes of Pauli rotations, and the words that are measured at the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from qloom.circuits.circuit import Amplitudes
from qloom.circuits.parameters import Angle
from qloom.observables import Word, word_letters
from qloom.programs.masks import unpack
from qloom.programs.rotations import SOURCES, Rotations, Terms


@dataclass(frozen=True, slots=True)
class Rotation:
    """One of the rotations, for reading: by its angle and then by `turn` more, radians."""

    word: Word
    angle: Angle
    turn: float = 0.0

    def __str__(self) -> str:
        return f"{self.angle!r}{f', then {self.turn:+.6g}' if self.turn else ''}"


@dataclass(frozen=True, slots=True)
class Pass:
    """Commuting rotations with one x mask: one multiplexed rotation, one walk over the state.

    `shared` tells that no angle is an input.
    """

    x: int
    shared: bool
    rotations: tuple[Rotation, ...]


@dataclass(frozen=True, eq=False)
class Program:
    """A lowered circuit; masks have bit q for qubit q.

    Args:
        n_qubits, n_inputs, n_weights: of the circuit.
        initial: given amplitudes, or None for |0>.
        rotations: applied first to last, pass by pass.
        turns: of numbers about the same words that were merged into them, radians, (n_rotations,).
        starts: where each pass starts among them, and the end, (n_passes + 1,).
        terms: of the observables pulled back through the frame; empty when states or outcomes are asked for.
        n_outputs: O.
        measured: qubits whose joint outcome probabilities are the outputs, or None.
        frame: the Clifford part that stands between the passes and the computational basis.
        phases: angles whose sum is the state's global phase, beside the frame's own.
    """

    n_qubits: int
    n_inputs: int
    n_weights: int
    initial: Amplitudes | None
    rotations: Rotations
    turns: np.ndarray
    starts: np.ndarray
    terms: Terms
    n_outputs: int
    measured: tuple[int, ...] | None
    frame: Any
    phases: tuple[Angle, ...]

    @property
    def n_rotations(self) -> int:
        """Rotations of all passes together."""
        return len(self.rotations)

    @cached_property
    def passes(self) -> tuple[Pass, ...]:
        """The passes, for reading."""
        r = self.rotations
        words = zip(unpack(r.x), unpack(r.z), strict=True)
        slots = zip(r.source, r.index.tolist(), r.scale.tolist(), r.offset.tolist(), self.turns.tolist(), strict=True)
        listed = [
            Rotation(word, Angle(SOURCES[source], index, scale, offset), turn)
            for word, (source, index, scale, offset, turn) in zip(words, slots, strict=True)
        ]
        return tuple(
            Pass(listed[first].word[0], bool(r.shared[first]), tuple(listed[first:end]))
            for first, end in zip(self.starts[:-1], self.starts[1:], strict=True)
        )

    def __str__(self) -> str:
        lines = [
            f"program: {self.n_qubits} qubits, {len(self.passes)} passes, {self.n_rotations} rotations, "
            f"{self.n_outputs} outputs, frame {'monomial' if self.frame.monomial else 'full'}"
        ]
        if self.initial is not None:
            lines.append("  start   given amplitudes")
        for k, one in enumerate(self.passes):
            kind = "diagonal" if not one.x else f"flips {self.letters((one.x, 0))}"
            shared = "one angle for the batch" if one.shared else "angles per sample"
            lines.append(f"  pass {k:<3} {kind}, {shared}")
            lines += [f"           {self.letters(r.word)}  {r}" for r in one.rotations]
        t = self.terms
        words = zip(unpack(t.x), unpack(t.z), strict=True)
        lines += [
            f"  output {output:<2} {coefficient:+g} {self.letters(word)}"
            for output, coefficient, word in zip(t.output, t.coefficient, words, strict=True)
        ]
        if self.measured is not None:
            lines.append(f"  outputs  probabilities of qubits {', '.join(map(str, self.measured))}")
        return "\n".join(lines)

    def letters(self, word: Word) -> str:
        """A word as n letters, qubit 0 first, dots for identities."""
        named = word_letters(word)
        return "".join(named.get(q, ".") for q in range(self.n_qubits))
