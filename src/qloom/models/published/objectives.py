"""What networks are trained for: a loss of their outputs, and the probabilities these stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss


@dataclass(frozen=True)
class Objective:
    """A loss and its reading of outputs.

    Attributes:
        name: by which saved models know it.
        loss: outputs, y (B,) of 0 to C - 1 -> mean loss of the batch.
        probabilities: outputs -> (B, C).
    """

    name: str
    loss: Callable[[Tensor, Tensor], Tensor]
    probabilities: Callable[[Tensor], Tensor]


def _both(second: Tensor) -> Tensor:
    return torch.stack([1 - second, second], dim=1)


def _cross_entropy(outputs: Tensor, y: Tensor) -> Tensor:
    """Torch's own takes five times as long under torch.func; derivatives are the same, bit for bit."""
    return -torch.log_softmax(outputs, dim=1).gather(1, y.unsqueeze(1)).mean()


# Outputs (B, C), one a class; the others are of two classes.
SOFTMAX = Objective("softmax", _cross_entropy, lambda outputs: torch.softmax(outputs, dim=1))
# Outputs (B,), the logarithm of the odds of the second class.
LOGISTIC = Objective(
    "logistic",
    lambda outputs, y: binary_cross_entropy_with_logits(outputs, y.to(outputs.dtype)),
    lambda outputs: _both(torch.sigmoid(outputs)),
)
# Outputs (B,), near -1 for the first class and 1 for the second.
SQUARED = Objective(
    "squared",
    lambda outputs, y: mse_loss(outputs, 2 * y.to(outputs.dtype) - 1),
    lambda outputs: _both(((1 + outputs) / 2).clamp(0, 1)),
)
# Outputs (B,) from -1 to 1: the difference of the probabilities of the second class and the first.
ERRORS = Objective(
    "errors", lambda outputs, y: (1 - outputs * (2 * y - 1)).mean() / 2, lambda outputs: _both((1 + outputs) / 2)
)
