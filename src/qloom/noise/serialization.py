"""Noise models as versioned JSON, both ways. Operations are written as circuits are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.files import read_document
from qloom.noise.model import NoiseModel, Note
from qloom.noise.rules import Crosstalk, Duration, Entry, OverRotation, Places, Readout, Relaxation, Rule, snippet

FORMAT, VERSION = "qloom.noise", 1


def model_to_json(model: NoiseModel) -> str:
    """JSON text of a model."""
    crosstalk = model.crosstalk
    document = {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "n_qubits": model.n_qubits,
        "labels": model.labels,
        "unit": model.unit,
        "is_strict": model.is_strict,
        "free": model.free,
        "entries": [_entry_to_json(entry) for entry in model.entries],
        "readouts": [
            {"qubits": entry.qubits, "operation": _operations_to_json([entry.operation], entry.operation.gate.n_qubits)}
            for entry in model.readouts
        ],
        "relaxations": [vars(entry) for entry in model.relaxations],
        "crosstalk": None if crosstalk is None else {"angle": crosstalk.angle.to_json(), "pairs": crosstalk.pairs},
        "notes": [vars(note) for note in model.notes],
    }
    return json.dumps(document)


def _entry_to_json(entry: Entry) -> dict[str, Any]:
    data: dict[str, Any] = {"gates": entry.gates, "qubits": entry.qubits}
    if isinstance(entry, OverRotation):
        return data | {"fraction": entry.fraction.to_json()}
    if isinstance(entry, Duration):
        return data | {"time": entry.time}
    operations = _operations_to_json(entry.operations, entry.width)
    order = {"precedes": entry.precedes, "yields": entry.yields}
    return data | {"operations": operations, "width": entry.width} | order


def _operations_to_json(operations: Sequence[Operation], width: int) -> Any:
    document = json.loads(snippet(operations, width).to_json())
    return {key: document[key] for key in ("n_inputs", "n_weights", "operations")}


def model_from_json(text: str) -> NoiseModel:
    """Model of JSON text; ArtifactError if it is damaged, foreign or of a later version."""
    return read_document(text, "noise model", (FORMAT, VERSION), _build)


def _build(document: dict[str, Any]) -> NoiseModel:
    crosstalk, labels = document["crosstalk"], document["labels"]
    return NoiseModel(
        str(document["name"]),
        tuple(map(_entry_from_json, document["entries"])),
        tuple(_readout_from_json(entry) for entry in document["readouts"]),
        tuple(Relaxation(**entry) for entry in document["relaxations"]),
        None
        if crosstalk is None
        else Crosstalk(Angle.from_json(crosstalk["angle"]), tuple((int(a), int(b)) for a, b in crosstalk["pairs"])),
        tuple(map(str, document["free"])),
        bool(document["is_strict"]),
        document["n_qubits"],
        None if labels is None else tuple(map(str, labels)),
        str(document["unit"]),
        tuple(Note(tuple(note["qubits"]), str(note["text"])) for note in document["notes"]),
    )


def _entry_from_json(data: dict[str, Any]) -> Entry:
    gates, qubits = str(data["gates"]), _qubits(data["qubits"])
    if "fraction" in data:
        return OverRotation(gates, qubits, Angle.from_json(data["fraction"]))
    if "time" in data:
        return Duration(gates, qubits, float(data["time"]))
    width = int(data["width"])
    operations = _operations_from_json(data["operations"], width)
    return Rule(gates, qubits, operations, width, bool(data["precedes"]), bool(data["yields"]))


def _readout_from_json(data: dict[str, Any]) -> Readout:
    qubits = _qubits(data["qubits"])
    (operation,) = _operations_from_json(data["operation"], 1 if qubits is None else len(qubits))
    return Readout(qubits, operation)


def _qubits(data: list[int] | None) -> Places | None:
    return None if data is None else tuple(int(q) for q in data)


def _operations_from_json(data: dict[str, Any], width: int) -> tuple[Operation, ...]:
    sources = (("input", data["n_inputs"]), ("weight", data["n_weights"]))
    slots = {source: [{"name": f"{source}s", "shape": [count]}] if count else [] for source, count in sources}
    head = {"format": "qloom.circuit", "version": 1, "n_qubits": width, "initial": None, "slots": slots}
    return tuple(Circuit.from_json(json.dumps(head | data)).operations)
