"""The polynomial of a circuit is the circuit; the truth is the reference engine."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom import ansatze, encoders
from qloom.engines import ReferenceEngine, StatevectorEngine
from qloom.errors import UnsupportedError
from qloom.observables import X, Y, Z
from qloom.portable.propagated import propagated
from qloom.portable.steps import CircuitStep
from qloom.portable.trigonometric import MOST_COEFFICIENTS, exact_polynomial, n_coefficients, waves_of

# Factors of inputs with a common unit; the last one of a controlled rotation is halved.
FACTORS = (1.0, 2.0, -1.0, 0.5, np.pi)


def random_circuit(rng: np.random.Generator, factors: tuple[float, ...] = FACTORS[:4]) -> ql.Circuit:
    """Two to four qubits, inputs anywhere and more than once, offsets, controlled and two-qubit rotations."""
    n = int(rng.integers(2, 5))
    circuit = ql.Circuit(n)
    x, w = circuit.inputs(3), circuit.weights(12)
    for k in range(12):
        a, b = map(int, rng.choice(n, 2, replace=False))
        angle = rng.choice(factors) * x[rng.integers(3)] + rng.normal() if k % 3 == 0 else w[k]
        gate = rng.choice(["rx", "ry", "rz", "cry", "rzz", "rxx"] if k % 3 == 0 else ["rx", "ry", "rz", "rzz"])
        circuit.append(str(gate), (angle,), (a, b) if len(gate) == 3 else (a,))
        circuit.append(str(rng.choice(["h", "s", "t"])), (), (b,)).cx(a, b)
    return circuit


def random_step(rng: np.random.Generator, **options) -> CircuitStep:
    circuit = random_circuit(rng, **options)
    observables = [Z(0), X(1) @ Z(0), 0.5 * Y(1) - 2 * Z(0) @ Z(1)]
    return CircuitStep(circuit, observables, rng.normal(size=12), ReferenceEngine())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "make", [lambda s: exact_polynomial(s)[0], lambda s: propagated(s, 0)[0]], ids=["grid", "words"]
)
def test_polynomial_is_the_circuit(make, seed):
    rng = np.random.default_rng(seed)
    step = random_step(rng)
    x = rng.uniform(-7, 7, (20, 3))
    np.testing.assert_allclose(make(step).values(x), step.values(x), atol=1e-10)


def test_any_unit_will_do():
    rng = np.random.default_rng(0)
    step = random_step(rng, factors=(np.pi, 2 * np.pi))
    x = rng.uniform(-3, 3, (20, 3))
    np.testing.assert_allclose(exact_polynomial(step)[0].values(x), step.values(x), atol=1e-10)


def test_frequencies_are_those_of_the_gates():
    circuit = ql.Circuit(3)
    x = circuit.inputs(3)
    circuit.ry(x[0], 0).ry(2 * x[1], 1).cry(x[1], 0, 1).rx(x[2], 2)
    assert [(w.input, w.unit, w.degree) for w in waves_of(circuit, Z(0))] == [
        (0, 1.0, 1)
    ]  # the control's own light cone
    assert [(w.input, w.unit, w.degree) for w in waves_of(circuit, Z(1))] == [(0, 1.0, 1), (1, 0.5, 6)]


def test_angle_encoding_of_a_table_model_has_three_to_the_qubits():
    circuit = encoders.angle(5) + ansatze.strongly_entangling(5, 2)
    assert n_coefficients(circuit, [Z(q) for q in range(5)]) == 5 * 3**5
    # Without entangling gates each value looks at one input.
    assert n_coefficients(circuit.without_entanglers(), [Z(q) for q in range(5)]) == 5 * 3


def test_what_is_too_large_is_refused_with_its_size():
    circuit = encoders.angle(16) + ansatze.strongly_entangling(16, 2)
    step = CircuitStep(circuit, [Z(0)], np.ones(circuit.n_weights), StatevectorEngine())
    assert MOST_COEFFICIENTS < 3**16
    with pytest.raises(
        UnsupportedError, match=r"has 4.3e\+07 coefficients, expected at most 16,000,000; give cut=1e-3"
    ):
        exact_polynomial(step)


def test_factors_without_a_common_unit_are_refused():
    circuit = ql.Circuit(1)
    x = circuit.inputs(1)[0]
    circuit.ry(x, 0).rx(np.sqrt(2) * x, 0)
    step = CircuitStep(circuit, [Z(0)], np.zeros(0), ReferenceEngine())
    with pytest.raises(
        UnsupportedError, match=r"input 0 turns by factors 1, 1.41421, expected multiples of one number"
    ):
        exact_polynomial(step)
    values = np.linspace(-3, 3, 9)[:, None]
    np.testing.assert_allclose(propagated(step, 0)[0].values(values), step.values(values), atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("cut", [1e-3, 0.03, 0.2])
def test_dropped_words_stay_within_their_bound(seed, cut):
    """The sum of dropped coefficients; the engine's own evaluations of the circuit are exact."""
    rng = np.random.default_rng(seed)
    circuit = encoders.angle(6) + ansatze.strongly_entangling(6, 2)
    step = CircuitStep(circuit, [Z(0), Z(1) @ Z(2)], 0.7 * rng.normal(size=circuit.n_weights), StatevectorEngine())
    found, dropped = propagated(step, cut)
    x = rng.uniform(-np.pi, np.pi, (200, 6))
    away = np.abs(found.values(x) - step.values(x)).max(axis=0)
    assert (away <= dropped + 1e-12).all()
    assert (dropped > 0).all()  # something was cut


def test_words_without_end_are_refused(monkeypatch):
    monkeypatch.setattr("qloom.portable.propagated.MOST_WORDS", 50)
    circuit = encoders.angle(6) + ansatze.strongly_entangling(6, 3)
    step = CircuitStep(circuit, [Z(0)], np.ones(circuit.n_weights), StatevectorEngine())
    with pytest.raises(UnsupportedError, match=r"becomes more than 50 words, \d+ of \d+ rotations before the start"):
        propagated(step, 0.0)
