"""The GPU that tests are run on, where there is one: scripts/gpu_check.sh does so."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from qloom.circuits import Circuit
from qloom.engines.gpu import GpuEngine
from qloom.nn import QuantumLayer

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICE = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
# What layers run on there; None for the CPU's engine, which goes along with the tensors.
ENGINE_OF_LAYERS: Any = None


@cache
def device_engine(most_whole: int | None = None) -> GpuEngine:
    """The engine on the device; with `most_whole`, larger states than that go through global memory."""
    engine = GpuEngine(DEVICE)
    engine.most_whole = most_whole
    return engine


def twins(circuit: Circuit, observables: Any = None, **more: Any) -> tuple[QuantumLayer, QuantumLayer]:
    """A layer on the CPU, and one with the same weights on the device."""
    here = QuantumLayer(circuit, observables, seed=3, **more)
    there = QuantumLayer(circuit, observables, seed=3, engine=ENGINE_OF_LAYERS, **more).to(DEVICE)
    return here, there


def samples(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 5) -> Tensor:
    """Random numbers on the CPU."""
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def slopes(layer: QuantumLayer, x: Tensor) -> list[Tensor]:
    """Values, and derivatives of some function of them by x and by the weights, on the CPU."""
    x = x.detach().clone().requires_grad_()
    values = layer(x)
    parts = torch.view_as_real(values) if values.is_complex() else values
    factors = torch.arange(parts.numel(), dtype=parts.dtype, device=parts.device).reshape(parts.shape) / parts.numel()
    found = torch.autograd.grad((parts * factors).sum(), [x, layer.weights])
    return [tensor.detach().cpu() for tensor in (values, *found)]


def check_twins(here: QuantumLayer, there: QuantumLayer, x: Tensor) -> None:
    """Values and derivatives of both are the same, to the rounding of x's numbers."""
    bound = 2e-4 if x.dtype == torch.float32 else 1e-10
    for mine, right in zip(slopes(there, x.to(DEVICE)), slopes(here, x), strict=True):
        assert mine.dtype == right.dtype
        torch.testing.assert_close(mine, right, rtol=bound, atol=bound)
