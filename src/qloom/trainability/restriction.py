"""The same circuit on fewer qubits: what a diagnosis at several widths compares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from qloom.circuits import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.errors import CircuitError
from qloom.observables import PauliSum, Word


def restricted(circuit: Circuit, n_qubits: int) -> Circuit:
    """The gates that lie on the first qubits, with the slots that these use, in their order.

    Args:
        circuit: from |0>.
        n_qubits: at least 1, at most the circuit's.

    Raises:
        CircuitError: if the circuit starts from amplitudes, has fewer qubits, or nothing trained is left.
    """
    used, kept = used_slots(circuit, n_qubits), _kept(circuit, n_qubits)
    if not used["weight"]:
        raise CircuitError(f"{circuit!r} has no weights on its first {n_qubits} qubits, expected some to train")
    out = Circuit(n_qubits)
    out.inputs(len(used["input"]))
    out.weights(len(used["weight"]))

    def moved(angle: Angle) -> Angle:
        return angle if angle.is_number else replace(angle, index=used[angle.source][angle.index])

    out.operations = [replace(op, angles=tuple(map(moved, op.angles))) for op in kept]
    return out


def used_slots(circuit: Circuit, n_qubits: int) -> dict[str, dict[int, int]]:
    """Of "input" and "weight": the indices that gates on the first qubits use, and where these come in order."""
    kept, used = _kept(circuit, n_qubits), {}
    for source in ("input", "weight"):
        indices = {angle.index for op in kept for angle in op.angles if angle.source == source}
        used[source] = {index: place for place, index in enumerate(sorted(indices))}
    return used


def _kept(circuit: Circuit, n_qubits: int) -> list[Operation]:
    if circuit.initial is not None or not 1 <= n_qubits <= circuit.n_qubits:
        raise CircuitError(
            f"{circuit!r} to {n_qubits} qubits, expected a circuit from |0> of at least as many, and at least 1"
        )
    return [op for op in circuit.operations if max(op.qubits, default=0) < n_qubits]


def restricted_observable(observable: PauliSum, n_qubits: int) -> PauliSum:
    """Each word's factors on the first qubits; words of which nothing is left are left out.

    Raises:
        CircuitError: if nothing is left at all.
    """
    total = _on_first(observable, n_qubits)
    if not total.terms:
        raise CircuitError(f"{observable!r} has nothing on the first {n_qubits} qubits, expected a factor there")
    return total


def restricted_observables(observables: Iterable[PauliSum], n_qubits: int) -> tuple[PauliSum, ...]:
    """What is left of several on the first qubits: what is equal then is taken once, where nothing is left none."""
    parts = dict.fromkeys(_on_first(observable, n_qubits) for observable in observables)
    return tuple(part for part in parts if part.terms)


def _on_first(observable: PauliSum, n_qubits: int) -> PauliSum:
    mask, kept = (1 << n_qubits) - 1, dict[Word, complex]()
    for coefficient, (x, z) in observable:
        word = (x & mask, z & mask)
        if word != (0, 0):
            kept[word] = kept.get(word, 0) + coefficient
    return PauliSum(kept)
