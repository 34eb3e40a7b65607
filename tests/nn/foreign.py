"""What is asked of every layer that comes from another package."""

from __future__ import annotations

import io
from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

from qloom.nn import QuantumLayer


def trained(module: nn.Module, x: Tensor, n_steps: int = 3) -> nn.Module:
    """A foreign module after a few steps of its own training."""
    optimizer = torch.optim.Adam(module.parameters(), 0.2)
    for _ in range(n_steps):
        optimizer.zero_grad()
        (module(x) - 0.3).square().sum().backward()
        optimizer.step()
    optimizer.zero_grad()
    return module


def quantum(module: nn.Module) -> QuantumLayer:
    """The layer of what came over, alone or behind polynomials of its inputs."""
    return module if isinstance(module, QuantumLayer) else module.layer


def check_same(
    ours: nn.Module, theirs: Callable[[Tensor], Tensor], weights: list[Tensor], x: Tensor, tolerance: float
) -> None:
    """Values at inputs, and derivatives by inputs and weights, of a scalar that tells all outputs apart."""
    ours.zero_grad()
    scales = torch.linspace(0.5, 1.5, quantum(ours).n_outputs, dtype=x.dtype)
    mine, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    values, expected = ours(mine), theirs(other)
    assert values.shape == expected.shape
    assert (values - expected).abs().max() < tolerance
    (values * scales).sum().backward()
    by_x, *by_weights = torch.autograd.grad((expected * scales).sum(), [other, *weights], allow_unused=True)
    assert by_x is None or (mine.grad - by_x).abs().max() < 10 * tolerance
    flat = torch.cat([grad.reshape(-1) for grad in by_weights])
    assert flat.abs().max() > 0.01
    assert (quantum(ours).weights.grad - flat).abs().max() < 10 * tolerance


def check_goes_on(module: nn.Module, x: Tensor) -> None:
    """Training goes on, and what was trained is saved and comes back."""
    before, first = quantum(module).weights.detach().clone(), deepcopy(module)
    trained(module, x, 20)
    assert (quantum(module).weights - before).abs().max() > 0.05
    assert (module(x) - 0.3).square().sum() < (first(x) - 0.3).square().sum()
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    first.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(first(x), module(x))
