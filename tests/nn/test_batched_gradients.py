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


@pytest.mark.parametrize("differentiator", ["adjoint", "parameter-shift"])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 2, 3)])
def test_the_jacobian_of_a_layer_in_one_call(differentiator, shape):
    layer, x = make_layer(differentiator=differentiator), samples(*shape)
    by_inputs, by_weights = layer.jacobian(x)
    call = lambda v, w: torch.func.functional_call(layer, {"weights": w}, (v,))  # noqa: E731
    for k, row in enumerate(x.reshape(-1, 3)):
        expected = torch.autograd.functional.jacobian(call, (row, layer.weights.detach()))
        torch.testing.assert_close(by_inputs.reshape(-1, 3, 3)[k], expected[0])
        torch.testing.assert_close(by_weights.reshape(-1, 3, 18)[k], expected[1])


def test_jacobians_of_other_outputs():
    """Probabilities sum to 1, so their derivatives to 0; states in parts side by side."""
    by_inputs, by_weights = make_layer(observables="probabilities").jacobian(samples(2, 3))
    assert by_inputs.shape == (2, 8, 3)
    torch.testing.assert_close(by_weights.sum(dim=1), torch.zeros(2, 18, dtype=torch.float64))
    layer, x = make_layer(observables="state"), samples(3)
    found = layer.jacobian(x)[0]
    expected = torch.autograd.functional.jacobian(lambda v: torch.view_as_real(layer(v)).flatten(), x)
    torch.testing.assert_close(found, expected)
    free = QuantumLayer(ql.ansatze.basic_entangler(2, 1), init=[0.3, 0.5])
    assert [part.shape for part in free.jacobian()] == [(2, 0), (2, 2)]


SECOND = r"second derivatives through a QuantumLayer|forward-mode derivatives through a QuantumLayer"


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # of torch itself
@pytest.mark.parametrize(
    "ask",
    [
        lambda loss, x: torch.autograd.functional.hvp(loss, x, torch.ones_like(x)),
        lambda loss, x: torch.autograd.functional.vhp(loss, x, torch.ones_like(x)),
        torch.autograd.functional.hessian,
        lambda loss, x: torch.autograd.functional.hessian(loss, x, vectorize=True),
        lambda loss, x: torch.func.hessian(loss)(x),
        lambda loss, x: torch.func.jacrev(torch.func.grad(loss))(x),
        lambda loss, x: torch.func.jvp(torch.func.grad(loss), (x,), (x,)),
        lambda loss, x: torch.autograd.gradgradcheck(loss, x.requires_grad_()),
    ],
)
def test_hessians_and_their_products_are_refused_in_a_sentence(ask):
    layer = make_layer()
    with pytest.raises(ql.errors.UnsupportedError, match=SECOND):
        ask(lambda v: layer(v).square().sum(), samples(3))
