"""The peers: where each is installed, which module of systems/ drives it, and what it can do.

Adding one is a file in requirements/, a file in systems/ and an entry here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Peer:
    """A system and a way to use it.

    Attributes:
        title: as tables name it.
        environment: a file of requirements/.
        module: of systems/, with a class System.
        package: whose version is recorded.
        options: of the System.
        tasks: what it is asked to do.
        native_torch: whether it is a torch or TensorFlow program without compilation.
        points: (n, B, L) it is asked for, None for all; slower ways of using a system get a few.
    """

    title: str
    environment: str
    module: str
    package: str
    options: dict[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = ("step", "forward")
    native_torch: bool = False
    points: tuple[tuple[int, int, int], ...] | None = None


PEERS = {
    "tensorcircuit": Peer(
        "TensorCircuit-NG, JAX, fused gates, scan over layers", "tensorcircuit", "tensorcircuit", "tensorcircuit-ng",
        {"fused": True, "scan": True}, ("step", "forward", "large state"),
    ),
    "tensorcircuit-scan": Peer(
        "TensorCircuit-NG, JAX, scan over layers", "tensorcircuit", "tensorcircuit", "tensorcircuit-ng",
        {"fused": False, "scan": True}, ("step",), points=((4, 32, 2), (8, 32, 4), (8, 256, 4), (20, 1, 4)),
    ),
    "tensorcircuit-plain": Peer(
        "TensorCircuit-NG, JAX, gates as written", "tensorcircuit", "tensorcircuit", "tensorcircuit-ng",
        {"fused": False, "scan": False}, ("step",), points=((4, 32, 2), (8, 32, 4)),
    ),
    "pennylane-jax": Peer(
        "PennyLane default.qubit, JAX", "pennylane_jax", "pennylane_jax", "pennylane",
    ),
    "lightning": Peer(
        "PennyLane lightning.qubit, adjoint", "lightning", "lightning", "pennylane-lightning", {},
        ("step", "forward", "large state", "probabilities", "variance", "samples"),
    ),
    "torchquantum": Peer(
        "TorchQuantum", "torchquantum", "torchquantum", "torchquantum", native_torch=True,
    ),
    "deepquantum": Peer(
        "DeepQuantum", "deepquantum", "deepquantum", "deepquantum", native_torch=True,
    ),
    "tensorflow-quantum": Peer(
        "TensorFlow Quantum, adjoint", "tensorflow_quantum", "tensorflow_quantum", "tensorflow-quantum", {},
        ("step", "forward", "large state"), native_torch=True,
    ),
    "qulacs": Peer(
        "Qulacs, backprop", "qulacs", "qulacs", "qulacs", {},
        ("step", "forward", "large state", "probabilities", "variance", "samples", "kernel"),
    ),
    "mindquantum": Peer(
        "MindQuantum", "mindquantum", "mindquantum", "mindquantum", {}, ("step", "forward", "large state"),
    ),
    "qsim": Peer(
        "qsim", "qsim", "qsim", "qsimcirq", {}, ("large state", "samples"),
    ),
    "qibojit": Peer(
        "Qibo, qibojit", "qibojit", "qibojit", "qibojit", {}, ("large state",),
    ),
}  # fmt: skip
