"""The classical stand-in has exactly the parameters it is asked for, and uses all of them."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from qloom.models.tables.controls import ClassicalLayer


@given(st.integers(1, 12), st.integers(1, 30), st.integers(0, 400))
def test_parameter_count_is_exact(n_inputs, n_outputs, n_parameters):
    layer = ClassicalLayer(n_inputs, n_outputs, n_parameters)
    assert sum(p.numel() for p in layer.parameters()) == n_parameters
    assert layer(torch.zeros(3, n_inputs)).shape == (3, n_outputs)


@given(st.integers(2, 8), st.integers(1, 16), st.integers(1, 100))
def test_every_parameter_has_a_gradient(n_inputs, n_outputs, n_parameters):
    torch.manual_seed(0)
    layer = ClassicalLayer(n_inputs, n_outputs, n_parameters)
    x = torch.randn(20, n_inputs, dtype=torch.float64)
    layer.double()(x).pow(2).sum().backward()
    assert all((p.grad != 0).any() for p in layer.parameters() if p.numel())


def test_formula_by_hand():
    layer = ClassicalLayer(2, 3, 5)  # one hidden unit: 2 numbers in, 3 out
    x = torch.tensor([[0.3, -0.7]])
    hidden = torch.tanh(x @ layer.down.T)
    expected = torch.tanh(torch.tensor([[0.3, -0.7, 0.3]]) + hidden @ layer.up.T)
    torch.testing.assert_close(layer(x), expected)


def test_outputs_stay_between_minus_one_and_one():
    layer = ClassicalLayer(4, 8, 60)
    assert layer(100 * torch.randn(50, 4)).abs().max() <= 1
