"""First values of trainable angles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.errors import ShapeError

SMALL = 0.1

INITIALIZATIONS: dict[str, Callable[[Tensor, torch.Generator | None], Tensor]] = {
    "uniform": lambda w, generator: w.uniform_(-torch.pi, torch.pi, generator=generator),
    "normal": lambda w, generator: w.normal_(0.0, 1.0, generator=generator),
    "small": lambda w, generator: w.normal_(0.0, SMALL, generator=generator),
}
# Near the identity gradients do not vanish with the number of qubits, as they do at uniformly random angles.
AUTO = "small"


def initial_weights(init: Any, n_weights: int, dtype: torch.dtype, seed: int | None) -> Tensor:
    """Weights (W,) by name ("auto", "uniform" in [-pi, pi], "normal" of deviation 1, "small" of 0.1) or as given.

    Args:
        init: a name, or an array of W numbers of any shape, in order of declaration.
        seed: of a generator of its own; None draws from torch's, as torch's own layers do.
    """
    weights = torch.empty(n_weights, dtype=dtype)
    if isinstance(init, str):
        name = AUTO if init == "auto" else init
        if name not in INITIALIZATIONS:
            raise ShapeError(f"init={init!r}, expected an array or one of auto, {', '.join(INITIALIZATIONS)}")
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        return INITIALIZATIONS[name](weights, generator)
    given = torch.as_tensor(np.asarray(init) if not isinstance(init, Tensor) else init).detach()
    if given.is_complex() or not bool(torch.isfinite(given).all()):
        raise ShapeError("init holds complex numbers, NaN or infinity, expected finite real numbers")
    if given.numel() != n_weights:
        raise ShapeError(f"init has shape {tuple(given.shape)}, expected {n_weights} numbers, one a weight")
    return weights.copy_(given.reshape(-1))
