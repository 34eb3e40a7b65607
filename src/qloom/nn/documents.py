"""A layer's circuit and what is measured as text: it travels in exported programs, its hash in saved weights."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import AdjointEvaluator, FinalState, Outputs, Probabilities
from qloom.engines.statevector import StatevectorEngine
from qloom.errors import ArtifactError, UnsupportedError
from qloom.gradients import DIFFERENTIATORS, prepare_gradient
from qloom.observables import PauliSum

FORMAT, VERSION = "qloom.layer", 1


def content_of(circuit: Circuit, outputs: Outputs) -> dict[str, Any]:
    """What is computed, as plain JSON values."""
    described = json.loads(circuit.to_json())
    for heading in ("format", "version"):
        described.pop(heading)
    return {"circuit": described, "outputs": _outputs_to_json(outputs)}


def fingerprint(content: dict[str, Any]) -> bytes:
    """32 bytes that tell contents apart (SHA-256)."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def document_of(
    circuit: Circuit, outputs: Outputs, engine: Any, differentiator: Any, shots: int | None, trained: np.ndarray | None
) -> str:
    """All that another process needs to evaluate the circuit.

    Raises:
        UnsupportedError: for shots, whose random numbers a graph cannot hold, and for engines and differentiators that
            have no name there.
    """
    if shots is not None:
        raise UnsupportedError(
            f"a QuantumLayer with shots={shots} cannot be exported, expected exact values; make the layer without shots"
        )
    if engine is not None and type(engine) is not StatevectorEngine:
        raise UnsupportedError(f"{type(engine).__name__} cannot be exported, expected a StatevectorEngine")
    if not isinstance(differentiator, str):
        names = ", ".join(("auto", *DIFFERENTIATORS))
        raise UnsupportedError(f"differentiator={differentiator!r} cannot be exported, expected one of {names}")
    content = content_of(circuit, outputs)
    return json.dumps(
        {
            "format": FORMAT, "version": VERSION, "sha256": fingerprint(content).hex(), **content,
            "circuit": circuit.to_json(), "threads": engine.threads if engine else None,
            "differentiator": differentiator, "trained": None if trained is None else trained.astype(int).tolist(),
        }
    )  # fmt: skip


@lru_cache(maxsize=128)
def evaluator_of(document: str) -> AdjointEvaluator:
    """What `document_of` described, made again; ArtifactError if it is damaged."""
    try:
        record = json.loads(document)
        if record["format"] != FORMAT or record["version"] != VERSION:
            raise ArtifactError(f"layer has version {record['version']!r}, expected {VERSION}; update qloom")
        circuit, outputs = Circuit.from_json(record["circuit"]), _outputs_from_json(record["outputs"])
        if fingerprint(content_of(circuit, outputs)).hex() != record["sha256"]:
            raise ArtifactError("the circuit is not the one that was exported (sha256 differs); export it again")
        engine = StatevectorEngine(record["threads"])
        evaluator = prepare_gradient(circuit, outputs, engine, record["differentiator"])
        evaluator.trained = None if record["trained"] is None else np.array(record["trained"], bool)
        return evaluator
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(
            f"exported layer is damaged ({type(error).__name__}: {error}), expected what QuantumLayer wrote"
        ) from None


def _outputs_to_json(outputs: Outputs) -> dict[str, Any]:
    if isinstance(outputs, Probabilities):
        return {"probabilities": list(outputs.qubits)}
    if isinstance(outputs, FinalState):
        return {"state": outputs.n_qubits, "linear": outputs.linear}
    return {"sums": [[[x, z, float(np.real(c))] for (x, z), c in sum_.terms.items()] for sum_ in outputs]}


def _outputs_from_json(data: dict[str, Any]) -> Outputs:
    if "probabilities" in data:
        return Probabilities(tuple(data["probabilities"]))
    if "state" in data:
        return FinalState(data["state"], data["linear"])
    return tuple(PauliSum({(x, z): c for x, z, c in terms}) for terms in data["sums"])
