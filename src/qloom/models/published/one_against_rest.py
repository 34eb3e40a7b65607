"""One against the rest: as many networks of two classes as there are classes, each for one of them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from qloom.models.published.objectives import Objective


class OneAgainstRest(nn.Module):
    """A network a class. Shapes: x (B, F) -> their outputs (B,) side by side, (B, C)."""

    def __init__(self, networks: Iterable[nn.Module]):
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([network(x) for network in self.networks], dim=1)


def against_rest(objective: Objective) -> Objective:
    """The losses of all classes summed, so that each network is trained as it would be alone; shares as probabilities.

    Args:
        objective: of two classes and outputs (B,).
    """

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        losses = [objective.loss(one, (y == label).to(y.dtype)) for label, one in enumerate(outputs.unbind(dim=1))]
        return torch.stack(losses).sum()

    def probabilities(outputs: Tensor) -> Tensor:
        own = torch.stack([objective.probabilities(one)[:, 1] for one in outputs.unbind(dim=1)], dim=1)
        own = torch.where(own.sum(dim=1, keepdim=True) > 0, own, 1.0)  # no network takes the row: all alike
        return own / own.sum(dim=1, keepdim=True)

    return Objective(f"{objective.name} against the rest", loss, probabilities)
