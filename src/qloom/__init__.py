"""qloom: hybrid quantum-classical learning and optimization on PyTorch."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from qloom.circuits import Circuit
from qloom.observables import I, PauliSum, X, Y, Z, pauli

__version__ = version("qloom")

_FOLDERS = (
    "ansatze", "circuits", "combinatorial", "data", "encoders", "engines", "errors", "gradients", "models", "nn",
    "optimizers", "programs", "testing", "trainability",
)  # fmt: skip
_EVALUATIONS = ("counts", "expectation", "probabilities", "sample", "state")
_DERIVATIVES = ("metric_tensor",)

__all__ = ["Circuit", "I", "PauliSum", "X", "Y", "Z", "pauli", *_FOLDERS, *_EVALUATIONS, *_DERIVATIVES]


def __getattr__(name: str) -> Any:
    """Folders are imported where they are first used, so that circuits and engines need numpy alone."""
    if name in _FOLDERS:
        return import_module(f"qloom.{name}")
    if name in _EVALUATIONS:
        return getattr(import_module("qloom.engines.evaluation"), name)
    if name in _DERIVATIVES:
        return getattr(import_module("qloom.gradients"), name)
    raise AttributeError(f"module 'qloom' has no attribute {name!r}")
