"""Correlators by transforms are those of words one by one, and so are their derivatives."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import qloom as ql
from qloom.ansatze import strongly_entangling
from qloom.combinatorial.wide import Correlators
from qloom.engines import StatevectorEngine, make_batch
from qloom.errors import ProblemError
from qloom.observables import pauli

CIRCUIT = strongly_entangling(5, n_layers=2)
WORDS = [pauli(letter * 3, qubits) for letter in "XYZ" for qubits in combinations(range(5), 3)]


def chosen(n_words: int) -> list:
    """A third of each letter, the last one the shortest."""
    third = -(-n_words // 3)
    return [word for begin in (0, 10, 20) for word in WORDS[begin : begin + third]][:n_words]


@pytest.mark.parametrize("n_words", [30, 29, 16, 4, 2, 1])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_values_and_derivatives_are_those_of_the_words(n_words, dtype, tolerance):
    random = np.random.default_rng(0)
    weights = random.uniform(-3, 3, (3, CIRCUIT.n_weights))
    cotangents = random.normal(size=(3, n_words))
    values, back = Correlators(CIRCUIT, 3, n_words, dtype)(weights)
    words = StatevectorEngine().prepare(CIRCUIT, chosen(n_words))
    batch = make_batch(CIRCUIT, None, weights)
    expected, kept = words.forward(batch, keep=True)
    np.testing.assert_allclose(values, expected, atol=tolerance)
    _, slopes = words.backward(batch, cotangents, kept, (False, True))
    np.testing.assert_allclose(back(cotangents), slopes, atol=10 * tolerance)


def test_single_qubits_are_those_of_bloch_vectors():
    circuit = ql.Circuit(2).ry(0.3, 0).rx(0.7, 1)
    values, _ = Correlators(circuit, 1, 6)(np.empty((1, 0)))
    expected = [np.sin(0.3), 0, 0, -np.sin(0.7), np.cos(0.3), np.cos(0.7)]
    np.testing.assert_allclose(values[0], expected, atol=1e-12)


@pytest.mark.parametrize("n_words", [0, 31])
def test_more_words_than_there_are_are_refused(n_words):
    with pytest.raises(ProblemError, match=f"{n_words} words of order 3 on 5 qubits, expected from 1 to 30"):
        Correlators(CIRCUIT, 3, n_words)
