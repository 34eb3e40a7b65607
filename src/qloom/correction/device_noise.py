"""A NoiseModel as rates of a code's circuit: what its gates, readout and idle qubits lose on average."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import exp, prod
from typing import TYPE_CHECKING

import numpy as np

from qloom.circuits.gates import GATES
from qloom.circuits.operations import Operation
from qloom.correction.circuit_noise import LayerNoise
from qloom.errors import ConfigError

if TYPE_CHECKING:
    from qloom.noise import NoiseModel

# A gate with more errors is reported as broken, not measured: a code would be laid out around it.
_BROKEN = 0.5
_WIDTHS = {"one_qubit": 1, "two_qubit": 2}


def layer_noise(model: NoiseModel) -> LayerNoise:
    """Mean rates of a model, each channel as the Pauli channel with the same probability of no error.

    - Gates: the mean over the places that the model names; those with an error of 1/2 and more are left out as broken.
    - Readout: the mean over qubits and over both outcomes. Models say nothing of resets: they flip as often.
    - Idle qubits: relaxation, with the mean times, over the mean duration of the two-qubit gates; 0 where the model has
      none.

    Raises:
        ConfigError: if it has slots for numbers, or no two-qubit gate that works.
    """
    errors = _gate_errors(model)
    readout = _readout(model)
    if not errors[2]:
        raise ConfigError(f"{model!r} has no noise of two-qubit gates, expected some; give rates with LayerNoise(...)")
    one, two = (float(np.mean(errors[width])) if errors[width] else 0.0 for width in (1, 2))
    return LayerNoise(one, two, _idle(model), readout, readout)


def _gate_errors(model: NoiseModel) -> dict[int, list[float]]:
    """Errors of every gate and place, by width; of several rules of one gate together."""
    from qloom.noise.rules import Rule

    kept: dict[tuple[str, object], float] = defaultdict(lambda: 1.0)
    for rule in model.entries:
        if isinstance(rule, Rule) and rule.gates not in model.free and _width(rule) in (1, 2):
            repeats = _width(rule) if rule.width == 1 else 1
            kept[rule.gates, rule.qubits] *= _fidelity(rule.operations) ** repeats
    widths = {name: _width_of(name) for name, _ in kept}
    out: dict[int, list[float]] = {1: [], 2: []}
    for (name, _), fidelity in kept.items():
        if 1 - fidelity < _BROKEN:
            out[widths[name]].append(1 - fidelity)
    return out


def _width(rule: object) -> int:
    return _width_of(rule.gates)  # type: ignore[attr-defined]


def _width_of(name: str) -> int:
    """Qubits of a unitary gate; 0 of what is none."""
    if name in _WIDTHS:
        return _WIDTHS[name]
    gate = GATES.get(name)
    return gate.n_qubits if gate is not None and gate.is_unitary else 0


def _fidelity(operations: Iterable[Operation]) -> float:
    """Probability that none of some operations is an error: their process fidelities, multiplied."""
    return prod((_process_fidelity(op) for op in operations), start=1.0)


def _process_fidelity(op: Operation) -> float:
    if not all(angle.is_number for angle in op.angles):
        raise ConfigError(f"{op.gate.name} of the noise model has a slot for a rate, expected numbers")
    transfer = op.gate.transfer(*(angle.offset for angle in op.angles))
    return float(np.trace(transfer)) / len(transfer)


def _readout(model: NoiseModel) -> float:
    """Mean probability of a wrong bit, of readout errors on one qubit."""
    rates = [
        sum(angle.offset for angle in entry.operation.angles) / 2
        for entry in model.readouts
        if len(entry.operation.angles) == 2
    ]
    return float(np.mean(rates)) if rates else 0.0


def _idle(model: NoiseModel) -> float:
    """Error of a qubit that relaxes for as long as a two-qubit gate takes."""
    from qloom.noise.rules import Duration

    times = [entry.time for entry in model.entries if isinstance(entry, Duration) and _width_of(entry.gates) == 2]
    if not model.relaxations or not times:
        return 0.0
    time = float(np.mean(times))
    t1, t2 = (float(np.mean([getattr(entry, name) for entry in model.relaxations])) for name in ("t1", "t2"))
    return 1 - (1 + exp(-time / t1) + 2 * exp(-time / t2)) / 4
