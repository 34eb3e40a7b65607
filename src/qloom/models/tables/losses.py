"""What networks and baselines are trained for: a loss of every row, and how outputs are read as predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, l1_loss, mse_loss, poisson_nll_loss

from qloom.errors import ConfigError
from qloom.models.tables.choices import LOSSES


@dataclass(frozen=True)
class Loss:
    """A loss and what its minimum stands for.

    Attributes:
        name: one of `LOSSES`.
        of_rows: outputs (B, C), y (B,) -> (B,).
        slopes: outputs (B, C), y (B,) -> derivatives of each row's loss by its outputs, (B, C).
        link: how outputs (B, C) are read as predictions, one of `readout.LINKS`.
        quantile: of the target that outputs are to be; None for losses that have none.
        metric: the main score that goes with it; None for the task's usual one.
    """

    name: str
    of_rows: Callable[[Tensor, Tensor], Tensor]
    slopes: Callable[[Tensor, Tensor], Tensor]
    link: str
    quantile: float | None = None
    metric: str | None = None

    def mean(self, outputs: Tensor, y: Tensor, weights: Tensor | None = None) -> Tensor:
        """The mean over rows; weights (B,) have mean 1 over all rows that batches are drawn from."""
        losses = self.of_rows(outputs, y)
        return (losses if weights is None else losses * weights).mean()


def _square(outputs: Tensor, y: Tensor) -> Tensor:
    return mse_loss(outputs[:, 0], y, reduction="none")


def _absolute(outputs: Tensor, y: Tensor) -> Tensor:
    return l1_loss(outputs[:, 0], y, reduction="none")


def _pinball(quantile: float, outputs: Tensor, y: Tensor) -> Tensor:
    """Koenker and Bassett 1978, Econometrica 46, 33."""
    error = y - outputs[:, 0]
    return torch.maximum(quantile * error, (quantile - 1) * error)


def _poisson(outputs: Tensor, y: Tensor) -> Tensor:
    """Outputs are logarithms of means."""
    return poisson_nll_loss(outputs[:, 0], y, log_input=True, reduction="none")


def _cross_entropy_slopes(outputs: Tensor, y: Tensor) -> Tensor:
    """Probabilities less 1 for the class at hand."""
    slopes, found = torch.softmax(outputs, 1), y.unsqueeze(1)
    return slopes.scatter_(1, found, slopes.gather(1, found) - 1)


def _square_slopes(outputs: Tensor, y: Tensor) -> Tensor:
    return 2 * (outputs - y.unsqueeze(1))


def _absolute_slopes(outputs: Tensor, y: Tensor) -> Tensor:
    return torch.sign(outputs - y.unsqueeze(1))


def _pinball_slopes(quantile: float, outputs: Tensor, y: Tensor) -> Tensor:
    return (outputs >= y.unsqueeze(1)).to(outputs.dtype) - quantile


def _poisson_slopes(outputs: Tensor, y: Tensor) -> Tensor:
    return outputs.exp() - y.unsqueeze(1)


_CROSS_ENTROPY = Loss("cross_entropy", partial(cross_entropy, reduction="none"), _cross_entropy_slopes, "softmax")
_SQUARED = Loss("squared", _square, _square_slopes, "identity")
_ABSOLUTE = Loss("absolute", _absolute, _absolute_slopes, "identity", 0.5, "mean_absolute_error")
_POISSON = Loss("poisson", _poisson, _poisson_slopes, "exponential")


def make_loss(task: str, name: str = "auto", quantile: float = 0.5) -> Loss:
    """The loss of that name; "auto" is cross-entropy of classes and the squared error of numbers.

    Raises:
        ConfigError: for a loss of the other task or none, or a quantile that is not between 0 and 1.
    """
    name = next(iter(LOSSES[task])) if name == "auto" else name
    if name not in LOSSES[task]:
        raise ConfigError(f"loss is {name!r} for {task}, expected auto or one of {', '.join(LOSSES[task])}")
    if name == "quantile":
        if not 0 < quantile < 1:
            raise ConfigError(f"quantile is {quantile!r}, expected a number between 0 and 1, such as 0.9")
        return Loss(
            "quantile", partial(_pinball, quantile), partial(_pinball_slopes, quantile), "identity", quantile, "pinball"
        )
    return {loss.name: loss for loss in (_CROSS_ENTROPY, _SQUARED, _ABSOLUTE, _POISSON)}[name]
