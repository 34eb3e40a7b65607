"""The program: a circuit after lowering. Passes of Pauli rotations, and the words that are measured at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from qloom.circuits.circuit import Amplitudes
from qloom.circuits.parameters import Angle
from qloom.observables import Word, word_letters
from qloom.programs.frame import Frame


@dataclass(frozen=True, slots=True)
class Rotation:
    """exp(-i angle P / 2) about the Hermitian word P."""

    word: Word
    angle: Angle


@dataclass(slots=True)
class Pass:
    """Commuting rotations with one x mask: one multiplexed rotation, one walk over the state.

    `shared` tells that no angle is an input, so all samples turn alike unless weights are given per sample.
    """

    x: int
    shared: bool
    rotations: list[Rotation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Term:
    """coefficient * <word>, added to output number `output`."""

    coefficient: float
    word: Word
    output: int


@dataclass(frozen=True)
class Program:
    """A lowered circuit; masks have bit q for qubit q.

    Args:
        n_qubits, n_inputs, n_weights: of the circuit.
        initial: given amplitudes, or None for |0>.
        passes: applied first to last.
        terms: of the observables pulled back through the frame; empty when states or outcomes are asked for.
        n_outputs: O.
        measured: qubits whose joint outcome probabilities are the outputs, or None.
        frame: the Clifford part that stands between the passes and the computational basis.
        phases: angles whose sum is the state's global phase.
    """

    n_qubits: int
    n_inputs: int
    n_weights: int
    initial: Amplitudes | None
    passes: tuple[Pass, ...]
    terms: tuple[Term, ...]
    n_outputs: int
    measured: tuple[int, ...] | None
    frame: Frame
    phases: tuple[Angle, ...]

    @property
    def n_rotations(self) -> int:
        return sum(len(p.rotations) for p in self.passes)

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
            lines += [f"           {self.letters(r.word)}  {r.angle!r}" for r in one.rotations]
        lines += [f"  output {t.output:<2} {t.coefficient:+g} {self.letters(t.word)}" for t in self.terms]
        if self.measured is not None:
            lines.append(f"  outputs  probabilities of qubits {', '.join(map(str, self.measured))}")
        return "\n".join(lines)

    def letters(self, word: Word) -> str:
        """A word as n letters, qubit 0 first, dots for identities."""
        named = word_letters(word)
        return "".join(named.get(q, ".") for q in range(self.n_qubits))
