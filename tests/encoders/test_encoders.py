"""Every encoder through its contract, and each against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.circuits.entanglers import entangler_pairs
from qloom.testing import check_encoder

ENCODERS = {
    "angle x": (lambda: ql.encoders.angle(3, "x"), 3),
    "angle y": (lambda: ql.encoders.angle(3, "y"), 3),
    "angle z": (lambda: ql.encoders.angle(3, "z"), 3),
    "basis": (lambda: ql.encoders.basis(3), 3),
    "amplitude": (lambda: ql.encoders.amplitude(5), 8),
    "angle zy": (lambda: ql.encoders.angle(3, "zy"), 3),
    "dense_angle": (lambda: ql.encoders.dense_angle(5), 5),
    "hybrid_angle": (lambda: ql.encoders.hybrid_angle(30), 30),
    "hybrid_angle of a part": (lambda: ql.encoders.hybrid_angle(9, 3), 9),
    "iqp": (lambda: ql.encoders.iqp(3, 2), 6),
    "iqp on a line": (lambda: ql.encoders.iqp(4, 2, "linear"), 7),
    "chebyshev": (lambda: ql.encoders.chebyshev(3, 2, tower=True), 3),
    "fourier": (lambda: ql.encoders.fourier(3, 2), 3),
    "fourier trained": (lambda: ql.encoders.fourier(3, 2, "trainable"), 6),
}


def test_every_member_is_tested():
    """A new file in the folder must come with a line here."""
    functions = {name for name in ql.encoders.__all__ if name.islower()}
    circuits = {name.split()[0] for name in ENCODERS} | {"reuploading"}
    from_features = {"bits", "normalize", "iqp_inputs", "zz_inputs", "chebyshev_inputs", "scaled_inputs"}
    assert circuits | from_features | {"encoding", "matrix_product", "plan"} == functions
    assert set(ql.encoders.ENCODERS) <= circuits | {"zz"}


@pytest.mark.parametrize("name", ENCODERS)
def test_encoder_contract(name):
    make, n_inputs = ENCODERS[name]
    check_encoder(make(), n_inputs)


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
        (lambda: ql.encoders.iqp(3, 1, "star"), "entangler='star', expected one of none, linear"),
        (lambda: ql.encoders.fourier(2, 1, "square"), "spacing='square', expected one of equal"),
        (lambda: ql.encoders.encoding("angel", 2), "encoder 'angel', expected one of angle"),
        (lambda: ql.encoders.plan(100, 6), "100 features on at most 6 qubits, expected at least 7 qubits"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ql.errors.CircuitError, match=message):
        call()


def test_several_axes_are_turned_in_order():
    x = np.array([[0.3, -1.1]])
    zy = ql.expectation(ql.encoders.angle(2, "zy"), [ql.X(0), ql.Y(1), ql.Z(0)], x)
    # |+> is on the equator at azimuth x after RZ, then RY takes X to the pole.
    a, b = x[0]
    np.testing.assert_allclose(zy, [[np.cos(a) * np.cos(a), np.sin(b), -np.cos(a) * np.sin(a)]], atol=1e-14)


def test_dense_angle_is_a_point_on_the_sphere():
    a, b = 0.7, -0.4
    seen = ql.expectation(ql.encoders.dense_angle(3), [ql.X(0), ql.Y(0), ql.Z(0), ql.Z(1)], [[a, b, 1.2]])
    sphere = [np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a), np.cos(1.2)]
    np.testing.assert_allclose(seen, [sphere], atol=1e-14)


def test_hybrid_angle_is_a_tree_of_rotations():
    """Three qubits: the second turns by x_1 or x_2, the third by sums whose signs a CX of each control flips."""
    x = np.random.default_rng(0).uniform(-2, 2, 7)
    state = ql.state(ql.encoders.hybrid_angle(7, 3), x)
    half = lambda angle: np.array([np.cos(angle / 2), np.sin(angle / 2)])  # noqa: E731
    expected = np.zeros((2, 2, 2))
    for first in (0, 1):
        for second in (0, 1):
            # Gray code: RY, CX from the second, RY, CX from the first, RY, CX from the second, RY, CX from the first.
            turns, sign = 0.0, 1
            for angle, control in zip(x[3:], (second, first, second, first), strict=True):
                turns += sign * angle
                sign *= -1 if control else 1
            expected[first, second] = half(x[0])[first] * half(x[1 + first])[second] * half(turns)
    np.testing.assert_allclose(state, expected.ravel(), atol=1e-14)


def test_chebyshev_values_are_chebyshev_polynomials():
    x = torch.tensor([[0.3, -0.8]], dtype=torch.float64)
    values = ql.expectation(ql.encoders.chebyshev(2, 3, tower=True), None, ql.encoders.chebyshev_inputs(x).numpy())
    truth = [np.polynomial.chebyshev.Chebyshev.basis(2 * d)(value) for value in (0.3, -0.8) for d in (1, 2, 3)]
    np.testing.assert_allclose(values, [truth], atol=1e-13)
    with pytest.raises(ql.errors.ShapeError, match="x holds 2, expected features from -1 to 1"):
        ql.encoders.chebyshev_inputs(torch.tensor([[0.5, 2.0]]))


def test_fourier_frequencies():
    x, k = 0.37, np.arange(3)
    for spacing, frequencies in (("equal", k * 0 + 1.0), ("linear", k + 1.0), ("ternary", 3.0**k)):
        values = ql.expectation(ql.encoders.fourier(1, 3, spacing), None, [[x]])
        np.testing.assert_allclose(values, [np.cos(frequencies * x)], atol=1e-14)
    frequencies = torch.tensor([[1.0, 0.5], [2.0, 0.1]], dtype=torch.float64)  # (K, F)
    inputs = ql.encoders.scaled_inputs(torch.tensor([[0.3, 0.7]], dtype=torch.float64), frequencies)
    values = ql.expectation(ql.encoders.fourier(2, 2, "trainable"), None, inputs.numpy())
    np.testing.assert_allclose(values, np.cos([[0.3, 0.6, 0.35, 0.07]]), atol=1e-14)


def test_zz_feature_map_as_published():
    """H, P(2 x_i), then CX P(2 (pi - x_i) (pi - x_j)) CX on each pair, as Qiskit writes it, but for a phase."""
    x = torch.tensor([0.4, -0.9, 1.3], dtype=torch.float64)
    mine = ql.state(ql.encoders.iqp(3, 2, "linear"), ql.encoders.zz_inputs(x, "linear").numpy())
    circuit = ql.Circuit(3)
    for _ in range(2):
        for q in range(3):
            circuit.h(q).p(2 * float(x[q]), q)
        for a, b in ((0, 1), (1, 2)):
            circuit.cx(a, b).p(2 * float((np.pi - x[a]) * (np.pi - x[b])), b).cx(a, b)
    assert abs(np.vdot(mine, ql.state(circuit))) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", ql.encoders.ENCODERS)
def test_encodings_by_name_take_features(name):
    encoding = ql.encoders.encoding(name, 5)
    x = torch.tensor([[0.0, 1.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0, 0.0]], dtype=torch.float64)
    states = ql.state(encoding.circuit, encoding(x).numpy())
    assert states.shape == (2, 2**encoding.n_qubits)
    assert abs(np.vdot(*states)) < 1 - 1e-6
    assert f"{name}: 5 features on {encoding.n_qubits} qubits" in str(encoding)
    with pytest.raises(ql.errors.ShapeError, match=rf"x has shape \(2, 4\), expected \(..., 5\) for this {name}"):
        encoding(x[:, :4])


def test_plan_lists_what_fits():
    qubits = {made.name: made.n_qubits for made in ql.encoders.plan(30)}
    assert qubits == {
        "amplitude": 5, "hybrid_angle": 8, "dense_angle": 15, "angle": 30, "basis": 30, "iqp": 30, "zz": 30,
        "chebyshev": 30, "fourier": 30,
    }  # fmt: skip
    assert [made.name for made in ql.encoders.plan(30, 8)] == ["amplitude", "hybrid_angle"]


def test_plan_is_printed_as_a_table():
    lines = str(ql.encoders.plan(30)).splitlines()
    assert lines[0].split() == ["encoder", "qubits", "inputs", "gates", "depth"]
    found = {name: int(qubits) for name, qubits, *_ in map(str.split, lines[1:])}
    assert found == {made.name: made.n_qubits for made in ql.encoders.plan(30)}
    assert len({len(line) for line in lines}) == 1
    assert repr(ql.encoders.plan(30)) == "\n".join(lines)


def test_bits_are_bits():
    with pytest.raises(ql.errors.ShapeError, match=r"x holds 0\.5, expected 0 or 1"):
        ql.encoders.encoding("basis", 2)(torch.tensor([[1.0, 0.5]]))
