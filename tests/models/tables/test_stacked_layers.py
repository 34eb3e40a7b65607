"""Native perceptrons beside torch's autograd in double precision."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from qloom import _native
from qloom.models.tables.heads import make_perceptron
from qloom.models.tables.hybrid import make_encoder
from qloom.models.tables.stacked_layers import Batch, StackedPerceptron, perceptron_shape

SHAPES = [(1, 1, 1, 1), (5, 3, 7, 2), (40, 77, 64, 8), (33, 16, 64, 2), (19, 20, 33, 17)]  # B, F, H, O


def largest_difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.double() - expected).abs().max() / expected.abs().max().clamp(min=1e-3))


def random_batch(n_rows: int, count: int = 1) -> Batch:
    return Batch([n_rows] * count, [np.random.default_rng(k) for k in range(count)])


@pytest.mark.parametrize("angles", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_slopes_are_autograds(shape, angles):
    torch.manual_seed(0)
    n_rows, n_inputs, width, n_outputs = shape
    make = make_encoder(n_inputs, width, n_outputs, 0.0) if angles else make_perceptron(n_inputs, width, n_outputs)
    x, slopes = 3 * torch.randn(n_rows, n_inputs), torch.randn(n_rows, n_outputs)
    layer = StackedPerceptron([make])
    values = layer.forward(x[None], random_batch(n_rows))
    d_x = layer.backward(slopes[None], random_batch(n_rows))
    exact, given = make.double(), x.double().requires_grad_()
    expected = exact(given)
    expected.backward(slopes.double())
    assert largest_difference(values[0], expected.detach()) < 2e-6
    assert largest_difference(d_x[0], given.grad) < 5e-6
    d_weights = torch.cat([parameter.grad.flatten() for parameter in exact.parameters()])
    assert largest_difference(layer.weights.slopes[0], d_weights) < 5e-6


def test_far_inputs_keep_their_limits():
    perceptron = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.SiLU(), torch.nn.Linear(1, 1))
    with torch.no_grad():
        for parameter, value in zip(perceptron.parameters(), (1.0, 0.0, 1.0, 0.0), strict=True):
            parameter.fill_(value)
    x = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4, torch.nan])[None, :, None]
    values = StackedPerceptron([perceptron]).forward(x, random_batch(6))[0, :, 0]
    assert values[:5].tolist() == pytest.approx([0.0, 0.0, 0.0, 100.0, 1e4], abs=1e-30)
    assert values[5].isnan()


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    """Of 256,000 units .3 are left out, give or take five standard deviations, .0045."""
    encoder = make_encoder(1, 64, 64, 0.3)
    with torch.no_grad():
        for name, value in (("0.weight", 0.0), ("0.bias", 1.0), ("3.bias", 0.0)):
            encoder.get_parameter(name).fill_(value)
        encoder[3].weight.copy_(0.01 * torch.eye(64))
    layer = StackedPerceptron([encoder])
    values = layer.forward(torch.zeros(1, 4000, 1), random_batch(4000))[0]
    hidden = torch.atanh(values / torch.pi) / 0.01
    full = torch.nn.functional.silu(torch.tensor(1.0))
    assert float((hidden == 0).float().mean()) == pytest.approx(0.3, abs=0.0045)
    assert hidden[hidden != 0].numpy() == pytest.approx(float(full) / 0.7, rel=1e-3)
    layer.backward(torch.ones(1, 4000, 64), random_batch(4000))
    slopes = layer.weights.slopes[0][-64 * 65 : -64].view(64, 64)  # of the second matrix, by hand
    derivative = torch.pi - values.double() ** 2 / torch.pi
    assert largest_difference(slopes, derivative.T @ hidden.double()) < 1e-3


def test_each_of_several_is_what_it_is_alone():
    torch.manual_seed(1)
    encoders = [make_encoder(5, 7, 3, 0.2) for _ in range(3)]
    x, slopes = torch.randn(3, 20, 5), torch.randn(3, 20, 3)
    alone = []
    for r, encoder in enumerate(encoders):
        layer = StackedPerceptron([encoder])
        batch = Batch([20], [np.random.default_rng(r)])
        alone.append(
            (layer.forward(x[r : r + 1], batch), layer.backward(slopes[r : r + 1], batch), layer.weights.slopes)
        )
    layer, batch = StackedPerceptron(encoders), random_batch(20, 3)
    together = layer.forward(x, batch), layer.backward(slopes, batch), layer.weights.slopes
    for whole, *parts in zip(together, *alone, strict=True):
        assert torch.equal(whole, torch.cat(parts))


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_steps_of_adamw_are_torchs(weight_decay):
    torch.manual_seed(0)
    values, means, squares = torch.randn(37), torch.zeros(37), torch.zeros(37)
    expected = values.double().requires_grad_()
    optimizer = torch.optim.AdamW([expected], lr=0.01, weight_decay=weight_decay)
    for step in range(1, 30):
        slopes = torch.randn(37) * 10.0 ** torch.randint(-6, 3, (37,))
        _native.adamw(values, slopes, means, squares, 0.01, weight_decay, step)
        expected.grad = slopes.double()
        optimizer.step()
    assert largest_difference(values, expected.detach()) < 2e-6


def test_only_perceptrons_of_single_precision_are_known():
    encoder = make_encoder(4, 8, 3, 0.1)
    assert perceptron_shape(encoder) == (4, 8, 3, True, 0.1)
    assert perceptron_shape(make_perceptron(4, 8, 3)) == (4, 8, 3, False, 0.0)
    assert perceptron_shape(encoder[:3]) is None
    assert perceptron_shape(torch.nn.Linear(4, 3)) is None
    assert perceptron_shape(encoder.double()) is None


def test_arrays_of_other_sizes_are_refused():
    native = _native.Perceptrons(2, 3, 4, 1, False, 0.0)
    weights, x, outputs = (
        np.zeros((2, 21), np.float32),
        np.zeros((2, 5, 3), np.float32),
        np.zeros((2, 5, 1), np.float32),
    )
    native.forward(weights, x, [0, 0], outputs)
    wrong = [(weights[:1], x, outputs), (weights, x[:, :, :2].copy(), outputs), (weights, x, outputs[:1])]
    for given_weights, given_x, given_outputs in wrong:
        with pytest.raises(ValueError, match="expected 2 times"):
            native.forward(given_weights, given_x, [0, 0], given_outputs)


@pytest.mark.slow
@pytest.mark.parametrize("kernels", _native.kernel_names()[1:])
def test_every_set_of_kernels(kernels):
    tests = [
        f"{__file__}::{test}" for test in ("test_values_and_slopes_are_autograds", "test_far_inputs_keep_their_limits")
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        env=os.environ | {"QLOOM_KERNELS": kernels}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
