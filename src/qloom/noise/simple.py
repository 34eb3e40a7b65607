"""Models in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Scalar
from qloom.circuits.operations import Operation
from qloom.noise.model import NoiseModel
from qloom.noise.rules import CLASSES, Rule
from qloom.noise.scaling import as_rate, check_rates


def depolarizing(rate: Scalar, width: int, what: str) -> tuple[Operation, ...]:
    """Depolarizing noise of a probability of an error on so many qubits; nothing where it is 0."""
    angle = as_rate(what, rate)
    if angle.is_number and angle.offset == 0:
        return ()
    op = Circuit(width).depolarizing(0.0, *range(width)).operations[0]
    out = Operation(op.gate, op.qubits, (angle,))
    check_rates(out, f"of {what}={angle!r}")
    return (out,)


def uniform(one_qubit: Scalar, two_qubit: Scalar, readout: Scalar, free: Iterable[str]) -> NoiseModel:
    """See `NoiseModel.uniform`."""
    rates = {"one_qubit": one_qubit, "two_qubit": two_qubit}
    entries = tuple(Rule(name, None, depolarizing(rates[name], width, name), width) for name, width in CLASSES.items())
    model = NoiseModel("uniform", entries, free=tuple(free), is_strict=True)
    return model if readout == 0 else model.with_readout(readout)


def relaxation(
    t1: float, t2: float, durations: Mapping[str, float], excited_population: float, idle: bool
) -> NoiseModel:
    """See `NoiseModel.relaxation`."""
    model = NoiseModel("relaxation")
    for gates, time in durations.items():
        model = model.lasting(gates, time)
        model = model.after(gates, Circuit(1).thermal_relaxation(t1, t2, time, excited_population, 0))
    return model.idling(t1, t2, excited_population) if idle else model
