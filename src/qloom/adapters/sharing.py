"""The classical control: as many numbers as a circuit has angles, each standing at fixed random places of a matrix."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def shared(numbers: Tensor, n_places: int, seed: int) -> Tensor:
    """Numbers put in many places, each with a fixed random sign: a random isometry up to a factor.

    Every number stands in as many places as any other, or in one more.

    Shapes: numbers (..., K) -> (..., N), N at least K.

    Source: the sharing of one vector among all factors in Uni-LoRA (Li et al. 2025, arXiv 2506.00799), with signs.
    """
    places, signs = _plan(numbers.shape[-1], n_places, seed)
    return numbers[..., places.to(numbers.device)] * signs.to(numbers)


@lru_cache(maxsize=256)
def _plan(n_numbers: int, n_places: int, seed: int) -> tuple[Tensor, Tensor]:
    with torch.device("cpu"):  # whatever device models are made on just now
        generator = torch.Generator().manual_seed(seed)
        places = torch.arange(n_places)[torch.randperm(n_places, generator=generator)] % n_numbers
        signs = torch.randint(0, 2, (n_places,), generator=generator) * 2.0 - 1.0
        return places, signs
