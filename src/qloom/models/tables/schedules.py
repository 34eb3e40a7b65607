"""What of a hybrid network is trained when: a stage for every epoch, as a function of the epoch alone."""

from __future__ import annotations

from collections.abc import Callable

from qloom.fitting.stages import EVERYTHING, Stage

_CLASSICAL, _CIRCUIT = ("encoder.*", "head.*"), ("layer.*",)


def _layer(number: int, n_layers: int) -> Stage:
    return Stage(f"layer {number + 1} of {n_layers} and the classical parts", share=(number, n_layers))


def _layer_by_layer(epoch: int, epochs: int, n_layers: int) -> Stage:
    first = epochs // 2
    return _layer(epoch * n_layers // first, n_layers) if epoch < first else EVERYTHING


def _layers_in_turn(epoch: int, epochs: int, n_layers: int) -> Stage:
    return _layer(epoch % n_layers, n_layers)


def _circuit_only(epoch: int, epochs: int, n_layers: int) -> Stage:
    return Stage("the circuit alone", _CIRCUIT)


def _classical_last(epoch: int, epochs: int, n_layers: int) -> Stage:
    return EVERYTHING if epoch < 2 * epochs / 3 else Stage("the classical parts alone", _CLASSICAL)


# (epoch from 0, epochs, layers of the circuit) -> what is trained in it.
SCHEDULES: dict[str, Callable[[int, int, int], Stage]] = {
    "together": lambda epoch, epochs, n_layers: EVERYTHING,
    "layer_by_layer": _layer_by_layer,  # Skolik et al. 2021, Quantum Machine Intelligence 3, 5
    "layers_in_turn": _layers_in_turn,
    "circuit_only": _circuit_only,
    "classical_last": _classical_last,
}
