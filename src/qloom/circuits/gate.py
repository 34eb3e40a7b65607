"""What a gate is: one entry of the table, carrying all that is known of it.

Every unitary gate is a product of Pauli rotations exp(-i a P / 2), in the order given, times a phase
exp(i sum(phases)). A gate without angles whose rotations all are multiples of pi/2 is a Clifford gate; lowering finds
that out by itself. Channels, measurements and resets are entries too, known by their Kraus operators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from qloom.circuits.matrices import Matrix
from qloom.circuits.parameters import Angle
from qloom.errors import CircuitError, UnsupportedError

Scalar = float | Angle
Kind = Literal["unitary", "channel", "measurement", "reset"]


@dataclass(frozen=True)
class Expansion:
    """A gate as Pauli rotations.

    Args:
        rotations: (letters, angle) pairs, letters over the gate's qubits, applied first to last.
        phases: the product is multiplied by exp(i * sum(phases)).
    """

    rotations: tuple[tuple[str, Scalar], ...] = ()
    phases: tuple[Scalar, ...] = ()


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate. Gates are equal if their names and data are; without data, if they are one entry.

    Args:
        name: method of `Circuit` and name in files.
        n_qubits, n_angles: how many it takes; angles come first in the call.
        doc: one line.
        matrix: angles -> (2^k, 2^k) complex matrix, the first qubit the most significant bit.
        expansion: angles (numbers or slots) -> `Expansion`.
        inverse: angles -> the inverse gate and its angles.
        qasm: name in OpenQASM 3's stdgates.inc or OpenQASM 2's qelib1.inc, None where it is in neither.
        data: what a gate made on the fly carries besides angles: letters, numbers or the gate it controls.
        kind: "unitary"; or "channel", "measurement" or "reset", which have Kraus operators and none of matrix,
            expansion and inverse: asked for these they raise an UnsupportedError.
        kraus: of what is not unitary, angles -> (K, 2^k, 2^k) operators: rho becomes the sum of K rho K^dagger. Those
            of a measurement belong to its outcomes.
    """

    name: str
    n_qubits: int
    n_angles: int
    doc: str
    matrix: Callable[..., Matrix] = None  # type: ignore[assignment]
    expansion: Callable[..., Expansion] = None  # type: ignore[assignment]
    inverse: Callable[..., tuple[Gate, tuple[Scalar, ...]]] = None  # type: ignore[assignment]
    qasm: str | None = None
    data: Any = None
    kind: Kind = "unitary"
    kraus: Callable[..., Sequence[Matrix]] | None = None

    def __post_init__(self) -> None:
        if (self.kraus is None) != self.is_unitary:
            raise CircuitError(
                f"gate {self.name!r} is a {self.kind}, expected Kraus operators of all but unitary gates"
            )
        if not self.is_unitary:
            for what in ("matrix", "expansion", "inverse"):
                object.__setattr__(self, what, _refusal(self.name, self.kind, what))

    @property
    def is_unitary(self) -> bool:
        return self.kind == "unitary"

    def operators(self, *angles: float) -> Sequence[Matrix]:
        """Its Kraus operators, of a unitary gate the matrix alone."""
        return (self.matrix(*angles),) if self.kraus is None else self.kraus(*angles)

    def _identity(self) -> tuple[Any, ...]:
        return self.name, self.n_qubits, self.n_angles, self.expansion if self.data is None else self.data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gate) and (self is other or self._identity() == other._identity())

    def __hash__(self) -> int:
        return hash(self._identity())

    def inverted(self, angles: Sequence[Scalar]) -> tuple[Gate, tuple[Scalar, ...]]:
        """The inverse gate and its angles."""
        return self.inverse(*angles)


def _refusal(name: str, kind: Kind, what: str) -> Callable[..., NoReturn]:
    def refuse(*angles: Scalar) -> NoReturn:
        raise UnsupportedError(f"{name} is a {kind} and has no {what}, expected a unitary gate; ask for its operators")

    return refuse


def controlled_expansion(expansion: Expansion, n_qubits: int) -> Expansion:
    """A gate's expansion controlled by one more qubit, put first.

    Each rotation becomes two commuting ones of half angle; phases turn the control.
    """
    rotations: list[tuple[str, Scalar]] = []
    for letters, angle in expansion.rotations:
        rotations += [("I" + letters, angle / 2), ("Z" + letters, -angle / 2)]
    rotations += [("Z" + "I" * n_qubits, phase) for phase in expansion.phases]
    return Expansion(tuple(rotations), tuple(phase / 2 for phase in expansion.phases))
