"""A layer's circuit and what is measured as text: it travels in exported programs, its hash in saved weights."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine
from qloom.engines.outputs import Outputs, outputs_from_json
from qloom.engines.statevector import StatevectorEngine
from qloom.errors import ArtifactError, UnsupportedError
from qloom.gradients import DIFFERENTIATORS, prepare_gradient

FORMAT, VERSION = "qloom.layer", 1


def content_of(circuit: Circuit, outputs: Outputs) -> dict[str, Any]:
    """What is computed, as plain JSON values."""
    described = json.loads(circuit.to_json())
    for heading in ("format", "version", "slots"):  # names and shapes of slots change nothing that is computed
        described.pop(heading)
    return {"circuit": described, "outputs": outputs.to_json()}


def fingerprint(content: dict[str, Any]) -> bytes:
    """32 bytes that tell contents apart (SHA-256)."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def document_of(
    circuit: Circuit, outputs: Outputs, engine: Engine, differentiator: Any, trained: np.ndarray | None
) -> str:
    """All that another process needs to evaluate the circuit.

    Raises:
        UnsupportedError: for engines and differentiators that have no text, as those whose random numbers a graph
            cannot hold.
    """
    if not isinstance(differentiator, str):
        names = ", ".join(("auto", *DIFFERENTIATORS))
        raise UnsupportedError(f"differentiator={differentiator!r} cannot be exported, expected one of {names}")
    content = content_of(circuit, outputs)
    return json.dumps(
        {
            "format": FORMAT, "version": VERSION, "sha256": fingerprint(content).hex(), **content,
            "circuit": circuit.to_json(), **engine.to_json(),
            "differentiator": differentiator, "trained": None if trained is None else trained.astype(int).tolist(),
        }
    )  # fmt: skip


@lru_cache(maxsize=128)
def evaluator_of(document: str) -> DifferentiableEvaluator:
    """What `document_of` described, made again; ArtifactError if it is damaged."""
    try:
        record = json.loads(document)
        if record["format"] != FORMAT or record["version"] != VERSION:
            raise ArtifactError(f"layer has version {record['version']!r}, expected {VERSION}; update qloom")
        circuit, outputs = Circuit.from_json(record["circuit"]), outputs_from_json(record["outputs"])
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
