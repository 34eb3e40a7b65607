"""qloom: hybrid quantum-classical learning and optimization on PyTorch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from qloom.announcement import announce_operators
from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.circuits import Circuit
    from qloom.circuits.exchange import (
        from_braket,
        from_cirq,
        from_pennylane,
        from_pytket,
        from_qiskit,
        from_qpanda,
        from_stim,
        from_tfq,
        to_braket,
        to_cirq,
        to_pennylane,
        to_pytket,
        to_qiskit,
        to_qpanda,
        to_stim,
    )
    from qloom.circuits.qasm import from_qasm
    from qloom.engines.circuit_batch import CircuitBatch
    from qloom.engines.evaluation import counts, expectation, probabilities, sample, state, variance
    from qloom.engines.measuring.shadows import classical_shadow
    from qloom.engines.outcomes import distribution
    from qloom.engines.reduced import entropy, mutual_information, purity, reduced_density_matrix
    from qloom.gradients import jacobian, metric_tensor
    from qloom.models.saving import load_model
    from qloom.observables import I, PauliSum, X, Y, Z, hermitian, pauli, projector

    _native: Any  # compiled, without a stub
    _searches: Any

_FOLDERS = (
    "adapters", "ansatze", "backbones", "circuits", "combinatorial", "compression", "correction", "data", "encoders",
    "engines", "errors", "fitting", "gradients", "mitigation", "models", "nn", "noise", "optimizers", "programs",
    "testing", "trainability",
)  # fmt: skip

__all__ = [
    "Circuit", "CircuitBatch", "I", "PauliSum", "X", "Y", "Z", "classical_shadow", "counts", "distribution",
    "entropy", "expectation", "from_braket", "from_cirq", "from_pennylane", "from_pytket", "from_qasm",
    "from_qiskit", "from_qpanda", "from_stim", "from_tfq", "hermitian", "jacobian", "load_model",
    "metric_tensor", "mutual_information", "pauli", "probabilities", "projector", "purity",
    "reduced_density_matrix", "sample", "state", "to_braket", "to_cirq", "to_pennylane", "to_pytket", "to_qiskit",
    "to_qpanda", "to_stim", "variance", *_FOLDERS,
]  # fmt: skip
_exported = exported_by(__name__)
announce_operators()


def __getattr__(name: str) -> Any:
    """Names are imported where they are first used: circuits need numpy alone, and a version number nothing."""
    if name in _FOLDERS:
        return import_module(f"qloom.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("qloom")
    return _exported(name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
