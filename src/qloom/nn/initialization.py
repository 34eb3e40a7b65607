"""First values of trainable angles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom.checks import checked_seed
from qloom.circuits.circuit import Circuit
from qloom.errors import ShapeError
from qloom.nn.named import as_one_tensor

SMALL = 0.1

# (weights to fill, rotations a qubit, generator) -> the weights.
INITIALIZATIONS: dict[str, Callable[[Tensor, float, torch.Generator | None], Tensor]] = {
    "uniform": lambda w, depth, generator: w.uniform_(-torch.pi, torch.pi, generator=generator),
    "normal": lambda w, depth, generator: w.normal_(0.0, 1.0, generator=generator),
    "small": lambda w, depth, generator: w.normal_(0.0, SMALL, generator=generator),
    "scaled": lambda w, depth, generator: w.normal_(0.0, scaled_deviation(depth), generator=generator),
    "beta": lambda w, depth, generator: w.copy_(2 * torch.pi * (_middle_of_three(w, generator) - 0.5)),
}


def scaled_deviation(depth: float) -> float:
    """At which gradients of local observables shrink with depth as a power only, not exponentially.

    Source: Zhang, Liu, Liu, Tao 2022, Advances in Neural Information Processing Systems 35.
    """
    return float(1 / (4 * (depth + 2)) ** 0.5)


def _middle_of_three(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """The middle one of three uniform numbers is distributed as Beta(2, 2)."""
    return torch.rand(3, *like.shape, generator=generator, dtype=like.dtype).median(dim=0).values


def automatic(depth: float) -> str:
    """Near the identity gradients do not vanish with the number of qubits; the deeper a circuit, the nearer."""
    return "small" if scaled_deviation(depth) >= SMALL else "scaled"


def initial_weights(init: Any, circuit: Circuit, dtype: torch.dtype, seed: int | None) -> tuple[Tensor, str]:
    """Weights (W,) by name or as given, and the name, "given" for an array.

    Args:
        init: "auto", which picks by the circuit; "uniform" in [-pi, pi]; "normal" of deviation 1; "small" of 0.1;
            "scaled", normal and the smaller the deeper the circuit; "beta", 2 pi (Beta(2, 2) - 1/2); or numbers, flat
            (W,), in the shape declared, or a dictionary by name.
        seed: of a generator of its own; None draws from torch's, as torch's own layers do.
    """
    n_weights, depth = circuit.n_weights, circuit.n_weights / circuit.n_qubits
    # Seeded ones are the same on any device: they are drawn on the CPU.
    device = torch.empty(0).device
    weights = torch.empty(n_weights, dtype=dtype, device=device if seed is None else "cpu")
    if isinstance(init, str):
        name = automatic(depth) if init == "auto" else init
        if name not in INITIALIZATIONS:
            raise ShapeError(f"init={init!r}, expected an array or one of auto, {', '.join(INITIALIZATIONS)}")
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        return INITIALIZATIONS[name](weights, depth, generator).to(device), name
    return weights.copy_(shared_weights(circuit, init, "init")).to(device), "given"


def shared_weights(circuit: Circuit, values: Any, name: str) -> Tensor:
    """Numbers for the weights in any form as (W,): flat, in the shape declared, or by name.

    Raises:
        ShapeError: if they do not fit what is declared, or are not finite real numbers.
    """
    try:
        given = as_one_tensor(circuit.weight_slots, values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ShapeError(f"{name}: {error}") from None
    if given.is_complex() or not bool(torch.isfinite(given).all()):
        raise ShapeError(f"{name} holds complex numbers, NaN or infinity, expected finite real numbers")
    if given.dim() != 1:
        raise ShapeError(
            f"{name} has shape {tuple(given.shape)}, expected ({circuit.n_weights},), shared by all samples"
        )
    return given


def derived_seeds(seed: int | None, count: int) -> list[int | None]:
    """Seeds of a module's parts, none of them near those of a module seeded otherwise; None for None."""
    if seed is None:
        return [None] * count
    return [int(word) >> 1 for word in np.random.SeedSequence(checked_seed(seed)).generate_state(count, np.uint64)]


def seeded_linear(
    in_features: int, out_features: int, bias: bool = True, dtype: torch.dtype | None = None, seed: int | None = None
) -> nn.Linear:
    """nn.Linear whose first numbers, distributed as torch's, come from a generator of its own if there is a seed."""
    if seed is None:
        return nn.Linear(in_features, out_features, bias, dtype=dtype)
    linear = nn.utils.skip_init(nn.Linear, in_features, out_features, bias, dtype=dtype)
    generator, bound = torch.Generator().manual_seed(seed), in_features**-0.5
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return linear
