"""Trainability: closed forms of variances, algebras, fidelities and waves."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np
import pytest

import qloom as ql
from qloom.gradients import gradient
from qloom.trainability import (
    clifford_start,
    decay,
    entangling_capability,
    expressibility,
    extended_weights,
    generators,
    gradient_variance,
    lie_closure,
    meyer_wallach,
    restricted,
    restricted_observable,
    restricted_observables,
    spectrum,
)
from qloom.trainability.expressibility import BINS


def rx_layer(n: int) -> ql.Circuit:
    circuit = ql.Circuit(n)
    for qubit, weight in enumerate(circuit.weights(n)):
        circuit.rx(weight, qubit)
    return circuit


def global_cost(n: int) -> ql.PauliSum:
    """1 - |0..0><0..0|: 1 - the product of cos^2(t / 2)."""
    return 1 - reduce(lambda a, b: a @ b, [0.5 * (1 + ql.Z(q)) for q in range(n)])


def local_cost(n: int) -> ql.PauliSum:
    return 1 - sum((0.5 / n * (1 + ql.Z(q)) for q in range(1, n)), start=0.5 / n * (1 + ql.Z(0)))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["global", "local"])
def test_variances_of_product_states(n, name):
    """Exactly, on a grid that integrates waves up to twice the angle; and by Monte Carlo within five errors."""
    observable, expected = {
        "global": (global_cost(n), 1 / 8 * (3 / 8) ** (n - 1)), "local": (local_cost(n), 1 / (8 * n**2)),
    }[name]  # fmt: skip
    grid = np.array(list(product(2 * np.pi * np.arange(5) / 5, repeat=n)))
    slopes = gradient(rx_layer(n), observable, None, grid)[1][:, 0]
    np.testing.assert_allclose(slopes.var(), expected, rtol=1e-12)
    found = gradient_variance(rx_layer(n), observable, 4000)
    # A false alarm in some 10^6 draws a weight, and the seed is fixed.
    assert np.all(np.abs(found.of_weights - expected) < 5 * found.errors)


def test_variances_from_given_weights():
    """-sin(w) at normal angles of deviation s, squared: (1 - exp(-2 s^2)) / 2; at fixed angles nothing varies."""
    found = gradient_variance(rx_layer(2), ql.Z(1), 4000, spread=0.1)
    expected = (1 - np.exp(-0.02)) / 2
    assert found.squares[1] == pytest.approx(expected, rel=0.1)  # 4 deviations of sqrt(2 / 4000)
    assert found.effective.tolist() == [False, True]
    fixed = gradient_variance(rx_layer(2), ql.Z(1), weights=lambda random: np.array([0.3, 0.7]))
    np.testing.assert_allclose(fixed.of_weights, 0, atol=1e-25)
    np.testing.assert_allclose(fixed.squares, [0, np.sin(0.7) ** 2], atol=1e-15)


def test_variance_at_random_amplitudes():
    """A real qubit at an angle a, turned by w: <Z> = cos(a + w), whose slope has the variance 1/2 only at norm 1."""
    circuit = ql.encoders.amplitude(2)
    circuit.ry(circuit.weights(1)[0], 0)
    found = gradient_variance(circuit, ql.Z(0), 4000)
    assert abs(found.mean - 0.5) < 5 * found.errors[0]


def test_a_power_is_told_from_an_exponential_decay():
    widths = np.array([2, 4, 6, 8])
    halved, square = decay(widths, 0.3 * 2.0**-widths), decay(widths, 0.3 / widths**2)
    assert (halved.slope, halved.is_steep) == (pytest.approx(-np.log(2)), True)
    assert (square.power, square.is_steep) == (pytest.approx(-2), False)
    assert square.slope < -0.4  # as a decay it would be steep
    assert not decay([2, 3], [0.1, 0.05]).is_steep  # two points show neither


def test_variances_of_deep_random_circuits():
    """Both halves of 50 layers scramble: N^2 / (2 (N^2 - 1) (N + 1)), a factor of nearly 2 every qubit."""
    found, widths = [], (2, 4, 6, 8)
    for n, expected in zip(widths, (0.10667, 0.029527, 0.0076942, 0.0019456), strict=True):
        circuit = ql.ansatze.strongly_entangling(n, 50)
        variance = gradient_variance(circuit, ql.Z(0) @ ql.Z(1), 200)
        middle = variance.of_weights[circuit.n_weights // 3 : 2 * circuit.n_weights // 3].mean()
        assert expected / 2 < middle < 2 * expected
        found.append(middle)
    line = decay(widths, found)
    assert line.slope == pytest.approx(-np.log(2), abs=0.15)
    assert line.low < -0.66 < line.high


def test_restriction_is_the_narrower_circuit():
    wide, narrow = (ql.ansatze.hardware_efficient(n, 3, ("ry", "rz"), "linear") for n in (6, 4))
    assert restricted(wide, 4) == narrow
    assert restricted(wide, 6) == wide
    both = restricted(ql.encoders.angle(5) + ql.ansatze.basic_entangler(5, 1), 2)
    assert (both.n_inputs, both.n_weights) == (2, 2)
    observable = ql.Z(0) @ ql.X(3) + 0.5 * ql.Y(4) + 2 * ql.Z(1)
    assert restricted_observable(observable, 2) == ql.Z(0) + 2 * ql.Z(1)
    bonds = [ql.Z(0), ql.Z(0) @ ql.Z(3), ql.Z(1) @ ql.Z(2), ql.X(3)]
    assert restricted_observables(bonds, 2) == (ql.Z(0), ql.Z(1))
    with pytest.raises(ql.errors.CircuitError, match="to 7 qubits, expected a circuit from"):
        restricted(wide, 7)
    with pytest.raises(ql.errors.CircuitError, match="has no weights on its first 1 qubits"):
        restricted(ql.encoders.angle(2), 1)
    with pytest.raises(ql.errors.CircuitError, match="has nothing on the first 2 qubits"):
        restricted_observable(ql.Y(4), 2)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_algebra_of_the_ising_chain(n):
    """X on sites and Z Z on bonds are free fermions: so(2 n), n (2 n - 1) words."""
    circuit = ql.Circuit(n)
    for qubit, weight in enumerate(circuit.weights(n)):
        circuit.rx(weight, qubit)
    for qubit, weight in enumerate(circuit.weights(n - 1)):
        circuit.rzz(weight, qubit, qubit + 1)
    words, complete = lie_closure(generators(circuit))
    assert (len(words), complete) == (n * (2 * n - 1), True)


def test_algebras_of_other_circuits():
    """Layers with CNOTs reach all of su(2^n); diagonal ones commute; the search can stop."""
    words, complete = lie_closure(generators(ql.ansatze.strongly_entangling(3, 4)))
    assert (len(words), complete) == (63, True)
    # Fixed turns between the trained ones count: with RX(0.3) on each qubit RZ reaches more than itself.
    mixed = ql.Circuit(2)
    for weight in mixed.weights(2):
        mixed.rz(weight, 0).rx(0.3, 0).rzz(0.2, 0, 1)
    assert len(lie_closure(generators(mixed))[0]) > 3
    diagonal = ql.Circuit(3)
    for qubit, weight in enumerate(diagonal.weights(3)):
        diagonal.rz(weight, qubit)
    assert len(lie_closure(generators(diagonal))[0]) == 3
    words, complete = lie_closure(generators(ql.ansatze.strongly_entangling(5, 4)), most=100)
    assert (len(words), complete) == (100, False)


def test_expressibility_of_one_qubit():
    """Idle; turned about the equator, whose fidelities follow the arcsine law; any rotation, near 0."""
    idle = expressibility(ql.Circuit(1).h(0))
    assert idle == pytest.approx(np.log(BINS), rel=1e-9)
    circuit = ql.Circuit(1).h(0)
    circuit.rz(circuit.weights(1)[0], 0)
    edges = np.linspace(0, 1, BINS + 1)
    shares = np.diff(2 / np.pi * np.arcsin(np.sqrt(edges)))
    expected = (shares * np.log(shares * BINS)).sum()
    # Sampling adds about BINS / (2 n), 0.002; its deviation is smaller than that.
    assert expressibility(circuit, 20_000) == pytest.approx(expected, abs=0.02)
    assert expressibility(ql.ansatze.strongly_entangling(3, 6), 5000) < 0.02


def test_entanglement_of_known_states():
    ghz, w = np.zeros(16), np.zeros(16)
    ghz[[0, 15]], w[[1, 2, 4, 8]] = np.sqrt(0.5), 0.5
    plus = np.full(16, 0.25)
    purity = (1 / 4) ** 2 + (3 / 4) ** 2
    np.testing.assert_allclose(meyer_wallach(np.array([ghz, w, plus])), [1, 2 * (1 - purity), 0], atol=1e-14)
    assert entangling_capability(rx_layer(3)) == pytest.approx(0, abs=1e-12)
    # Haar-random states of n qubits: (N - 2) / (N + 1).
    assert entangling_capability(ql.ansatze.strongly_entangling(4, 8)) == pytest.approx(14 / 17, abs=0.02)


def test_spectrum_of_uploads():
    """L uploads of an input give waves up to L, and no more."""
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(2), circuit.weights(4, 2, 3)
    for layer in range(4):
        for qubit in range(2):
            circuit.rot(*w[layer, qubit], qubit)
        circuit.cx(0, 1)
        if layer < 3:
            circuit.rx(x[0], 0)
    found = spectrum(circuit, ql.Z(1), 0)
    np.testing.assert_allclose(found.frequencies, [0, 1, 2, 3])
    assert found.sizes.min() > 1e-3
    thirds = ql.Circuit(1)
    (x,) = thirds.inputs(1)
    thirds.rx(x, 0).rx(4 / 3 * x, 0)
    sizes = spectrum(thirds, ql.Z(0))
    np.testing.assert_allclose(sizes.frequencies[sizes.sizes > 1e-9], [7 / 3])
    with pytest.raises(ql.errors.CircuitError, match="input 1 turns nothing"):
        spectrum(circuit, ql.Z(1), 1)


def test_errors():
    with pytest.raises(ql.errors.CircuitError, match="has no weights, expected some to train"):
        gradient_variance(ql.encoders.angle(2), ql.Z(0))
    for wrong, words in (
        ({"n_samples": 1}, "n_samples=1, expected an integer of at least 2"),
        ({"spread": -0.1}, "spread=-0.1, expected a positive number of radians"),
        ({"seed": -1}, "seed=-1, expected an integer of at least 0"),
    ):
        with pytest.raises(ql.errors.CircuitError, match=words):
            gradient_variance(rx_layer(2), ql.Z(0), **wrong)
    with pytest.raises(ql.errors.CircuitError, match="1 widths with a gradient, expected at least 2"):
        decay([2, 3], [0.1, 0.0])


@pytest.mark.parametrize("n", [6, 8])
def test_identity_blocks_at_the_start(n):
    """The circuit is the identity, and the first gradients are larger than at random angles."""
    circuit = ql.ansatze.identity_blocks(n, 3, lambda n: ql.ansatze.strongly_entangling(n, 2))
    start = ql.ansatze.identity_weights(circuit, 3, seed=0)
    np.testing.assert_allclose(ql.state(circuit, weights=start)[0], 1, atol=1e-12)
    turned = ql.Circuit(n)
    for qubit in range(n):
        turned.ry(np.pi / 4, qubit)  # at |0> itself the observable would be stationary
    circuit, observable = turned + circuit, ql.Z(0) @ ql.Z(1)
    draw = lambda random: ql.ansatze.identity_weights(circuit, 3, int(random.integers(2**31)))  # noqa: E731
    identity = gradient_variance(circuit, observable, 200, weights=draw)
    uniform = gradient_variance(circuit, observable, 200)
    assert identity.mean > 2 * uniform.mean


def test_warm_starts():
    """A narrower circuit's weights give its value in the wider one; the best Clifford circuit is the product state."""
    wide = ql.ansatze.hardware_efficient(5, 2, ("ry",), "linear")
    narrow = restricted(wide, 3)
    weights = np.random.default_rng(0).uniform(0, 6, narrow.n_weights)
    found = ql.expectation(wide, [ql.Z(0)], None, extended_weights(wide, 3, weights))
    np.testing.assert_allclose(found, ql.expectation(narrow, [ql.Z(0)], None, weights), atol=1e-12)
    with pytest.raises(ql.errors.ShapeError, match="weights has 4 numbers, expected 6"):
        extended_weights(wide, 3, np.zeros(4))
    bonds = sum((-1.0 * ql.Z(q) @ ql.Z(q + 1) for q in range(1, 4)), start=-1.0 * ql.Z(0) @ ql.Z(1))
    fields = sum((-0.1 * ql.Z(q) for q in range(1, 5)), start=-0.1 * ql.Z(0))
    start = clifford_start(wide, bonds + fields)
    np.testing.assert_allclose(np.sin(2 * start), 0, atol=1e-12)
    assert ql.expectation(wide, bonds + fields, None, start)[0] == pytest.approx(-4.5)
    with pytest.raises(ql.errors.CircuitError, match="expected a circuit with weights and without inputs"):
        clifford_start(ql.encoders.angle(2), bonds)
