"""Every encoder and ansatz through its contract, and each against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.ansatze.entanglers import entangler_pairs
from qloom.testing import check_ansatz, check_encoder

ENCODERS = {
    "angle x": (lambda: ql.encoders.angle(3, "x"), 3),
    "angle y": (lambda: ql.encoders.angle(3, "y"), 3),
    "angle z": (lambda: ql.encoders.angle(3, "z"), 3),
    "basis": (lambda: ql.encoders.basis(3), 3),
    "amplitude": (lambda: ql.encoders.amplitude(5), 8),
    "iqp": (lambda: ql.encoders.iqp(3, 2), 6),
}
ANSATZE = {
    "hardware_efficient": (lambda: ql.ansatze.hardware_efficient(4, 2, ("ry", "rz"), "brick", "cz"), 16),
    "strongly_entangling": (lambda: ql.ansatze.strongly_entangling(4, 3), 36),
    "basic_entangler": (lambda: ql.ansatze.basic_entangler(4, 2), 8),
}


def test_every_member_is_tested():
    """A new file in the folder must come with a line here."""
    circuits = {"angle", "basis", "amplitude", "iqp", "reuploading"}
    assert circuits | {"normalize", "iqp_inputs", "scaled_inputs"} == set(ql.encoders.__all__)
    assert set(ANSATZE) == set(ql.ansatze.__all__)


@pytest.mark.parametrize("name", ENCODERS)
def test_encoder_contract(name):
    make, n_inputs = ENCODERS[name]
    check_encoder(make(), n_inputs)


@pytest.mark.parametrize("name", ANSATZE)
def test_ansatz_contract(name):
    make, n_weights = ANSATZE[name]
    check_ansatz(make(), n_weights)


def test_angle_encoding_in_closed_form():
    x = np.array([[0.3, -1.1]])
    np.testing.assert_allclose(ql.expectation(ql.encoders.angle(2, "y"), None, x), np.cos(x), atol=1e-14)
    np.testing.assert_allclose(ql.expectation(ql.encoders.angle(2, "x", scale=2), None, x), np.cos(2 * x), atol=1e-14)
    np.testing.assert_allclose(ql.expectation(ql.encoders.angle(2, "z"), [ql.X(0), ql.X(1)], x), np.cos(x), atol=1e-14)


def test_basis_encoding_gives_basis_states():
    bits = np.array([[0, 1, 1], [1, 0, 0]])
    assert np.argmax(ql.probabilities(ql.encoders.basis(3), bits), axis=1).tolist() == [0b011, 0b100]


def test_amplitude_encoding_is_normalized_and_padded():
    x = torch.tensor([[3.0, 0.0, 4.0]], dtype=torch.float64)
    amplitudes = ql.encoders.normalize(x, 4)
    np.testing.assert_allclose(ql.state(ql.encoders.amplitude(3), amplitudes.numpy()), [[0.6, 0, 0.8, 0]], atol=1e-15)
    with pytest.raises(ql.errors.ShapeError, match="a row of zeros"):
        ql.encoders.normalize(torch.zeros(1, 3), 4)
    with pytest.raises(ql.errors.ShapeError, match="x has 5 features, expected at most 4"):
        ql.encoders.normalize(torch.ones(1, 5), 4)
    with pytest.raises(ql.errors.ShapeError, match=r"amplitudes of sample 1 have norm 2, expected 1"):
        ql.expectation(ql.encoders.amplitude(2), None, [[1.0, 0.0], [2.0, 0.0]])


def test_iqp_state_in_closed_form():
    """One layer: amplitudes exp(-i phase / 2) / 2 with phase = sum of +-x_i and +-x_0 x_1."""
    x = torch.tensor([0.4, -0.9], dtype=torch.float64)
    state = ql.state(ql.encoders.iqp(2), ql.encoders.iqp_inputs(x).numpy())
    a, b, ab = 0.4, -0.9, 0.4 * -0.9
    phases = np.array([a + b + ab, a - b - ab, -a + b - ab, -a - b + ab])
    np.testing.assert_allclose(state, np.exp(-0.5j * phases) / 2, atol=1e-14)


def test_reuploading_shares_or_separates_inputs():
    """One qubit, RY(x) and RY(w): angles add up, so <Z> = cos(sum)."""
    layer = lambda n: ql.ansatze.hardware_efficient(n, 1, ("ry",), "none")  # noqa: E731
    shared = ql.encoders.reuploading(1, 3, layer)
    assert (shared.n_inputs, shared.n_weights) == (1, 3)
    w = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(ql.expectation(shared, None, [0.5], w), np.cos([1.5 + 0.6]), atol=1e-14)
    separate = ql.encoders.reuploading(1, 3, layer, separate=True)
    assert separate.n_inputs == 3
    scales = torch.tensor([[1.0], [2.0], [-1.0]], dtype=torch.float64, requires_grad=True)
    angles = ql.encoders.scaled_inputs(torch.tensor([[0.5]], dtype=torch.float64), scales)
    values = ql.nn.QuantumLayer(separate, init=w, dtype=torch.float64)(angles)
    np.testing.assert_allclose(values.detach(), np.cos([[1.0 + 0.6]]), atol=1e-14)
    values.sum().backward()
    np.testing.assert_allclose(scales.grad, np.full((3, 1), -0.5 * np.sin(1.6)), atol=1e-14)


def test_entangler_patterns():
    assert entangler_pairs("linear", 4) == [(0, 1), (1, 2), (2, 3)]
    assert entangler_pairs("ring", 4) == [(0, 1), (1, 2), (2, 3), (3, 0)]
    assert entangler_pairs("ring", 2) == [(0, 1)]
    assert entangler_pairs("ring", 1) == []
    assert len(entangler_pairs("full", 5)) == 10
    assert entangler_pairs("brick", 5) == [(0, 1), (2, 3), (1, 2), (3, 4)]
    assert entangler_pairs("none", 5) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ql.encoders.angle(2, "w"), "axis='w', expected x, y or z"),
        (lambda: ql.encoders.iqp(2, 0), "n_layers=0, expected an integer of at least 1"),
        (lambda: ql.encoders.reuploading(2, 0, lambda n: ql.Circuit(n)), "n_layers=0"),
        (lambda: ql.ansatze.strongly_entangling(3, 0), "n_layers=0"),
        (
            lambda: ql.ansatze.strongly_entangling(3, 2, [1, 3]),
            r"ranges=\[1, 3\], expected 2 of them from 1 to 2",
        ),
        (lambda: ql.ansatze.hardware_efficient(3, 1, ("cx",)), "expected a one-qubit gate of one angle"),
        (lambda: ql.ansatze.hardware_efficient(3, 1, gate="rx"), "expected a two-qubit gate without angles"),
        (lambda: ql.ansatze.hardware_efficient(3, 1, entangler="star"), "expected one of none, linear"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ql.errors.CircuitError, match=message):
        call()
