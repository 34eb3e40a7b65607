"""Parts of a module frozen for a stage, and as they were at first when it is over."""

from __future__ import annotations

from torch import nn

from qloom.fitting.stages import EVERYTHING, Stage
from qloom.nn import QuantumLayer, train_only


class TrainedParts:
    """Which parameters of a module are trained: as they were at first, or what a stage leaves of them."""

    def __init__(self, module: nn.Module):
        self._module = module
        self._first = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
        self._weights = [(layer, layer.trained) for layer in module.modules() if isinstance(layer, QuantumLayer)]

    def take(self, stage: Stage) -> None:
        """Freeze what a stage does not train."""
        train_only(self._module, *stage.trained)
        for name, parameter in self._module.named_parameters():
            parameter.requires_grad_(parameter.requires_grad and self._first[name])
        for layer, trained in self._weights:
            kept = trained.copy()
            if stage.share is not None:
                kept &= layer.circuit.weight_slots.share(*stage.share)
            layer.train_weights(kept)

    def put_back(self) -> None:
        """As they were at first."""
        self.take(EVERYTHING)
