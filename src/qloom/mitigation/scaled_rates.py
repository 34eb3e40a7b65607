"""Circuits whose channels have their rates times a factor: a number, or one more input."""

from __future__ import annotations

from collections.abc import Callable

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.errors import UnsupportedError

# Which numbers of a channel grow with its strength; of all others every one does.
_RATES = {"thermal_relaxation": (2,), "generalized_amplitude_damping": (0,)}


def rates_as_slots(circuit: Circuit) -> Circuit | None:
    """The circuit with one input more, which all rates of its channels are multiplied by; None where some are slots."""
    if any(not op.angles[k].is_number for op in _channels(circuit) for k in _rates(op)):
        return None
    out = circuit.copy()
    (factor,) = out.inputs(1)
    out.operations = [_with_rates(op, lambda rate: factor * rate.offset) for op in circuit.operations]
    return out


def rates_times(circuit: Circuit, factor: float) -> Circuit:
    """The circuit with all rates of its channels times a number."""
    out = circuit.copy()
    out.operations = [_with_rates(op, lambda rate: rate * factor) for op in circuit.operations]
    return out


def _with_rates(op: Operation, change: Callable[[Angle], Angle]) -> Operation:
    if op.gate.kind != "channel":
        return op
    rates = _rates(op)
    return Operation(op.gate, op.qubits, tuple(change(a) if k in rates else a for k, a in enumerate(op.angles)))


def _channels(circuit: Circuit) -> list[Operation]:
    channels = [op for op in circuit.operations if op.gate.kind == "channel"]
    if not channels:
        raise UnsupportedError('no channel has rates to scale, expected those of a noise model; take by="folding"')
    return channels


def _rates(op: Operation) -> tuple[int, ...]:
    if not op.angles:
        raise UnsupportedError(f'{op.gate.name} has no rate that could be scaled; take by="folding"')
    return _RATES.get(op.gate.name, tuple(range(len(op.angles))))
