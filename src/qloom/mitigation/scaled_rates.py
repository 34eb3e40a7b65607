"""Circuits whose channels have their rates times a factor: a number, or one more input."""

from __future__ import annotations

from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Scalar
from qloom.circuits.operations import Operation
from qloom.errors import UnsupportedError
from qloom.noise.scaling import rate_places, scaled


def rates_as_slots(circuit: Circuit) -> Circuit | None:
    """The circuit with one input more, which all rates of its channels are multiplied by; None where some are slots."""
    if any(not op.angles[k].is_number for op in channels(circuit) for k in rate_places(op)):
        return None
    out = circuit.copy()
    (factor,) = out.inputs(1)
    return _with_rates(out, factor)


def rates_times(circuit: Circuit, factor: float) -> Circuit:
    """The circuit with all rates of its channels times a number; readout and coherent errors stay."""
    return _with_rates(circuit.copy(), factor)


def _with_rates(circuit: Circuit, factor: Scalar) -> Circuit:
    circuit.operations = [scaled(op, factor) if op.gate.kind == "channel" else op for op in circuit.operations]
    return circuit


def channels(circuit: Circuit) -> list[Operation]:
    """Those of a circuit; UnsupportedError where there is none."""
    found = [op for op in circuit.operations if op.gate.kind == "channel"]
    if not found:
        raise UnsupportedError('no channel has rates to scale, expected those of a noise model; take by="folding"')
    return found
