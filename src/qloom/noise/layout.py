"""Which qubits of a device are joined by which gate, paths between them, and the line of them that errs least."""

from __future__ import annotations

from collections import deque
from math import prod

import numpy as np

from qloom.checks import checked_count
from qloom.errors import CircuitError
from qloom.noise.model import NoiseModel
from qloom.noise.rules import Places, Readout, Rule

# Two-qubit gates that make a CZ with one-qubit gates, the best first.
ENTANGLERS = ("cz", "cx", "ecr")
# Lines that are kept while one is grown.
MOST_LINES = 400


class Couplers:
    """Gates of a model by the qubits they are on."""

    def __init__(self, model: NoiseModel, n_qubits: int):
        self._rules = {(rule.gates, rule.qubits) for rule in model.entries if isinstance(rule, Rule)}
        self._free, self._who = set(model.free), model.name or "the model"
        self._anywhere = next(
            (g for g in ENTANGLERS if (g, None) in self._rules or ("two_qubit", None) in self._rules), ""
        )
        self._gates: dict[frozenset[int], tuple[str, Places]] = {}
        for name in reversed(ENTANGLERS):
            for gate, qubits in self._rules:
                if gate == name and qubits is not None and max(qubits) < n_qubits:
                    self._gates[frozenset(qubits)] = name, qubits

    def has(self, gate: str, qubits: Places) -> bool:
        """Whether the device has a gate on these qubits."""
        kinds = [gate, *({1: ["one_qubit"], 2: ["two_qubit"]}.get(len(qubits), []))]
        return gate in self._free or not qubits or any((k, q) in self._rules for k in kinds for q in (qubits, None))

    def gate_on(self, first: int, second: int) -> tuple[str, Places]:
        """The gate of a pair that is joined, and its qubits in order."""
        pair = (first, second)
        return self._gates.get(frozenset(pair)) or (self._anywhere, pair)

    def path(self, first: int, second: int) -> list[int]:
        """Qubits from one to another along pairs that are joined, a shortest way."""
        if self._anywhere or frozenset((first, second)) in self._gates:
            return [first, second]
        came: dict[int, int] = {first: first}
        line = deque([first])
        while line and second not in came:
            q = line.popleft()
            for n in sorted(n for pair in self._gates if q in pair for n in pair - {q} if n not in came):
                came[n] = q
                line.append(n)
        if second not in came:
            raise CircuitError(
                f"qubits {first} and {second} are not joined in {self._who}, expected a way between them by "
                f"{', '.join(ENTANGLERS)}; choose others with model.best_line"
            )
        way = [second]
        while way[-1] != first:
            way.append(came[way[-1]])
        return way[::-1]


def best_line(model: NoiseModel, n_qubits: int) -> tuple[int, ...]:
    """See `NoiseModel.best_line`."""
    n_qubits = checked_count("n_qubits", n_qubits)
    pairs, single = _errors(model)
    lines: dict[tuple[int, ...], float] = {(q,): error for q, error in single.items()}
    for _ in range(n_qubits - 1):
        grown = {
            (*line, b): lost + pairs[a, b] + single.get(b, 0.0)
            for line, lost in lines.items()
            for a, b in pairs
            if a == line[-1] and b not in line
        }
        lines = dict(sorted(grown.items(), key=lambda item: (item[1], item[0]))[: MOST_LINES * n_qubits])
    if not lines:
        raise CircuitError(f"{model.name or 'the model'} has no line of {n_qubits} joined qubits, expected fewer")
    return min(lines, key=lambda line: (lines[line], line))


def _errors(model: NoiseModel) -> tuple[dict[tuple[int, int], float], dict[int, float]]:
    """What is lost by the two-qubit gate of each pair, both ways, and by one-qubit gates and readout of each qubit."""
    pairs: dict[tuple[int, int], float] = {}
    single: dict[int, float] = {}
    for rule in model.entries:
        if not isinstance(rule, Rule) or rule.qubits is None:
            continue
        if len(rule.qubits) == 2 and rule.gates in ENTANGLERS:
            a, b = rule.qubits
            pairs[a, b] = pairs[b, a] = min(lost(rule), pairs.get((a, b), 1.0))
        elif len(rule.qubits) == 1:
            single[rule.qubits[0]] = max(lost(rule), single.get(rule.qubits[0], 0.0))
    for readout in model.readouts:
        if readout.qubits is not None and len(readout.qubits) == 1:
            q = readout.qubits[0]
            single[q] = single.get(q, 0.0) + _misread(readout)
    return pairs, single


def lost(rule: Rule) -> float:
    """1 - process fidelity of a rule's noise, that of its operations multiplied."""
    kept = []
    for op in rule.operations:
        transfer = op.gate.transfer(*(angle.offset for angle in op.angles))
        kept.append(float(np.trace(transfer).real) / len(transfer))
    return 1 - prod(kept)


def _misread(readout: Readout) -> float:
    return sum(angle.offset for angle in readout.operation.angles) / 2
