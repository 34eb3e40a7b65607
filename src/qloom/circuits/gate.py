"""What a gate is: one entry of the table, carrying all that is known of it.

Every unitary gate is a product of Pauli rotations exp(-i a P / 2), in the order given, times a phase
exp(i sum(phases)). A gate without angles whose rotations all are multiples of pi/2 is a Clifford gate; lowering finds
that out by itself. Channels, measurements and resets are entries too, known by their Kraus operators; their angles are
rates, numbers or slots like any angle. Readout errors are, by how they confuse what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np

from qloom.circuits.matrices import Matrix
from qloom.circuits.parameters import Angle
from qloom.circuits.transfer import transfer_of_expansion, transfer_of_kraus, transfer_of_pauli
from qloom.errors import CircuitError, UnsupportedError

Scalar = float | Angle
Kind = Literal["unitary", "channel", "measurement", "reset", "readout", "conditional"]


@dataclass(frozen=True)
class Expansion:
    """A gate as Pauli rotations.

    Args:
        rotations: (letters, angle) pairs, letters over the gate's qubits, applied first to last.
        phases: the product is multiplied by exp(i * sum(phases)).
    """

    rotations: tuple[tuple[str, Scalar], ...] = ()
    phases: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class Rate:
    """What an angle of a channel may be.

    Args:
        name: as messages call it.
        low, high: both included.
    """

    name: str
    low: float = 0.0
    high: float = 1.0

    def fault(self, values: Any) -> str | None:
        """What is wrong with values, a number or an array; None if nothing is."""
        given = np.asarray(values, float)
        wrong = given[~((given >= self.low) & (given <= self.high))]
        if not wrong.size:
            return None
        upper = f"{self.low:g} to {self.high:g}" if np.isfinite(self.high) else f"at least {self.low:g}"
        return f"{self.name} is {wrong.flat[0]:.6g}, expected {upper}"


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
            expansion and inverse: asked for these they raise an UnsupportedError. Or "readout", which has `confusion`;
            or "conditional", a gate under a condition on classical bits, which are its data.
        kraus: of what is not unitary, angles -> (K, 2^k, 2^k) operators: rho becomes the sum of K rho K^dagger. Those
            of a measurement belong to its outcomes.
        pauli: of a channel that applies Pauli words at random, rates (...,) -> probabilities (..., 4^k) of the words,
            in order of their letters I, X, Y, Z. None for all others.
        transfer: angles (...,) -> (..., 4^k, 4^k), T[i, j] = Tr(P_i E(P_j)) / 2^k over the words in that order; the
            first qubit is the most significant. Angles may be complex: slopes are found by complex steps. Where it is
            not given it follows from the expansion, from `pauli` or from the Kraus operators.
        confusion: of a readout error, rates (...,) -> (..., 2^k, 2^k), from the true outcome (column) to the measured.
        rates: what the angles of a channel may be, one each.
        joint: rates -> what is wrong with them together, or None.

    Raises:
        CircuitError: for Kraus operators or a confusion of a kind that has none, or that are missing.
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
    kraus: Callable[..., Sequence[Matrix] | np.ndarray] | None = None
    pauli: Callable[..., np.ndarray] | None = None
    transfer: Callable[..., np.ndarray] = None  # type: ignore[assignment]
    confusion: Callable[..., np.ndarray] | None = None
    rates: tuple[Rate, ...] = ()
    joint: Callable[..., str | None] | None = None

    def __post_init__(self) -> None:
        if (self.kraus is None) != (self.kind in ("unitary", "readout", "conditional")):
            raise CircuitError(
                f"gate {self.name!r} is a {self.kind}, expected Kraus operators of channels, measurements and resets "
                "alone"
            )
        if (self.confusion is None) == (self.kind == "readout"):
            raise CircuitError(
                f"gate {self.name!r} is a {self.kind}, expected a confusion matrix of readout errors alone"
            )
        if not self.is_unitary:
            for what in ("matrix", "expansion", "inverse"):
                object.__setattr__(self, what, _refusal(self.name, self.kind, what))
        if self.transfer is None:
            object.__setattr__(self, "transfer", self._made_transfer())

    def _made_transfer(self) -> Callable[..., np.ndarray]:
        if self.confusion is not None or self.kind == "conditional":
            return _refusal(self.name, self.kind, "transfer matrix")
        if self.pauli is not None:
            return transfer_of_pauli(self.pauli)
        if self.kraus is not None:
            return transfer_of_kraus(self.kraus)
        return transfer_of_expansion(self.expansion, self.n_qubits)

    @property
    def is_unitary(self) -> bool:
        """Whether it has a matrix, an expansion and an inverse."""
        return self.kind == "unitary"

    def operators(self, *angles: float) -> Sequence[Matrix] | np.ndarray:
        """Its Kraus operators at these angles, of a unitary gate the matrix alone.

        Raises:
            UnsupportedError: for readout errors, and gates under a condition.
        """
        if self.confusion is not None:
            raise UnsupportedError(f"{self.name} is a readout error and has no operators; ask for its confusion matrix")
        if self.kind == "conditional":
            raise UnsupportedError("a gate under a condition on bits has no operators; ask for those of the gate")
        return (self.matrix(*angles),) if self.kraus is None else self.kraus(*angles)

    def fault(self, *rates: Any) -> str | None:
        """What is wrong with rates, numbers or arrays; None if nothing is, or for unitary gates."""
        for rate, values in zip(self.rates, rates, strict=False):
            if found := rate.fault(values):
                return found
        return self.joint(*rates) if self.joint is not None else None

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
