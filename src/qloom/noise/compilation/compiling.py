"""Circuits as a device runs them: written in its gates, put on its qubits, with its noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.errors import CircuitError
from qloom.noise.compilation.gates import Basis
from qloom.noise.compilation.routing import Couplings, route
from qloom.noise.model import NoiseModel
from qloom.noise.rules import CLASSES, Rule


@dataclass(frozen=True)
class Compiled:
    """A circuit in a device's gates, on as many qubits as before.

    Attributes:
        circuit: whose qubit q is, at its end, what qubit q of the given one is.
        start: qubits of the device that hold qubits 0, 1, ... at first.
        qubits: those that hold them at the end, which the qubits of `circuit` are.
        model: the noise of these qubits, in this order.
        success: chance that no gate and no readout goes wrong, were errors independent.
    """

    circuit: Circuit
    start: tuple[int, ...]
    qubits: tuple[int, ...]
    model: NoiseModel
    success: float

    @property
    def noisy(self) -> Circuit:
        """With the noise."""
        return self.model.apply(self.circuit)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.circuit.gate_counts().items())
        names = self.model.labels or tuple(map(str, self.qubits))
        return f"on qubits {', '.join(names)}: {counts}; nothing goes wrong in {self.success:.1%} of the runs"


def compiled(circuit: Circuit, model: NoiseModel, qubits: Sequence[int] | None = None) -> Compiled:
    """A circuit as a device runs it.

    Channels and resets that stand in the circuit are kept on their qubits.

    Args:
        model: of a device, with noise for each gate on its qubits.
        qubits: of the device, where the circuit's qubits begin; None for the place of the least error that is found.

    Raises:
        CircuitError: for a device without known gates or with too few joined qubits, or a circuit that starts from
            given amplitudes.
    """
    if circuit.initial is not None:
        raise CircuitError(
            f"circuit starts from given amplitudes, which no gate of {model.name or 'a device'} makes; prepare them by "
            "gates"
        )
    basis, couplings = device_of(model)
    steps = [step for op in circuit.operations for step in basis.written(op)]
    routed = route(steps, circuit.n_qubits, couplings, qubits)
    labels = {place: q for q, place in enumerate(routed.end)}
    out = circuit.copy()
    out.operations = []
    directed = _directed(model, basis.entangler)
    for op in routed.operations:
        for step in _joined(op, basis, directed):
            out.operations.append(replace(step, qubits=tuple(labels[q] for q in step.qubits)))
    return Compiled(out, routed.start, routed.end, model.on(routed.end), exp(-routed.cost))


@lru_cache(maxsize=64)
def device_of(model: NoiseModel) -> tuple[Basis, Couplings]:
    """A device's gates and joined qubits, from the rules of its noise.

    Raises:
        CircuitError: for a model that names no gates on pairs of qubits.
    """
    rules = [entry for entry in model.entries if isinstance(entry, Rule)]
    names = {rule.gates for rule in rules} | set(model.free)
    if "one_qubit" in names:
        names |= {"rz", "sx", "x", "h"}
    basis = Basis(names - set(CLASSES))
    pairs = {(rule.qubits[0], rule.qubits[1]): infidelity(rule) for rule in rules
             if rule.gates == basis.entangler and rule.qubits is not None and len(rule.qubits) == 2}  # fmt: skip
    if not pairs:
        raise CircuitError(
            f"{model.name or 'the noise model'} has {basis.entangler} on no pair of qubits, expected a device; take "
            "circuits as they are with Noisy"
        )
    readout = {entry.qubits[0]: _misread(entry.operation) for entry in model.readouts
               if entry.qubits is not None and len(entry.qubits) == 1}  # fmt: skip
    return basis, Couplings.of_errors(pairs, readout)


def _joined(op: Operation, basis: Basis, directed: set[tuple[int, ...] | None]) -> Iterator[Operation]:
    """A cx between neighbours in the device's gates, the way round that is there; all else as it is."""
    if op.gate.name != "cx":
        yield op
        return
    control, target = op.qubits
    yield from basis.cx(control, target, turned=op.qubits not in directed)


def _directed(model: NoiseModel, entangler: str) -> set[tuple[int, ...] | None]:
    return {e.qubits for e in model.entries if isinstance(e, Rule) and e.gates == entangler}


def infidelity(rule: Rule) -> float:
    """What a rule's channels leave of 1 - average gate fidelity; 1 for a gate that does nothing but errors."""
    size, fidelity = 2 ** len(rule.qubits or ()), 1.0
    for op in rule.operations:
        angles = [angle.offset for angle in op.angles]
        fidelity *= float(np.trace(op.gate.transfer(*angles))) / 4 ** len(op.qubits)
    # A depolarizing channel of an error each time has a process fidelity of 0.
    return 1.0 if fidelity <= 1e-9 else (1 - fidelity) * size / (size + 1)


def _misread(op: Operation) -> float:
    return float(np.mean([angle.offset for angle in op.angles])) if op.angles else 0.0
