"""Where training begins: the weights that a layer draws, or was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from qloom.circuits import Circuit
from qloom.nn import QuantumLayer
from qloom.nn.initialization import initial_weights
from qloom.trainability.restriction import used_slots


@dataclass(frozen=True, eq=False)
class FirstWeights:
    """Weights at the start of training, of a circuit and of what is left of it on its first qubits.

    Args:
        label: how it is written.
        init: name of the initialization, or W numbers.
    """

    label: str
    init: str | np.ndarray

    @property
    def is_small(self) -> bool:
        """Whether it draws small angles, near the identity."""
        return isinstance(self.init, str) and self.init in ("small", "scaled")

    @property
    def is_given(self) -> bool:
        """Whether it is numbers, of which nothing more is known."""
        return not isinstance(self.init, str)

    def draw(self, whole: Circuit, part: Circuit) -> Callable[[np.random.Generator], np.ndarray]:
        """A way to draw the weights of `part`, the restriction of `whole` to as many qubits."""
        init = self.init
        if isinstance(init, str):
            return lambda random: initial_weights(init, part, torch.float64, int(random.integers(2**62)))[0].numpy()
        given = init if part is whole else init[sorted(used_slots(whole, part.n_qubits)["weight"])]
        return lambda random: given


def first_weights(circuit: Circuit | QuantumLayer) -> FirstWeights:
    """Of a layer its own; of a circuit the one that a layer of it would have by default."""
    if not isinstance(circuit, QuantumLayer):
        name = initial_weights("auto", circuit, torch.float64, 0)[1]
        return FirstWeights(f"init='auto' ({name})", name)
    if circuit.initialization == "given":
        return FirstWeights("the layer's weights", circuit.weights.detach().cpu().double().numpy())
    return FirstWeights(f"init='{circuit.initialization}'", circuit.initialization)
