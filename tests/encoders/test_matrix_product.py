"""Numbers in amplitudes by few gates: exact where bonds are small, and an error that is the true one elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.encoders import matrix_product


def true_error(numbers: np.ndarray, prepared: ql.encoders.PreparedState) -> float:
    """By the gates' matrices."""
    states = ql.state(prepared.circuit, engine=ql.engines.ReferenceEngine())
    padded = np.pad(numbers.ravel(), (0, len(states) - numbers.size))
    held = (prepared.scale * states)[: numbers.size].reshape(numbers.shape)
    np.testing.assert_allclose(prepared.numbers, held, atol=1e-12 * np.linalg.norm(numbers))
    return float(np.linalg.norm(prepared.scale * states - padded) / np.linalg.norm(numbers))


def w_state(n: int) -> np.ndarray:
    state = np.zeros(2**n)
    state[2 ** np.arange(n)] = 1
    return state


@pytest.mark.parametrize(
    "numbers",
    [
        np.eye(1, 32)[0] + np.eye(1, 32, 31)[0], w_state(6), 3 * np.ones((5, 1)), np.array([0.0, -2.0]),
        np.exp(0.3j * np.arange(16)), np.kron([1, 2], np.kron([1, -1j], [0.5, 3])),
    ],
)  # fmt: skip
def test_states_of_small_bonds_are_exact(numbers):
    """GHZ, W, constants cut short, a sign, a plane wave, a product."""
    prepared = matrix_product(numbers)
    if numbers.size in (2, 5):  # padding raises the bond of five ones to 3: not exact, and it is said
        assert prepared.error == pytest.approx(true_error(numbers, prepared), abs=1e-9)
    else:
        assert prepared.error < 1e-12
        np.testing.assert_allclose(prepared.numbers, numbers, atol=1e-12)
    assert prepared.numbers.shape == numbers.shape


@pytest.mark.parametrize("is_complex", [False, True])
def test_the_error_is_the_true_one_and_falls(is_complex):
    random = np.random.default_rng(0)
    numbers = random.normal(size=(4, 7)) + (1j * random.normal(size=(4, 7)) if is_complex else 0)
    errors = []
    for n_layers in (1, 4, 16):
        prepared = matrix_product(numbers, n_layers)
        assert prepared.error == pytest.approx(true_error(numbers, prepared), abs=1e-9)
        assert prepared.numbers.dtype == numbers.dtype
        assert len(prepared.circuit) == 4 * n_layers
        errors.append(prepared.error)
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.05


def test_weights_of_a_classical_layer():
    """A smooth kernel of a convolution takes few gates; the layer with what the circuit holds gives nearly the same."""
    x = torch.linspace(-2, 2, 16)
    layer = torch.nn.Linear(16, 16)
    with torch.no_grad():
        layer.weight.copy_(torch.exp(-((x[:, None] - x[None]) ** 2)))
    prepared = matrix_product(layer.weight.detach().numpy(), 8)
    assert prepared.error < 0.15
    activations = torch.randn(100, 16, generator=torch.Generator().manual_seed(0))
    held = torch.from_numpy(prepared.numbers).float()
    difference = activations @ (held - layer.weight).T
    # No output is off by more than the error times the norms.
    assert difference.norm(dim=1).max() <= prepared.error * layer.weight.norm() * activations.norm(dim=1).max()


@pytest.mark.parametrize("numbers", [np.zeros(4), [], [1.0, np.inf], np.nan])
def test_what_has_no_direction_is_refused(numbers):
    with pytest.raises(ql.errors.ShapeError, match=r"expected 1 to 2\^24 finite ones, not all 0"):
        matrix_product(numbers)
