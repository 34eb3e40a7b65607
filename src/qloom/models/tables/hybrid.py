"""The hybrid network: a classical encoder makes angles, a layer turns them, a classical head reads it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class BoundedAngles(nn.Module):
    """Squash numbers into rotation angles between -pi and pi."""

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, I) -> (B, I), radians."""
        return math.pi * torch.tanh(x)


class HybridNetwork(nn.Module):
    """Encoder, middle layer, head; nothing goes around the middle layer.

    Args:
        encoder: (B, F) -> (B, I), angles in radians.
        layer: (B, I) -> (B, O), a quantum layer or the classical one that stands in for it.
        head: (B, O) -> (B, C), class scores or one standardised number.
    """

    def __init__(self, encoder: nn.Module, layer: nn.Module, head: nn.Module):
        super().__init__()
        self.encoder, self.layer, self.head = encoder, layer, head

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, F) -> (B, C)."""
        outputs: Tensor = self.head(self.layer(self.encoder(x)))
        return outputs

    @property
    def n_parameters(self) -> int:
        """Trainable numbers in all, and the nodes of trees."""
        return _count(self) + getattr(self.head, "n_nodes", 0)

    @property
    def n_layer_parameters(self) -> int:
        """Trainable numbers of the middle layer: W for a quantum layer."""
        return _count(self.layer)


def make_encoder(n_features: int, width: int, n_inputs: int, dropout: float) -> nn.Module:
    """A perceptron with one hidden layer from features to angles.

    Shapes: (B, F) -> (B, I), radians.
    """
    return nn.Sequential(
        nn.Linear(n_features, width),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(width, n_inputs),
        BoundedAngles(),
    )


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
