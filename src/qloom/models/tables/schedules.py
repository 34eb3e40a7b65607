"""What of a hybrid network is trained when: a stage for every epoch, as a function of the epoch alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qloom.models.tables.hybrid import HybridNetwork


@dataclass(frozen=True)
class Stage:
    """What is trained in an epoch.

    Attributes:
        title: for people.
        classical: encoder and head are.
        circuit: the middle layer is.
        part: of the circuit's layers, the only one that is; None for all. Another middle layer is trained whole.
    """

    title: str
    classical: bool = True
    circuit: bool = True
    part: int | None = None


ALL = Stage("everything")


def _layer(number: int, n_layers: int) -> Stage:
    return Stage(f"layer {number + 1} of {n_layers} and the classical parts", part=number)


def _layer_by_layer(epoch: int, epochs: int, n_layers: int) -> Stage:
    first = epochs // 2
    return _layer(epoch * n_layers // first, n_layers) if epoch < first else ALL


def _layers_in_turn(epoch: int, epochs: int, n_layers: int) -> Stage:
    return _layer(epoch % n_layers, n_layers)


def _circuit_only(epoch: int, epochs: int, n_layers: int) -> Stage:
    return Stage("the circuit alone", classical=False)


def _classical_last(epoch: int, epochs: int, n_layers: int) -> Stage:
    return ALL if epoch < 2 * epochs / 3 else Stage("the classical parts alone", circuit=False)


# (epoch from 0, epochs, layers of the circuit) -> what is trained in it.
SCHEDULES: dict[str, Callable[[int, int, int], Stage]] = {
    "together": lambda epoch, epochs, n_layers: ALL,
    "layer_by_layer": _layer_by_layer,  # Skolik et al. 2021, Quantum Machine Intelligence 3, 5
    "layers_in_turn": _layers_in_turn,
    "circuit_only": _circuit_only,
    "classical_last": _classical_last,
}


def set_stage(network: HybridNetwork, stage: Stage, n_layers: int) -> None:
    """Freeze what a stage does not train, and nothing else."""
    from qloom.nn import QuantumLayer  # here, so that the names of schedules are known without torch

    for part in (network.encoder, network.head):
        part.requires_grad_(stage.classical)
    network.layer.requires_grad_(stage.circuit)
    if isinstance(network.layer, QuantumLayer):
        count = network.layer.weights.numel() // n_layers
        first = (stage.part or 0) * count
        network.layer.train_weights(None if stage.part is None else slice(first, first + count))
