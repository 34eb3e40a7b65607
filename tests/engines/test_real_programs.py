"""Programs whose states are real: half the numbers, and the same results."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.engines import Expectations, FinalState, Probabilities, StatevectorEngine
from qloom.engines.statevector.native_program import prepared
from qloom.gradients import gradient
from qloom.testing import check_differentiator, check_engine
from tests.circuits.strategies import random_values

ENGINE = StatevectorEngine()
SIZES = [(2, 1), (3, 20), (6, 1), (8, 3)]


def dressed(n: int) -> ql.Circuit:
    """H and RY of the inputs, then CX, CZ and RY: two layers, the last words odd and even in Y."""
    circuit = ql.Circuit(n)
    x, w = circuit.inputs(n), circuit.weights(3 * n)
    for q in range(n):
        circuit.h(q).ry(x[q], q)
    for layer in range(3):
        for q in range(n - 1):
            circuit.cx(q, q + 1)
        circuit.cz(n - 1, 0).swap(0, 1).x(1)
        for q in range(n):
            circuit.ry(w[layer * n + q] + 0.2, q)
    return circuit


def from_amplitudes(n: int) -> ql.Circuit:
    circuit = ql.Circuit(n)
    circuit.prepare_amplitudes(circuit.inputs(2**n))
    return circuit + ql.ansatze.hardware_efficient(n, 2, ("ry",), "linear", "cz")


def from_numbers(n: int) -> ql.Circuit:
    circuit, numbers = ql.Circuit(n), np.random.default_rng(n).normal(size=2**n)
    circuit.prepare_amplitudes(numbers / np.linalg.norm(numbers))
    return circuit + ql.ansatze.hardware_efficient(n, 2, ("ry",), "linear")


def words(n: int) -> tuple[ql.PauliSum, ...]:
    return ql.Z(0), ql.X(1) @ ql.Z(0) - 0.5 * ql.Y(0) @ ql.Y(n - 1), ql.Y(1), ql.Z(1) + ql.Y(0) @ ql.Z(1)


def is_real(circuit: ql.Circuit, outputs: object) -> bool:
    return prepared(circuit, outputs)[1].is_real  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [dressed, from_amplitudes, from_numbers])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("n_qubits", "n_samples"), SIZES)
def test_values_are_those_of_the_reference(make, dtype, n_qubits, n_samples):
    circuit = make(n_qubits)
    assert is_real(circuit, Expectations(words(n_qubits)))
    assert is_real(circuit, Probabilities((0, 1)))
    inputs, weights = random_values(circuit, n_samples, seed=n_qubits)
    check_engine(ENGINE, circuit, words(n_qubits), inputs.astype(dtype), weights.astype(dtype))


@pytest.mark.parametrize("make", [dressed, from_amplitudes, from_numbers])
@pytest.mark.parametrize(("n_qubits", "n_samples"), [(2, 5), (4, 1)])  # samples in the lanes, amplitudes
@pytest.mark.parametrize("outputs", ["words", "probabilities", "state"])
def test_gradients_are_those_of_central_differences(make, n_qubits, n_samples, outputs):
    circuit = make(n_qubits)
    inputs, weights = random_values(circuit, n_samples, seed=n_qubits)
    asked = words(n_qubits) if outputs == "words" else outputs
    own = weights + np.random.default_rng(0).normal(size=(n_samples, len(weights)))
    check_differentiator("adjoint", circuit, asked, inputs, own if n_samples == 1 else weights)


def test_words_odd_in_y_are_exactly_zero():
    circuit = dressed(5)
    inputs, weights = random_values(circuit, 9, seed=1)
    odd = [ql.Y(0), ql.Y(1) @ ql.Z(3), ql.Y(0) @ ql.Y(1) @ ql.Y(2)]
    assert not ql.expectation(circuit, odd, inputs, weights).any()
    d_inputs, d_weights = gradient(circuit, odd, inputs, weights)
    assert not d_inputs.any()
    assert not d_weights.any()


@pytest.mark.parametrize("more", ["rz", "rx"])
def test_one_rotation_that_is_not_real_makes_a_program_complex(more):
    circuit = ql.encoders.angle(3) + ql.ansatze.hardware_efficient(3, 1, (more, "ry"), "ring")
    assert not is_real(circuit, FinalState(3))


def test_complex_amplitudes_make_a_program_complex():
    numbers = np.array([0.6, 0.8j])
    assert not is_real(ql.Circuit(1).prepare_amplitudes(numbers), FinalState(1))
    assert is_real(ql.Circuit(1).prepare_amplitudes(abs(numbers)), FinalState(1))


def test_states_of_real_programs_take_half_the_memory():
    def bytes_of(circuit: ql.Circuit) -> int:
        return ENGINE.prepare(circuit, Expectations((ql.Z(0),))).bytes_needed(1, 4, states=1, outputs=0)

    real = ql.encoders.angle(12) + ql.ansatze.hardware_efficient(12, 2, ("ry",), "ring")
    whole = ql.encoders.angle(12) + ql.ansatze.hardware_efficient(12, 2, ("ry", "rx"), "ring")
    assert bytes_of(whole) == 2 * bytes_of(real) == 8 * 2**12


def test_a_large_real_state_is_shared_by_threads_with_the_same_bits():
    """20 qubits, in sweeps; a product state in closed form, entangled and disentangled again."""
    n = 16
    ring = ql.ansatze.hardware_efficient(n, 1, ("ry",), "ring")
    both = ql.encoders.angle(n) + ring
    both.operations += ring.inverse().operations
    inputs = np.random.default_rng(0).uniform(-3, 3, (2, n))
    weights = np.random.default_rng(1).uniform(-3, 3, both.n_weights)
    found = [ql.expectation(both, None, inputs, weights, engine=StatevectorEngine(t)) for t in (1, 2)]
    np.testing.assert_allclose(found[0], np.cos(inputs), atol=1e-12)
    assert found[0].tobytes() == found[1].tobytes()
