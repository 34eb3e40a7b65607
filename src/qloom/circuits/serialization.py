"""Circuits as versioned JSON, both ways."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from qloom.circuits.channels import confusion_gate, depolarizing_gate, kraus_from_data, pauli_channel_gate
from qloom.circuits.circuit import Amplitudes, Circuit
from qloom.circuits.conditions import Condition, conditional_gate, measured_gate
from qloom.circuits.gate import Gate
from qloom.circuits.gates import controlled_gate, find_gate, pauli_rotation_gate
from qloom.circuits.parameters import Angle, slot_array
from qloom.circuits.slots import Slots
from qloom.circuits.synthesis import diagonal_gate, unitary_gate
from qloom.errors import ArtifactError
from qloom.files import read_document

FORMAT, VERSION = "qloom.circuit", 1
# A text may declare up to so many qubits, and inputs or weights: what is made of them later is as large.
MOST_QUBITS, MOST_SLOTS = 1 << 20, 1 << 28


def circuit_to_json(circuit: Circuit) -> str:
    """JSON text of a circuit."""
    operations = [
        _gate_to_json(op.gate)
        | {"qubits": list(op.qubits)}
        | ({"angles": [angle.to_json() for angle in op.angles]} if op.angles else {})
        for op in circuit.operations
    ]
    document = {
        "format": FORMAT,
        "version": VERSION,
        "n_qubits": circuit.n_qubits,
        "n_inputs": circuit.n_inputs,
        "n_weights": circuit.n_weights,
        **({"n_bits": circuit.n_bits} if circuit.n_bits else {}),
        "slots": {slots.source: _blocks_to_json(slots) for slots in (circuit.input_slots, circuit.weight_slots)},
        "initial": _initial_to_json(circuit.initial),
        "operations": operations,
    }
    return json.dumps(document)


def circuit_from_json(text: str) -> Circuit:
    """Circuit of JSON text; ArtifactError if it is damaged, foreign or of a later version."""
    return read_document(text, "circuit", (FORMAT, VERSION), _build)


def _build(document: dict[str, Any]) -> Circuit:
    circuit = Circuit(_declared(document, "n_qubits", 1, MOST_QUBITS))
    for slots, name in ((circuit.input_slots, "n_inputs"), (circuit.weight_slots, "n_weights")):
        _declare(slots, _declared(document, name, 0, MOST_SLOTS), document.get("slots"))
    if "n_bits" in document:
        circuit.bits(_declared(document, "n_bits", 1, MOST_QUBITS))
    _prepare(circuit, document["initial"])
    for op in document["operations"]:
        circuit.append(_gate_from_json(op), map(Angle.from_json, op.get("angles", ())), op["qubits"])
    return circuit


def _declared(document: dict[str, Any], name: str, least: int, most: int) -> int:
    number = document[name]
    if type(number) is not int or not least <= number <= most:
        raise ArtifactError(f"circuit text declares {name}={str(number)[:30]}, expected {least:,} to {most:,}")
    return number


def _blocks_to_json(slots: Slots) -> list[dict[str, Any]]:
    return [{"name": block.name, "shape": list(block.shape)} for block in slots]


def _declare(slots: Slots, count: int, blocks: dict[str, Any] | None) -> None:
    """So many slots, in the blocks that a text names; texts of older versions name none."""
    if blocks is None:
        if count:
            slots.add((count,))
        return
    for block in blocks[slots.source]:
        slots.add(tuple(block["shape"]), block["name"])
    if slots.count != count:
        raise ArtifactError(f"circuit text declares {count} {slots.source}s in blocks of {slots.count}: {slots}")


def _gate_to_json(gate: Gate) -> dict[str, Any]:
    if gate.data is None:
        return {"gate": gate.name}
    if gate.kind == "conditional":
        inner, condition = gate.data
        return {"gate": gate.name, "data": {"of": _gate_to_json(inner), **condition.to_json()}}
    return {"gate": gate.name, "data": _gate_to_json(gate.data) if isinstance(gate.data, Gate) else gate.data}


def _gate_from_json(op: dict[str, Any]) -> Gate:
    name = op["gate"]
    return _MADE[name](op["data"]) if "data" in op and name in _MADE else find_gate(name)


_MADE = {
    "pauli_rotation": pauli_rotation_gate,
    "unitary": lambda data: unitary_gate(np.array(data) @ [1, 1j]),
    "diagonal": diagonal_gate,
    "depolarizing": depolarizing_gate,
    "pauli_channel": pauli_channel_gate,
    "kraus": kraus_from_data,
    "confusion": confusion_gate,
    "measure": measured_gate,
    "if": lambda data: conditional_gate(_gate_from_json(data["of"]), Condition.from_json(data)),
    "controlled": lambda data: controlled_gate(_gate_from_json(data)),
}


def _initial_to_json(initial: Amplitudes | None) -> dict[str, Any] | None:
    if initial is None:
        return None
    if initial.values is not None:
        return {"values": [[v.real, v.imag] for v in initial.values]}
    return {"real": initial.real, "imaginary": initial.imaginary}


def _prepare(circuit: Circuit, data: dict[str, Any] | None) -> None:
    if data is None:
        return
    if "values" in data:
        circuit.prepare_amplitudes(np.array(data["values"], float) @ [1, 1j])
        return
    columns = (data["real"], data["imaginary"])
    for column in columns:
        if not (column is None or (type(column) is int and 0 <= column <= circuit.n_inputs - 2**circuit.n_qubits)):
            raise ArtifactError(
                f"circuit text takes its amplitudes from input {column!r} on, expected 2^{circuit.n_qubits} of the "
                f"{circuit.n_inputs} inputs from there"
            )
    circuit.prepare_amplitudes(
        *(None if c is None else slot_array("input", c, (2**circuit.n_qubits,)) for c in columns)
    )
