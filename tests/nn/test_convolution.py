"""Circuits on patches of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.nn import QCNN, QuantumConv2d


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # of torch itself, for even kernels
@pytest.mark.parametrize(
    ("channels", "kernel", "stride", "padding", "dilation", "size"),
    [
        (1, 2, 2, 0, 1, (6, 6)), (2, 2, 1, 1, 1, (4, 5)), (1, (3, 2), (2, 1), (1, 0), 1, (5, 7)),
        (1, 2, 1, 0, 2, (5, 6)), (1, (3, 2), (2, 1), (2, 1), (1, 3), (5, 7)), (1, 2, 1, "same", 1, (4, 5)),
        (1, (3, 2), 1, "same", (2, 3), (5, 4)), (2, 2, 1, "valid", 1, (3, 3)),
    ],
)  # fmt: skip
def test_every_patch_is_the_circuit_at_its_place(channels, kernel, stride, padding, dilation, size):
    """Shape as nn.Conv2d's, and each number the expectation value of the patch cut out by hand."""
    layer = QuantumConv2d(channels, 3, kernel, stride, padding, dtype=torch.float64, seed=0, dilation=dilation)
    x = torch.rand(2, channels, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    out = layer(x)
    twin = torch.nn.Conv2d(channels, 3, kernel, stride, padding, dilation, dtype=torch.float64)
    assert out.shape == twin(x).shape
    (kh, kw), (sh, sw), (dh, dw) = twin.kernel_size, twin.stride, twin.dilation
    left, right, top, bottom = twin._reversed_padding_repeated_twice
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (top, bottom), (left, right)))
    for row in range(out.shape[2]):
        for column in range(out.shape[3]):
            patch = padded[:, :, row * sh :, column * sw :][:, :, : dh * kh : dh, : dw * kw : dw].reshape(2, -1)
            n = patch.shape[1]
            words = [ql.Z(0), ql.Z(1), ql.Z(2)] if n > 2 else [ql.Z(0), ql.Z(1), ql.Z(0) @ ql.Z(1)]
            truth = ql.expectation(layer.quantum.circuit, words, patch, layer.quantum.weights.detach().numpy())
            np.testing.assert_allclose(out[:, :, row, column].detach(), truth, atol=1e-12)


def test_gradients_reach_the_image_and_the_weights():
    layer = QuantumConv2d(1, 2, 2, dtype=torch.float64, seed=0)
    x = torch.rand(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    call = lambda w: torch.func.functional_call(layer, {"quantum.weights": w}, (x.detach(),))  # noqa: E731
    assert torch.autograd.gradcheck(call, layer.quantum.weights.detach().requires_grad_())


def test_a_fixed_circuit_is_not_trained():
    layer = QuantumConv2d(1, 4, 2, 2, trainable=False, seed=3)
    assert not any(parameter.requires_grad for parameter in layer.parameters())
    x = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(layer(x), QuantumConv2d(1, 4, 2, 2, trainable=False, seed=3)(x))
    assert layer(x).std(dim=0).max() > 0


def test_one_image_and_none():
    layer = QuantumConv2d(1, 4, 2, 2, seed=0)
    x = torch.rand(3, 1, 6, 4)
    torch.testing.assert_close(layer(x[1]), layer(x)[1])
    assert layer(x[:0]).shape == (0, 4, 3, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: QuantumConv2d(1, 4, 3)(torch.rand(1, 2, 5, 5)), r"expected \(B, 1, H, W\)"),
        (lambda: QuantumConv2d(1, 4, 3)(torch.rand(5, 5)), r"x has shape \(5, 5\)"),
        (
            lambda: QuantumConv2d(1, 4, 3)(torch.rand(1, 1, 2, 5)),
            "x is 2 x 5 with padding .* expected at least the kernel's 3 x 3",
        ),
        (lambda: QuantumConv2d(3, 4, 3), "a patch has 27 pixels, expected at most 16 at one qubit each"),
        (lambda: QuantumConv2d(1, 4, 2, circuit=ql.encoders.angle(3)), "circuit takes 3 inputs, expected 4"),
        (lambda: QuantumConv2d(1, 4, 0), "kernel_size=0"),
        (lambda: QuantumConv2d(1, 4, 2, padding=-1), "padding=-1"),
        (lambda: QuantumConv2d(1, 4, 2, padding="full"), "padding='full', expected numbers, 'same' or 'valid'"),
        (lambda: QuantumConv2d(1, 4, 2, 2, "same"), "expected a stride of 1"),
        (lambda: QuantumConv2d(2, 4, 2, groups=2), "groups=2, expected 1; take a QuantumConv2d for each group"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ql.errors.QloomError, match=message):
        call()


@pytest.mark.parametrize(
    ("encoder", "n_features", "n_qubits"), [("angle", 8, 8), ("amplitude", 200, 8), ("hybrid", 30, 8)]
)
def test_qcnn_takes_features_three_ways(encoder, n_features, n_qubits):
    model = QCNN(n_features, encoder, seed=0)
    assert model.quantum.circuit.n_qubits == n_qubits
    assert model.quantum.weights.numel() == 51
    x = torch.rand(5, n_features, requires_grad=True)
    model(x).sum().backward()
    assert model(x).shape == (5, 1)
    assert (x.grad.abs().sum(0) > 0).all()


def test_qcnn_leaves_as_many_qubits_as_asked_for():
    assert QCNN(8, n_outputs=2, pooling=None)(torch.rand(3, 8)).shape == (3, 2)
    with pytest.raises(ql.errors.CircuitError, match="n_outputs=3, pooling 8 qubits leaves 2; take that"):
        QCNN(8, n_outputs=3)
    with pytest.raises(ql.errors.CircuitError, match="encoder='phase', expected one of angle"):
        QCNN(8, "phase")
