"""Words that circuits make of observables: counted in dense matrices."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import qloom as ql
from qloom.errors import CircuitError
from qloom.observables import pauli
from qloom.trainability import generators, lie_closure, reached_words


def unitary(circuit: ql.Circuit, weights: np.ndarray) -> np.ndarray:
    """Dense, from the images of all basis states."""
    size, columns = 2**circuit.n_qubits, []
    for basis in np.eye(size):
        start = ql.Circuit(circuit.n_qubits).prepare_amplitudes(basis)
        columns.append(ql.state(start + circuit, weights=weights, engine=ql.engines.ReferenceEngine()))
    return np.array(columns).T


@pytest.mark.parametrize("seed", range(4))
def test_equals_dense_words(seed):
    """Angles of their own make paths of their own, so that nothing cancels and every word is there."""
    random, circuit = np.random.default_rng(seed), ql.Circuit(3)
    for weight in circuit.weights(6):
        qubits = [int(q) for q in random.permutation(3)]
        circuit.append(("h", "s", "x")[random.integers(3)], (), qubits[:1]).cx(*qubits[:2])
        letters = "".join(random.choice(list("XYZ"), random.integers(1, 4)))
        circuit.pauli_rotation(weight, letters, qubits[: len(letters)])
    observable = ql.Z(0) @ ql.X(1) + 0.5 * ql.Y(2)
    u = unitary(circuit, random.uniform(0.3, 1.2, 6))
    turned = u.conj().T @ observable.matrix(3) @ u
    words = [pauli("".join(letters), range(3)).matrix(3) for letters in product("IXYZ", repeat=3)]
    count = sum(abs(np.trace(word @ turned)) > 1e-9 for word in words)
    assert count > 2
    assert reached_words(circuit, observable) == (count, True)


@pytest.mark.parametrize("n_phases", [1, 3, 8])
def test_many_words_of_a_small_algebra(n_phases):
    """Independent phases commute, so their algebra is they; a word of all X gets every product of them: 2^k words."""
    n = 8
    circuit = ql.Circuit(n)
    for qubit, weight in enumerate(circuit.weights(n_phases)):
        circuit.rz(weight, qubit)
    everywhere = pauli("X" * n, range(n))
    assert lie_closure(generators(circuit)) == ({(0, 1 << q) for q in range(n_phases)}, True)
    assert reached_words(circuit, everywhere) == (2**n_phases, True)
    assert reached_words(circuit, everywhere, most=4) == (min(2**n_phases, 4), n_phases < 3)


def test_few_words_of_free_fermions():
    """A bond of the Ising chain is in the algebra of the chain, so(2 n), and does not leave it."""
    n, layers = 6, 8
    circuit = ql.Circuit(n)
    for _ in range(layers):
        for qubit, weight in enumerate(circuit.weights(n - 1)):
            circuit.rzz(weight, qubit, qubit + 1)
        for qubit, weight in enumerate(circuit.weights(n)):
            circuit.rx(weight, qubit)
    count, complete = reached_words(circuit, ql.Z(2) @ ql.Z(3))
    assert complete
    assert n < count <= n * (2 * n - 1)
    assert reached_words(circuit, ql.Y(0) @ ql.X(2) @ ql.Y(4))[0] > n * (2 * n - 1)


def test_clifford_gates_and_light_cones():
    assert reached_words(ql.Circuit(3).h(0).cx(0, 1).s(1).cx(1, 2), ql.Z(2)) == (1, True)
    far = ql.Circuit(40)
    for qubit, weight in enumerate(far.weights(40)):
        far.rx(weight, qubit)
    assert reached_words(far, ql.Z(3)) == (2, True)
    assert reached_words(far, ql.I()) == (0, True)


def test_bad_input_is_refused():
    circuit = ql.ansatze.basic_entangler(3, 1)
    with pytest.raises(CircuitError, match="qubit"):
        reached_words(circuit, ql.Z(5))
    with pytest.raises(CircuitError, match="observable 'Z' is a str, expected a Pauli sum"):
        reached_words(circuit, "Z")
