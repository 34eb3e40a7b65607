"""Which gates a device has on which qubits, and how often those of two qubits err."""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from qloom.errors import CircuitError
from qloom.noise.model import NoiseModel
from qloom.noise.rules import Places, Rule

# Two-qubit gates that make a CZ with one-qubit gates, the best first.
ENTANGLERS = ("cz", "cx", "ecr")


class DeviceGates:
    """Gates of a model by the qubits they are on."""

    def __init__(self, model: NoiseModel, n_qubits: int):
        self._rules = {(rule.gates, rule.qubits) for rule in model.entries if isinstance(rule, Rule)}
        self._free, self._who = set(model.free), model.name or "the model"
        self._anywhere = next(
            (g for g in ENTANGLERS if (g, None) in self._rules or ("two_qubit", None) in self._rules), ""
        )
        self._gates: dict[frozenset[int], tuple[str, Places]] = {}
        # Of a pair's gates and their directions the one that errs least; of equals the best for its name, the first.
        ranked = sorted(gate_errors(model).items(), key=lambda item: (item[1], ENTANGLERS.index(item[0][0])))
        for (name, qubits), _ in ranked:
            if max(qubits) < n_qubits:
                self._gates.setdefault(frozenset(qubits), (name, qubits))

    def has(self, gate: str, qubits: Places) -> bool:
        """Whether the device has a gate on these qubits."""
        kinds = [gate, *({1: ["one_qubit"], 2: ["two_qubit"]}.get(len(qubits), []))]
        return gate in self._free or not qubits or any((k, q) in self._rules for k in kinds for q in (qubits, None))

    def gate_on(self, first: int, second: int) -> tuple[str, Places]:
        """The gate of a pair that is joined, and its qubits in order; CircuitError of one that is not."""
        found = self._gates.get(frozenset((first, second)))
        if found is not None:
            return found
        if not self._anywhere:
            raise CircuitError(
                f"qubits {first} and {second} are not joined in {self._who}, expected a way between them by "
                f"{', '.join(ENTANGLERS)}; put the circuit on the device with noise.compiled"
            )
        return self._anywhere, (first, second)


@lru_cache(maxsize=64)
def gate_errors(model: NoiseModel) -> dict[tuple[str, Places], float]:
    """1 - average gate fidelity of each entangling gate on its qubits, of all its rules; 1 where nothing is left."""
    kept: dict[tuple[str, Places], float] = {}
    for rule in model.entries:
        if isinstance(rule, Rule) and rule.gates in ENTANGLERS and rule.qubits is not None:
            key = rule.gates, rule.qubits
            kept[key] = kept.get(key, 1.0) * _process_fidelity(rule)
    # A depolarizing channel of an error each time has a process fidelity of 0.
    return {key: 1.0 if fidelity <= 1e-9 else (1 - fidelity) * 4 / 5 for key, fidelity in kept.items()}


def _process_fidelity(rule: Rule) -> float:
    return prod(
        float(np.trace(op.gate.transfer(*(angle.offset for angle in op.angles))).real) / 4**op.gate.n_qubits
        for op in rule.operations
    )
