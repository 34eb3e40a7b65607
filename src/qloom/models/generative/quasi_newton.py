"""The training of exact losses of few numbers: L-BFGS, until the loss is flat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom.fitting import Training

# Iterations in a step of the training, between which the optimizer keeps what it knows of the curvature.
ITERATIONS = 20


def lowest(module: nn.Module, objective: Callable[[Any], Tensor], max_steps: int, tolerance: float) -> np.ndarray:
    """Train a module in place; losses before every 20 iterations.

    Args:
        objective: the module -> its loss, ().
        max_steps: iterations at most.
        tolerance: training ends when 20 iterations lower the loss by no more.

    Source: Liu and Nocedal 1989, Mathematical Programming 45, 503.
    """

    def is_flat(losses: Sequence[float]) -> bool:
        return len(losses) > 1 and losses[-2] - losses[-1] <= tolerance

    optimizer = torch.optim.LBFGS(
        module.parameters(), max_iter=min(ITERATIONS, max_steps), history_size=20, tolerance_grad=1e-10,
        tolerance_change=1e-14, line_search_fn="strong_wolfe",
    )  # fmt: skip
    training = Training(
        module, lambda module, _: objective(module), [None], optimizer, epochs=-(-max_steps // ITERATIONS),
        stop=is_flat, seed=None,
    )  # fmt: skip
    return np.array(training.run().losses)
