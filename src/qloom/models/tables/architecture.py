"""What a hybrid network is made of, and how it is put together from a circuit."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from qloom import ansatze, encoders
from qloom.circuits import Circuit
from qloom.engines import Engine
from qloom.errors import ConfigError
from qloom.fitting.random_states import seeded_torch
from qloom.models.tables.choices import ANSATZE, LAYERS
from qloom.models.tables.controls import ClassicalLayer
from qloom.models.tables.heads import HEADS
from qloom.models.tables.hybrid import HybridNetwork, make_encoder
from qloom.nn import QuantumLayer
from qloom.observables import PauliSum, Z

# Circuits of up to so many qubits take a step of a few milliseconds: threads that wait in between for the next one burn
# more time than they save.
MOST_QUBITS_ALONE = 10


@dataclass(frozen=True)
class Architecture:
    """The sizes and choices of a hybrid network.

    Args:
        n_features: F.
        n_targets: C classes, or 1 for a number.
        n_qubits: n; the encoder maps the features to n angles, one a qubit.
        n_layers: blocks of the ansatz.
        ansatz: one of ANSATZE.
        width: hidden units of the encoder and of the head.
        dropout: share of hidden units of the encoder left out in training.
        layer: "quantum"; "separable", the same circuit without entangling gates; "classical", a layer of
            equal parameter count.
        head: one of HEADS; trained are perceptrons, the others are fitted in their place.
    """

    n_features: int
    n_targets: int
    n_qubits: int = 8
    n_layers: int = 3
    ansatz: str = "strongly_entangling"
    width: int = 64
    dropout: float = 0.2
    layer: str = "quantum"
    head: str = "perceptron"

    def circuit(self) -> Circuit:
        """The circuit of the middle layer; for the classical layer, the one it replaces.

        Raises:
            ConfigError: for an ansatz that is none of ANSATZE.
        """
        if self.ansatz not in ANSATZE:
            raise ConfigError(f"ansatz is {self.ansatz!r}, expected one of {', '.join(ANSATZE)}")
        circuit = encoders.angle(self.n_qubits) + getattr(ansatze, self.ansatz)(self.n_qubits, self.n_layers)
        return circuit.without_entanglers() if self.layer == "separable" else circuit


def observables_of(n_qubits: int) -> list[PauliSum]:
    """Z on every qubit, and Z Z on every pair of neighbours on a ring (on a line for two qubits)."""
    n_pairs = n_qubits if n_qubits > 2 else n_qubits - 1
    return [Z(q) for q in range(n_qubits)] + [Z(q) @ Z((q + 1) % n_qubits) for q in range(n_pairs)]


def threads_for(circuit: Circuit, threads: int) -> int | None:
    """On how many threads a circuit runs in training: a narrow one on so many, a wider one on all, which is None."""
    return threads if circuit.n_qubits <= MOST_QUBITS_ALONE else None


def build_network(
    architecture: Architecture, circuit: Circuit, observables: list[PauliSum], seed: int, engine: Engine | None = None
) -> HybridNetwork:
    """A network with fresh weights, its circuit on an engine, by default the native one on all threads.

    Encoder and head are drawn first, so that for one seed they start alike whatever the middle layer is.
    """
    if architecture.layer not in LAYERS:
        raise ConfigError(f"layer is {architecture.layer!r}, expected one of {', '.join(LAYERS)}")
    with seeded_torch(seed):
        encoder = make_encoder(architecture.n_features, architecture.width, circuit.n_inputs, architecture.dropout)
        head = HEADS[architecture.head](len(observables), architecture.width, architecture.n_targets)
        return HybridNetwork(encoder, _make_layer(architecture.layer, circuit, observables, engine), head)


def _make_layer(layer: str, circuit: Circuit, observables: list[PauliSum], engine: Engine | None) -> nn.Module:
    if layer == "classical":
        return ClassicalLayer(circuit.n_inputs, len(observables), circuit.n_weights)
    return QuantumLayer(circuit, observables, engine=engine)
