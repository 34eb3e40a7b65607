"""Rates times a factor: which numbers of an operation are its rates, and whether they stay in their range."""

from __future__ import annotations

from collections.abc import Sequence

from qloom.circuits.gate import Scalar
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, as_angle
from qloom.errors import CircuitError

# Which numbers of a channel grow with its strength; of all others every one does.
RATES = {"thermal_relaxation": (2,), "generalized_amplitude_damping": (0,)}


def times(factor: Scalar, angle: Angle) -> Angle:
    """Their product; one of the two may be a slot, CircuitError for both."""
    if not isinstance(factor, Angle):
        return angle * factor
    if angle.is_number:
        return factor * angle.offset
    raise CircuitError(f"rate {angle!r} is a slot and so is the factor {factor!r}, expected a number for one of them")


def rate_places(op: Operation) -> Sequence[int]:
    """Which of an operation's numbers are rates.

    Raises:
        CircuitError: if none is.
    """
    if not op.angles:
        raise CircuitError(
            f"{op.gate.name} has no rate to scale, expected channels or rotations with one; scale a model without it"
        )
    return RATES.get(op.gate.name, range(len(op.angles)))


def scaled(op: Operation, factor: Scalar) -> Operation:
    """An operation whose rates are taken times a factor: of relaxation the duration, of rotations the angle.

    Raises:
        CircuitError: if it has no rate, or one leaves its range.
    """
    places = rate_places(op)
    angles = tuple(times(factor, angle) if k in places else angle for k, angle in enumerate(op.angles))
    out = Operation(op.gate, op.qubits, angles)
    check_rates(out, f"times {factor:g}" if isinstance(factor, float | int) else "")
    return out


def check_rates(op: Operation, when: str = "") -> None:
    """Raise CircuitError where rates that are numbers are out of their range."""
    if op.gate.is_unitary or not all(angle.is_number for angle in op.angles):
        return
    fault = op.gate.fault(*(angle.offset for angle in op.angles))
    if fault is not None:
        raise CircuitError(f"{op.gate.name} {when}: {fault}".replace(" :", ":"))


def as_rate(name: str, value: object) -> Angle:
    """A rate that a caller gives: a number or a slot."""
    try:
        return as_angle(value)
    except CircuitError:
        raise CircuitError(f"{name}={value!r}, expected a number or a slot of a circuit") from None
