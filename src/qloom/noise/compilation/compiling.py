"""Circuits as a device runs them: written in its gates, put on its qubits, with its noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.errors import CircuitError
from qloom.noise.compilation.device_gates import ENTANGLERS, gate_errors
from qloom.noise.compilation.narrowing import narrowed
from qloom.noise.compilation.routing import Couplings, route
from qloom.noise.model import NoiseModel


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
        circuit: not changed.
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
    routed = route(list(narrowed(circuit)), circuit.n_qubits, couplings_of(model), qubits)
    labels = {place: q for q, place in enumerate(routed.end)}
    placed, here = circuit.copy(), model.on(routed.end)
    placed.operations = [replace(op, qubits=tuple(labels[q] for q in op.qubits)) for op in routed.operations]
    return Compiled(here.translated(placed), routed.start, routed.end, here, exp(-routed.cost))


@lru_cache(maxsize=64)
def couplings_of(model: NoiseModel) -> Couplings:
    """A device's joined qubits and what goes wrong on them, from the rules of its noise.

    Raises:
        CircuitError: for a model that names no known gates on pairs of qubits.
    """
    pairs: dict[tuple[int, int], float] = {}
    for (_, (a, b)), error in gate_errors(model).items():
        pairs[a, b] = min(error, pairs.get((a, b), 1.0))
    if not pairs:
        raise CircuitError(
            f"{model.name or 'the noise model'} has none of {', '.join(ENTANGLERS)} on a pair of qubits, expected a "
            "device; take circuits as they are with Noisy"
        )
    readout = {entry.qubits[0]: _misread(entry.operation) for entry in model.readouts
               if entry.qubits is not None and len(entry.qubits) == 1}  # fmt: skip
    return Couplings.of_errors(pairs, readout)


def _misread(op: Operation) -> float:
    return float(np.mean([angle.offset for angle in op.angles])) if op.angles else 0.0
