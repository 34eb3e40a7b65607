"""Elastic weight consolidation: weights that old rows need are held by a spring, others are free to follow new rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.losses import Loss
from qloom.models.tables.rows import Rows
from qloom.models.tables.stacked_layers import Spring

FISHER_ROWS = 200


def fisher(network: HybridNetwork, loss: Loss, rows: Rows) -> dict[str, Tensor]:
    """The diagonal of the empirical Fisher information: squared derivatives of the loss, mean over rows.

    Of more than `FISHER_ROWS` rows evenly spaced ones are taken. Returns a tensor a parameter, by name.
    """
    network.eval()
    named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    squares = {name: torch.zeros_like(parameter) for name, parameter in named}
    chosen = np.unique(np.linspace(0, len(rows.y) - 1, min(len(rows.y), FISHER_ROWS)).astype(int))
    for row in chosen:
        one = rows.take(torch.tensor([int(row)]))
        slopes = torch.autograd.grad(loss.mean(network(one.x), one.y), [p for _, p in named], allow_unused=True)
        for (name, _), slope in zip(named, slopes, strict=True):
            if slope is not None:
                squares[name] += slope**2
    return {name: value / len(chosen) for name, value in squares.items()}


def springs(network: HybridNetwork, needed: Mapping[str, Tensor], stiffness: float) -> dict[Tensor, Spring]:
    """What holds the weights w* of a network: sum_i F_i (w_i - w*_i)^2 / 2, times a stiffness, beside the mean loss.

    Args:
        needed: F by parameter.
        stiffness: number of old rows over that of new ones makes the sum the logarithm of the posterior after both.

    Source: Kirkpatrick et al. 2017, PNAS 114, 3521, eq. (3).
    """
    return {
        parameter: Spring(stiffness * needed[name], parameter.detach().clone())
        for name, parameter in network.named_parameters()
    }
