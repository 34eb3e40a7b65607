"""Pulling back, against dense matrices, and a small simulator of words that needs nothing else."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.observables import PauliSum, multiply_words, words_commute
from qloom.programs import SOURCES, effective, flat_gates, make_frame, pull_back, pull_back_sums
from qloom.programs.masks import unpack
from tests.circuits.dense import circuit_matrix
from tests.circuits.strategies import circuits, random_values


def words_of(part):
    return list(zip(unpack(part.x), unpack(part.z), strict=True))


def angles_of(rotations, inputs, weights):
    """Radians of each rotation at one sample."""
    slots = {"number": np.zeros(1), "input": inputs, "weight": weights}
    taken = [slots[SOURCES[s]][i] for s, i in zip(rotations.source, rotations.index, strict=True)]
    return rotations.scale * np.array(taken) + rotations.offset


def turned(rotations, word, inputs, weights, n_qubits):
    """R^dagger P R, dense, with R the rotations first to last."""
    total = np.eye(2**n_qubits, dtype=complex)
    for about, angle in zip(words_of(rotations), angles_of(rotations, inputs, weights), strict=True):
        generator = PauliSum({about: 1.0}).matrix(n_qubits)
        total = (np.cos(angle / 2) * np.eye(2**n_qubits) - 1j * np.sin(angle / 2) * generator) @ total
    return total.conj().T @ PauliSum({word: 1.0}).matrix(n_qubits) @ total


@settings(max_examples=40, deadline=None)
@given(circuits(max_qubits=3), st.booleans(), st.integers(0, 2**32 - 1))
def test_words_behind_the_circuit_are_words_before_it(circuit, monomial, seed):
    """U^dagger W U of the gates' matrices is R^dagger (+-P) R of what is pulled back."""
    n, random = circuit.n_qubits, np.random.default_rng(seed)
    inputs, weights = random_values(circuit, 1, seed)
    words = [tuple(int(mask) for mask in random.integers(2**n, size=2)) for _ in range(3)]
    rotations, terms = pull_back(circuit, words, make_frame(n, monomial))
    unitary = circuit_matrix(circuit, inputs[0], weights)
    np.testing.assert_array_equal(terms.output, range(3))
    for word, sign, pulled in zip(words, terms.coefficient, words_of(terms), strict=True):
        expected = unitary.conj().T @ PauliSum({word: 1.0}).matrix(n) @ unitary
        np.testing.assert_allclose(sign * turned(rotations, pulled, inputs[0], weights, n), expected, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(circuits(max_qubits=3))
def test_flat_gates_are_pulled_back_as_often_as_wanted(circuit):
    gates = flat_gates(circuit)
    for monomial in (False, True):
        both = [pull_back(one, [(1, 0)], make_frame(circuit.n_qubits, monomial)) for one in (circuit, gates)]
        for name in ("x", "z", "source", "index", "scale", "offset"):
            np.testing.assert_array_equal(getattr(both[0][0], name), getattr(both[1][0], name))


def propagated(circuit, observables, inputs, weights):
    """Expectation values from words alone: what a propagation engine does, without cutting anything off."""
    rotations, terms = pull_back_sums(circuit, observables, make_frame(circuit.n_qubits, monomial=False))
    rotations = effective(circuit, rotations, terms)
    values, turns = np.zeros(len(observables)), angles_of(rotations, inputs, weights)
    for coefficient, start, output in zip(terms.coefficient, words_of(terms), terms.output, strict=True):
        found = {start: coefficient}
        for about, angle in reversed(list(zip(words_of(rotations), turns, strict=True))):
            after: dict = defaultdict(float)
            for word, factor in found.items():
                if words_commute(word, about):
                    after[word] += factor
                else:  # exp(iaP/2) Q exp(-iaP/2) = cos a Q + i sin a P Q
                    k, product = multiply_words(about, word)
                    after[word] += np.cos(angle) * factor
                    after[product] += (1j ** (k + 1)).real * np.sin(angle) * factor
            found = after
        values[output] += sum(factor for (x, _), factor in found.items() if x == 0)  # <0|P|0>
    return values


@pytest.mark.parametrize("seed", range(3))
def test_enough_for_a_simulator_of_words(seed):
    random = np.random.default_rng(seed)
    circuit = ql.encoders.angle(4) + ql.ansatze.strongly_entangling(4, 2)
    circuit.h(1).iswap(0, 2).crx(circuit.weights(1)[0], 3, 1)
    observables = [ql.Z(0) @ ql.X(2) - 0.5 * ql.Y(3), 0.25 * ql.Z(1) + 2]
    inputs, weights = random.normal(size=4), random.normal(size=circuit.n_weights)
    truth = ql.expectation(circuit, observables, inputs, weights, engine=ql.engines.ReferenceEngine())
    np.testing.assert_allclose(propagated(circuit, observables, inputs, weights), truth, atol=1e-12)


def test_wide_registers_are_pulled_back_too():
    """The truth is in cos and sin: RY(a) then CNOTs along 100 qubits make Z of the last one Z of the first."""
    circuit = ql.Circuit(100)
    circuit.ry(circuit.weights(1)[0], 0)
    for q in range(99):
        circuit.cx(q, q + 1)
    rotations, terms = pull_back(circuit, [(0, 1 << 99)], make_frame(100, monomial=True))
    assert words_of(rotations) == [(1, 1)]
    assert words_of(terms) == [(0, 2**100 - 1)]
    np.testing.assert_allclose(propagated(circuit, [ql.Z(99)], [], [0.7]), [np.cos(0.7)], atol=1e-15)
