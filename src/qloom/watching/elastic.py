"""Elastic weight consolidation: weights that old rows need are held by a spring, others are free to follow new rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.fitting import Training, cosine
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.losses import Loss
from qloom.models.tables.rows import Rows

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


def train_elastic(
    network: HybridNetwork, loss: Loss, train: Rows, validation: Rows, needed: Mapping[str, Tensor], stiffness: float,
    *, epochs: int, batch_size: int, learning_rate: float, seed: int,
) -> Training:  # fmt: skip
    """Train on new rows with sum_i F_i (w_i - w*_i)^2 / 2, times a stiffness, added to the mean loss.

    Args:
        needed: F by parameter, of the weights w* that the network begins with.
        stiffness: number of old rows over that of new ones makes the sum the logarithm of the posterior after both.

    Source: Kirkpatrick et al. 2017, PNAS 114, 3521, eq. (3).
    """
    anchors = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}

    def objective(module: Any, rows: Rows) -> Tensor:
        total = loss.mean(module(rows.x), rows.y, rows.weights)
        for name, parameter in module.named_parameters():
            if name in needed:
                total = total + stiffness / 2 * (needed[name] * (parameter - anchors[name]) ** 2).sum()
        return total

    training = Training(
        network, objective, partial(_batches, train, batch_size, seed),
        torch.optim.Adam(network.parameters(), learning_rate), epochs=epochs, rate=cosine(learning_rate, epochs),
        validation=[validation], patience=3, seed=seed,
    )  # fmt: skip
    training.run()
    return training


def _batches(rows: Rows, size: int, seed: int, epoch: int) -> Iterator[Rows]:
    order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(rows.y)))
    yield from (rows.take(part) for part in order.split(size))
