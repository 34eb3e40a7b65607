"""Gates written in those of a device: rz, sx and one gate on two qubits.

Angles stay linear in their slots, so a compiled circuit is trained like the one it was made of. Phases of the whole
state are dropped.

Source: McKay and others 2017, Phys. Rev. A 96, 022330, for one qubit; ladders of cx for rotations about longer words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from math import isclose, pi

from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, as_angle
from qloom.errors import CircuitError

# Gates on two qubits that cx is made of, each with what stands around it: on (control, target).
ENTANGLERS = ("cx", "cz", "ecr")

Steps = Iterator[Operation]


def entangler_of(basis: Collection[str]) -> str:
    """The gate on two qubits that cx is made of; CircuitError for a device that has none of those known."""
    for name in ENTANGLERS:
        if name in basis:
            return name
    raise CircuitError(
        f"device has the gates {', '.join(sorted(basis))}, expected one of {', '.join(ENTANGLERS)} to compile for; "
        "write the circuit in its gates"
    )


class Basis:
    """What a device's gates are, and how others are written in them.

    Args:
        names: of its gates; rz and sx among them.
    """

    def __init__(self, names: Collection[str]):
        missing = {"rz", "sx"} - set(names)
        if missing:
            raise CircuitError(
                f"device has the gates {', '.join(sorted(names))}, expected {' and '.join(sorted(missing))} too to "
                "compile for; write the circuit in its gates"
            )
        self.names, self.entangler = frozenset(names), entangler_of(names)

    def written(self, op: Operation) -> Steps:
        """An operation on any two qubits as gates of one qubit and cx; what is no unitary gate as it is."""
        gate, qubits = op.gate, op.qubits
        if not gate.is_unitary:
            yield op
        elif len(qubits) == 1:
            yield from self.on_one(gate, op.angles, qubits[0])
        elif gate.name == "cx":
            yield op
        elif gate.name in _BY_CX:
            for name, places in _BY_CX[gate.name]:
                yield from self.written(Operation(GATES[name], tuple(qubits[k] for k in places)))
        else:
            for letters, angle in gate.expansion(*op.angles).rotations:
                yield from self._rotation(letters, as_angle(angle), qubits)

    def on_one(self, gate: Gate, angles: Sequence[Angle], qubit: int) -> Steps:
        """A gate on one qubit."""
        if gate.name in self.names:
            yield Operation(gate, (qubit,), tuple(angles))
        elif gate.name == "h":
            yield from self._run(qubit, pi / 2, "sx", pi / 2)
        elif gate.name != "id":
            for letters, angle in gate.expansion(*angles).rotations:
                yield from self._rotation(letters, as_angle(angle), (qubit,))

    def cx(self, control: int, target: int, turned: bool = False) -> Steps:
        """A cx between neighbours by the device's own gate; `turned` where that is there the other way round only."""
        if turned and self.entangler != "cz":
            yield from (step for q in (control, target) for step in self._named("h", q))
            yield from self.cx(target, control)
            yield from (step for q in (control, target) for step in self._named("h", q))
        elif self.entangler == "cx":
            yield Operation(GATES["cx"], (control, target))
        elif self.entangler == "cz":
            yield from self._named("h", target)
            yield Operation(GATES["cz"], (target, control) if turned else (control, target))
            yield from self._named("h", target)
        else:
            # cx is exp(-i pi ZX / 4), an ecr and x on the control, beside quarter turns back of either qubit.
            yield from self._run(control, -pi / 2)
            yield from self._run(target, pi, "sx", pi)
            yield Operation(GATES["ecr"], (control, target))
            yield from self._named("x", control)

    def _rotation(self, letters: str, angle: Angle, qubits: Sequence[int]) -> Steps:
        """exp(-i a P / 2): letters turned to Z, parities gathered on the last qubit, rz, and back."""
        places = [(letter, q) for letter, q in zip(letters, qubits, strict=True) if letter != "I"]
        if not places:
            return
        if len(places) == 1:
            yield from self._single(*places[0], angle)
            return
        for letter, q in places:
            yield from self._to_z(letter, q)
        ladder = [(a[1], b[1]) for a, b in pairwise(places)]
        yield from (Operation(GATES["cx"], pair) for pair in ladder)
        yield Operation(GATES["rz"], (places[-1][1],), (angle,))
        yield from (Operation(GATES["cx"], pair) for pair in reversed(ladder))
        for letter, q in places:
            yield from self._from_z(letter, q)

    def _single(self, letter: str, qubit: int, angle: Angle) -> Steps:
        quarter = _quarter_turns(angle)
        if quarter == 0:
            return
        if letter == "Z":
            yield Operation(GATES["rz"], (qubit,), (angle,))
        elif quarter == 2:  # X and Y are sx twice, up to a phase
            turn = () if letter == "X" else (pi,)
            yield from self._named("x", qubit)
            yield from self._run(qubit, *turn)
        elif quarter is not None:
            # A quarter turn about an axis in the plane: rz takes X to that axis and back.
            axis = {("X", 1): 0.0, ("X", 3): pi, ("Y", 1): pi / 2, ("Y", 3): -pi / 2}[letter, quarter]
            yield from self._run(qubit, -axis, "sx", axis)
        else:
            first, last = (pi / 2, pi / 2) if letter == "X" else (0.0, pi)
            yield from self._run(qubit, first, "sx", angle + pi, "sx", last)

    def _to_z(self, letter: str, qubit: int) -> Steps:
        if letter != "Z":
            yield from self._run(qubit, *((pi / 2,) if letter == "X" else ()), "sx")

    def _from_z(self, letter: str, qubit: int) -> Steps:
        if letter != "Z":
            yield from self._run(qubit, pi, "sx", *((pi / 2,) if letter == "X" else (pi,)))

    def _named(self, name: str, qubit: int) -> Steps:
        if name in self.names:
            yield Operation(GATES[name], (qubit,))
        elif name == "x":
            yield from self._run(qubit, "sx", "sx")
        else:
            yield from self.on_one(GATES[name], (), qubit)

    @staticmethod
    def _run(qubit: int, *steps: str | float | Angle) -> Steps:
        """sx, and rz by numbers or angles; those by 0 are left out."""
        for step in steps:
            if isinstance(step, str):
                yield Operation(GATES[step], (qubit,))
            elif isinstance(step, Angle) or step:
                yield Operation(GATES["rz"], (qubit,), (as_angle(step),))


_BY_CX: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "cz": (("h", (1,)), ("cx", (0, 1)), ("h", (1,))),
    "cy": (("sdg", (1,)), ("cx", (0, 1)), ("s", (1,))),
    "swap": (("cx", (0, 1)), ("cx", (1, 0)), ("cx", (0, 1))),
}


def _quarter_turns(angle: Angle) -> int | None:
    """How many quarter turns a number is, of four; None for other angles."""
    if not angle.is_number:
        return None
    turns = angle.offset / (pi / 2)
    return round(turns) % 4 if isclose(turns, round(turns), abs_tol=1e-12) else None
