"""Batches of cotangents: whole Jacobians in one walk back."""

from __future__ import annotations

import pytest
import torch

import qloom as ql
from qloom.nn import QuantumLayer


def make_layer(**options) -> QuantumLayer:
    circuit = ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 2)
    return QuantumLayer(circuit, dtype=torch.float64, init="uniform", seed=1, **options)


def samples(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("differentiator", ["adjoint", "parameter-shift"])
def test_vectorized_jacobians(differentiator):
    layer, x = make_layer(differentiator=differentiator), samples(4, 3)
    call = lambda v, w: torch.func.functional_call(layer, {"weights": w}, (v,))  # noqa: E731
    arguments = (x, layer.weights.detach())
    apart = torch.autograd.functional.jacobian(call, arguments)
    together = torch.autograd.functional.jacobian(call, arguments, vectorize=True)
    for found, expected in zip(together, apart, strict=True):
        torch.testing.assert_close(found, expected)


def test_batches_of_cotangents():
    layer, x = make_layer(), samples(4, 3).requires_grad_()
    y, cotangents = layer(x), samples(7, 4, 3)
    together = torch.autograd.grad(y, (x, layer.weights), cotangents, is_grads_batched=True, retain_graph=True)
    for k, g in enumerate(cotangents):
        apart = torch.autograd.grad(y, (x, layer.weights), g, retain_graph=True)
        for found, expected in zip(together, apart, strict=True):
            torch.testing.assert_close(found[k], expected)


def test_gradcheck_of_batched_gradients():
    assert torch.autograd.gradcheck(make_layer(), (samples(2, 3).requires_grad_(),), check_batched_grad=True)
