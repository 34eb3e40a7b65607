"""The diagnosis: of what, at which widths, from which start, and what it advises."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.observables import pauli
from qloom.trainability import diagnose, gradient_variance, plot_decay, spectrum


def rx_layer(n: int) -> ql.Circuit:
    circuit = ql.Circuit(n)
    for qubit, weight in enumerate(circuit.weights(n)):
        circuit.rx(weight, qubit)
    return circuit


def ising_chain(n: int) -> ql.Circuit:
    circuit = ql.Circuit(n)
    for qubit, weight in enumerate(circuit.weights(n - 1)):
        circuit.rzz(weight, qubit, qubit + 1)
    for qubit, weight in enumerate(circuit.weights(n)):
        circuit.rx(weight, qubit)
    return circuit


def test_a_plateau():
    found = diagnose(ql.ansatze.strongly_entangling(8, 20), ql.Z(0) @ ql.Z(1))
    assert found.widths == (2, 4, 6, 8)
    assert found.decay.slope == pytest.approx(-np.log(2), abs=0.1)
    assert found.shots == pytest.approx(1 / found.variances[-1])
    assert (found.locality, found.algebra) == (2, (4096, False))
    assert found.entangling_capability > 0.9
    assert "will not train from random angles" in found.advice
    assert "identity blocks" in found.advice
    assert "simulated" not in found.advice
    assert found.directions is found.effective_dimension is None  # 480 weights are many


def test_what_trains():
    """Two layers, whose last qubits see all others: a power of the width; free fermions; weights with no effect."""
    shallow = diagnose(ql.nn.QuantumLayer(ql.ansatze.hardware_efficient(6, 2)))
    assert shallow.decay.power == pytest.approx(-1, abs=0.15)
    assert shallow.directions == 24
    assert shallow.advice.startswith("Gradients are large enough to train by on 6 qubits; their variance falls")
    near = diagnose(ql.ansatze.hardware_efficient(6, 2), ql.Z(0))
    assert near.decay.high > -0.1
    assert "and no exponential decay was seen" in near.advice
    free = diagnose(ising_chain(6), ql.Z(0) @ ql.Z(1))
    assert free.algebra == (66, True)
    assert free.words[0] <= 66
    assert "can be simulated classically" in free.advice
    idle = diagnose(rx_layer(3), ql.X(1))
    assert idle.advice == "No weight changes this observable: measure other qubits, or entangle them."
    assert idle.shots == np.inf


def test_a_small_algebra_is_not_all():
    """Phases commute, so the algebra is small; their products on a word everywhere are 2^n, too many to follow."""
    n = 10
    circuit = ql.Circuit(n)
    for qubit, weight in enumerate(circuit.weights(n)):
        circuit.h(qubit).rz(weight, qubit)
    found = diagnose(circuit, pauli("X" * n, range(n)))
    assert found.algebra == (n, True)
    assert found.words == (2**n, True)
    assert "simulated classically." not in found.advice.split(". ")[-1]
    assert "can be simulated classically" in diagnose(circuit, ql.X(0)).advice


def test_which_observables():
    """Given ones, those of a layer, by the convention Z on every qubit; others are refused."""
    circuit = ql.ansatze.hardware_efficient(3, 1)
    every = tuple(ql.Z(q) for q in range(3))
    assert diagnose(circuit, n_samples=10).observables == every
    bonds = [ql.Z(0) @ ql.Z(1), ql.Z(1) @ ql.Z(2)]
    layer = ql.nn.QuantumLayer(circuit, bonds)
    assert diagnose(layer, n_samples=10).observables == tuple(bonds)
    assert diagnose(layer, ql.X(1), n_samples=10).observables == (ql.X(1),)
    assert diagnose(ql.nn.QuantumLayer(circuit), n_samples=10).observables == every
    for wrong in (circuit, "probabilities"), (circuit, "state"), (ql.nn.QuantumLayer(circuit, "probabilities"),):
        with pytest.raises(ql.errors.CircuitError, match=r"expected Pauli sums; name some, such as \[Z\(0\)"):
            diagnose(*wrong)


def test_several_observables():
    """Means over those that a weight changes, worst shots, widest words, all light cones."""
    circuit, local, wide = rx_layer(4), ql.Z(0), ql.Z(1) @ ql.Z(2) @ ql.Z(3)
    alone = [gradient_variance(circuit, observable).mean for observable in (local, wide)]
    assert alone[0] > 2 * alone[1]
    found = diagnose(circuit, [local, wide, ql.X(0)], widths=[4])
    assert found.variances == (pytest.approx(np.mean(alone)),)
    assert found.shots == pytest.approx(1 / alone[1])
    assert (found.locality, found.light_cone) == (3, (4, 4))
    assert found.words == (8, True)
    # On two qubits Z(0) and Z(1) are left.
    narrow = diagnose(circuit, [local, wide, ql.X(3)], widths=[2])
    part = rx_layer(2)
    expected = np.mean([gradient_variance(part, ql.Z(q)).mean for q in (0, 1)])
    assert narrow.variances == (pytest.approx(expected),)


def test_widths():
    """From the qubits that are measured on, and those that are trained."""
    circuit = ql.ansatze.hardware_efficient(6, 2)
    assert diagnose(circuit, ql.Z(5)).widths == (6,)
    assert diagnose(circuit, ql.Z(3) @ ql.Z(4)).widths == (5, 6)
    assert diagnose(circuit, [ql.Z(3), ql.Z(5)], n_samples=10).widths == (4, 5, 6)
    late = ql.Circuit(4)
    late.ry(late.weights(1)[0], 3)
    assert diagnose(late, ql.Z(3)).widths == (4,)
    encoded = ql.encoders.angle(4)
    encoded.ry(encoded.weights(1)[0], 0)
    assert diagnose(encoded, ql.Z(0)).light_cone == (1, 1)
    total = ql.Z(0) + ql.Z(1) + ql.Z(2)
    found = diagnose(rx_layer(3), total)
    assert found.shots == pytest.approx(9 / found.variances[-1])  # words that are measured together


def test_the_start_of_a_circuit():
    """-sin(w) at normal angles of deviation 0.1: (1 - exp(-0.02)) / 2 on average, at random ones 1/2."""
    found = diagnose(rx_layer(4), n_samples=1000)
    assert found.start.label == "init='auto' (small)"
    np.testing.assert_allclose(found.squares_at_start, (1 - np.exp(-0.02)) / 2, rtol=0.15)
    np.testing.assert_allclose(found.variances, 0.5, rtol=0.15)
    deep = diagnose(ql.ansatze.strongly_entangling(2, 12), n_samples=10)
    assert deep.start.label == "init='auto' (scaled)"


def test_the_start_of_a_layer():
    """Its own way of drawing; its weights where these were given, on fewer qubits those that are left."""
    uniform = diagnose(ql.nn.QuantumLayer(rx_layer(4), init="uniform"))
    assert uniform.start.label == "init='uniform'"
    np.testing.assert_allclose(uniform.squares_at_start, 0.5, rtol=0.2)
    angles = np.linspace(0.1, 0.8, 8)
    given = diagnose(ql.nn.QuantumLayer(rx_layer(4) + rx_layer(4), init=angles))
    assert given.start.label == "the layer's weights"
    slopes = np.sin(angles[:4] + angles[4:])
    expected = [np.mean(slopes[:width] ** 2) for width in given.widths]
    np.testing.assert_allclose(given.squares_at_start, expected, rtol=1e-5)  # float32


def test_advice_on_the_start():
    """It helps, it does not, or it is the only thing in the way."""
    circuit = ql.ansatze.identity_blocks(6, 3, lambda n: ql.ansatze.strongly_entangling(n, 2))
    turned = ql.Circuit(6)
    for qubit in range(6):
        turned.ry(np.pi / 4, qubit)  # at |0> itself the observable would be stationary
    start = ql.ansatze.identity_weights(turned + circuit, 3, seed=0)
    helped = diagnose(ql.nn.QuantumLayer(turned + circuit, ql.Z(0) @ ql.Z(1), init=start))
    assert helped.squares_at_start[-1] > 2 * helped.variances[-1]
    assert "from the layer's weights their squares are" in helped.advice
    not_helped = diagnose(ql.nn.QuantumLayer(turned + circuit, ql.Z(0) @ ql.Z(1), init="uniform"))
    assert "init='uniform' does not make them larger. Start near the identity" in not_helped.advice
    stationary = ql.Circuit(5)
    for qubit, weight in enumerate(stationary.weights(5)):
        stationary.ry(weight, qubit)
    found = diagnose(stationary, pauli("XXXXX", range(5)), widths=[5])
    # A product of sines: cos^2 and four sin^2 of angles of deviation 0.1.
    assert found.squares_at_start[-1] == pytest.approx(0.01**4, rel=0.5)
    assert "but below 0.001 from init='auto' (small): start with init='uniform'" in found.advice


def test_angles_of_a_deviation_are_called_so():
    text = str(diagnose(rx_layer(3), spread=0.1))
    assert "variance at angles of deviation 0.1" in text
    assert "random angles" not in text


def test_the_spectrum():
    """Of the first observable that depends on an input: here the second one, in the second input."""
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(2), circuit.weights(3)
    circuit.ry(w[0], 0).ry(w[1], 1).rx(x[1], 1).ry(w[2], 1).rx(x[1], 1)
    found = diagnose(circuit)
    assert (found.spectrum.input_index, found.spectrum.observable) == (1, ql.Z(1))
    expected = spectrum(circuit, ql.Z(1), 1)
    np.testing.assert_allclose(found.spectrum.frequencies, [0, 1, 2])
    np.testing.assert_allclose(found.spectrum.sizes, expected.sizes)
    assert "waves of input 1 in Z(1), sizes in brackets: 0 (0." in str(found)
    assert diagnose(rx_layer(2)).spectrum is None
    unlike = ql.Circuit(1)
    (x,), (w,) = unlike.inputs(1), unlike.weights(1)
    unlike.rx(x, 0).ry(w, 0).rx(np.sqrt(2) * x, 0)
    assert diagnose(unlike).spectrum is None  # no unit


def test_directions_and_effective_dimension():
    """Of RY RY on a qubit one direction, and the closed form of two weights that do the same."""
    circuit = ql.Circuit(1)
    first, second = circuit.weights(2)
    circuit.ry(first, 0).ry(second, 0)
    found = diagnose(circuit, n_data=5000)
    kappa = 5000 / (2 * np.pi * np.log(5000))
    assert found.directions == 1
    expected = np.log(1 + 2 * kappa) / np.log(kappa)
    assert found.effective_dimension == pytest.approx(expected)
    line = f"effective dimension for 5000 rows of data: {expected:.1f} of 2 weights ({expected / 2:.0%})"
    assert line in str(found).splitlines()


def test_amplitudes():
    """Inputs of norm 1; of states that are all there is no expressibility is measured."""
    found = diagnose(ql.encoders.amplitude(8) + ql.ansatze.strongly_entangling(3, 2))
    assert found.widths == (3,)
    assert found.expressibility is found.entangling_capability is found.spectrum is None
    assert 0 < found.effective_dimension < 18


def test_the_text():
    """The numbers stand in a table, no line is long, and many observables are shortened."""
    found = diagnose(ql.encoders.angle(6) + ql.ansatze.strongly_entangling(6, 2))
    lines = str(found).splitlines()
    assert max(map(len, lines)) <= 110
    assert lines[0].startswith("6 qubits, 6 inputs, 36 weights; ")
    assert lines[1] == "6 observables on up to 1 qubit: Z(0), Z(1), ..., Z(5)"
    rows = {line.split("  ")[0]: line for line in lines[2:6]}
    start = rows["square from init='auto' (small)"]
    assert all(f"{value:.2e}" in rows["variance at random angles"] for value in found.variances)
    assert all(f"{value:.2e}" in start for value in found.squares_at_start)
    assert f"{found.decay.slope:+.3f}, 95% {found.decay.low:+.3f}" in rows["variance at random angles"]
    long = sum((0.1 * (q + 1) * ql.Z(q) for q in range(1, 6)), start=0.1 * ql.Z(0))
    assert "1 observable on up to 1 qubit: a sum of 6 words" in str(diagnose(rx_layer(6), long, n_samples=10))


def test_wide_circuits():
    """At most twelve qubits are simulated, and nothing that needs states is."""
    found = diagnose(ql.encoders.angle(40) + ql.ansatze.basic_entangler(40, 1), ql.Z(0), n_samples=10)
    assert found.widths[-1] == 12
    assert found.expressibility is found.directions is found.effective_dimension is found.spectrum is None
    assert "on 12 qubits" in found.advice


def brickwork(n: int, n_layers: int) -> ql.Circuit:
    circuit = ql.Circuit(n)
    for layer in circuit.weights(n_layers, n, 2):
        for q in range(n):
            circuit.ry(layer[q][0], q).rz(layer[q][1], q)
        for q in range(n - 1):
            circuit.cz(q, q + 1)
    return circuit


def test_widths_beyond_states():
    """What is measured on one qubit sees three neighbours: the variance is that of a few qubits, whatever the width.

    Means over 400 samples differ by less than five standard errors, but for once in a million seeds.
    """
    found = diagnose(brickwork(50, 2), ql.Z(1), widths=[6, 50], n_samples=400)
    assert found.cut_shares == (0, 0)
    assert found.variances[1] == pytest.approx(found.variances[0], rel=5 * np.sqrt(2 * 2 / 400))
    assert "cut away" not in str(found)


def test_what_a_cut_leaves_out_is_said():
    """Variances of what was followed are at most those of states, and the share cut is about what they lack."""
    circuit, exact = brickwork(10, 4), ql.engines.StatevectorEngine()
    cut = ql.engines.PropagationEngine(max_words=40)
    right, found = (diagnose(circuit, ql.Z(5), widths=[10], n_samples=400, engine=engine) for engine in (exact, cut))
    assert right.cut_shares == (0,)
    assert 0.05 < found.cut_shares[0] < 0.95
    assert 0.2 * right.variances[0] < found.variances[0] < 1.1 * right.variances[0]
    assert found.directions == right.directions  # of states, which such an engine has none of
    assert "was not followed" in found.advice
    with pytest.raises(ql.errors.CircuitError, match="exact values"):
        diagnose(circuit, ql.Z(5), engine=ql.engines.Shots(exact, 100))


def test_a_plot():
    found = diagnose(ql.ansatze.hardware_efficient(5, 2))
    lines = {line.get_label(): line for line in plot_decay(found).get_lines()}
    slope, at_start = found.decay.slope, found.decay_at_start.slope
    np.testing.assert_allclose(lines[f"random angles, slope {slope:+.2f}"].get_ydata(), found.variances)
    np.testing.assert_allclose(lines[f"init='auto' (small), slope {at_start:+.2f}"].get_ydata(), found.squares_at_start)
    halved = lines["random circuits: halved by every qubit"].get_ydata()
    np.testing.assert_allclose(halved, found.variances[0] * 2.0 ** (found.widths[0] - np.array(found.widths)))
    single = diagnose(ql.ansatze.hardware_efficient(5, 2), ql.Z(4))
    with pytest.raises(ql.errors.ConfigError, match="1 widths with a gradient, expected at least 2 to draw a decay"):
        plot_decay(single)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"circuit": ql.encoders.angle(3)}, "has no weights, expected some to train"),
    ({"circuit": "ring"}, "circuit is a str, expected a Circuit or a QuantumLayer"),
    ({"widths": [2, 9]}, "to 9 qubits, expected a circuit"),
    ({"widths": []}, "widths has no number, expected one or more"),
    ({"widths": ["two"]}, "width='two', expected an integer of at least 1"),
    ({"observables": ql.Z(4)}, "acts on qubit 4, the circuit has qubits 0 to 3"),
    ({"observables": []}, "expected one Pauli sum or more"),
    ({"observables": ql.Z(3), "widths": [2, 4]}, r"observables \[Z\(3\)\] have nothing on the first 2 qubits"),
    ({"n_samples": 1}, "n_samples=1, expected an integer of at least 2"),
    ({"spread": 0}, "spread=0, expected a positive number"),
    ({"seed": -1}, "seed=-1, expected an integer of at least 0"),
    ({"n_data": 3}, "n_data=3 at gamma=1 gives kappa 0.435, expected above 1; give more"),
])  # fmt: skip
def test_errors(arguments, message):
    with pytest.raises(ql.errors.CircuitError, match=message):
        diagnose(**{"circuit": ql.ansatze.basic_entangler(4, 1), **arguments})


@pytest.mark.parametrize("n_qubits", [6, 7])
def test_a_local_observable_is_kept_whole(n_qubits):
    """Also where it reaches the last qubit: cut, it would pretend that gradients shrink with qubits."""
    found = diagnose(rx_layer(n_qubits), ql.Z(3) @ ql.Z(4) @ ql.Z(5), n_samples=20)
    assert min(found.widths) == 6
    assert found.decay is None or not found.decay.is_steep
