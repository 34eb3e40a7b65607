"""Born machines: losses against sums over all outcomes, bars and stripes learnt, trees held exactly."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from sklearn.base import clone

import qloom as ql
from qloom.errors import ConfigError, DataError, ShapeError, UnsupportedError
from qloom.models import QCBM, ChowLiuTree
from qloom.models.generative.qcbm import discrepancy_loss, likelihood_loss, tree_weights
from qloom.models.generative.words import outcomes_of
from qloom.nn import QuantumLayer


def bars_and_stripes(side: int) -> np.ndarray:
    """Every image whose rows, or whose columns, are each of one colour, once."""
    halves = [np.repeat(list(product([0, 1], repeat=side)), side, axis=1)]
    halves.append(np.tile(list(product([0, 1], repeat=side)), side))
    return np.unique(np.concatenate(halves), axis=0).astype(np.uint8)


def shares(bits: np.ndarray) -> np.ndarray:
    return np.bincount(outcomes_of(bits), minlength=1 << bits.shape[1]) / len(bits)


def divergence(bits: np.ndarray, found: np.ndarray) -> float:
    of_rows = shares(bits)
    there = of_rows > 0
    return float(np.sum(of_rows[there] * np.log(of_rows[there] / found[there])))


def correlated(n_rows: int = 300, n: int = 5) -> np.ndarray:
    random = np.random.default_rng(0)
    return (random.normal(size=(n_rows, 2)) @ random.normal(size=(2, n)) + random.normal(size=n) > 0).astype(np.uint8)


def test_bars_and_stripes_are_counted():
    assert [len(bars_and_stripes(side)) for side in (2, 3)] == [6, 14]


@pytest.mark.parametrize("settings", [{}, {"objective": "mmd"}, {"ansatz": "chow_liu", "n_layers": 4}])
def test_bars_and_stripes_of_two_are_learnt(settings):
    bits = bars_and_stripes(2)
    found = QCBM(**settings).fit(bits).probabilities()
    assert divergence(bits, found) < 0.01
    assert found[outcomes_of(bits)].sum() > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"ansatz": "chow_liu", "n_layers": 8}])
def test_bars_and_stripes_of_three_are_learnt_where_a_tree_fails(settings):
    bits = bars_and_stripes(3)
    found, tree = QCBM(**settings).fit(bits).probabilities(), ChowLiuTree(1e-9).fit(bits)
    assert divergence(bits, found) < 0.01
    assert found[outcomes_of(bits)].sum() > 0.99
    assert -tree.score_samples(bits).mean() - np.log(14) > 2


def test_losses_are_sums_over_all_outcomes():
    n, widths = 5, (0.4, 1.5)
    random, bits = np.random.default_rng(1), correlated()
    found, of_rows = random.dirichlet(np.ones(32)), shares(bits)
    differing = np.array([[bin(a ^ b).count("1") for a in range(32)] for b in range(32)])
    kernel = np.mean([np.exp(-differing / (2 * width**2)) for width in widths], axis=0)
    expected = (found - of_rows) @ kernel @ (found - of_rows)
    assert discrepancy_loss(of_rows, widths)(torch.from_numpy(found)).item() == pytest.approx(expected, abs=1e-15)
    likelihood = -np.log(found[outcomes_of(bits)]).mean()
    assert likelihood_loss(of_rows)(torch.from_numpy(found)).item() == pytest.approx(likelihood, abs=1e-9)
    assert likelihood_loss(of_rows)(torch.zeros(32)).item() == pytest.approx(12 * np.log(10), abs=1e-6)  # the floor
    assert n == bits.shape[1]


@pytest.mark.parametrize("make", [likelihood_loss, lambda of_rows: discrepancy_loss(of_rows, [0.7])])
def test_gradients_are_finite_differences(make):
    loss, circuit = make(shares(correlated())), ql.ansatze.edge_entangler(5, [(0, 1), (1, 2), (2, 3), (3, 4)], 2)
    weights = np.random.default_rng(2).normal(size=circuit.n_weights)
    layer = QuantumLayer(circuit, "probabilities", init=weights, dtype=torch.float64)
    loss(layer()).backward()

    def value(moved: np.ndarray) -> float:
        return loss(torch.from_numpy(ql.probabilities(circuit, weights=moved))).item()

    steps = 1e-5 * np.eye(len(weights))
    slopes = [(value(weights + step) - value(weights - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(layer.weights.grad.numpy(), slopes, atol=1e-8)


def test_one_layer_along_the_tree_is_the_tree():
    """It begins with the tree's counts, half a row more of each, and ends with the most likely tree."""
    bits = correlated()
    tree, model = ChowLiuTree(smoothing=1e-9).fit(bits), QCBM(ansatz="chow_liu", n_layers=1, n_restarts=1).fit(bits)
    assert -model.score_samples(bits).mean() == pytest.approx(-tree.score_samples(bits).mean(), abs=1e-6)
    start = tree_weights(model.circuit_, bits, np.zeros(model.circuit_.n_weights))
    edges = {tuple(sorted(op.qubits)) for op in model.circuit_.operations if op.gate.name == "cry"}
    assert edges == {tuple(edge) for edge in tree.edges_.tolist()}
    found, parents = ql.probabilities(model.circuit_, weights=start), tree.parents_
    for outcome, row in enumerate(product([0, 1], repeat=5)):
        expected = 1.0
        for bit, value in enumerate(row):
            like = bits if bit == 0 else bits[bits[:, parents[bit]] == row[parents[bit]]]
            expected *= ((like[:, bit] == value).sum() + 0.5) / (len(like) + 1)
        assert found[outcome] == pytest.approx(expected, abs=1e-14)


def test_more_layers_come_below_the_tree():
    bits = correlated()
    tree = ChowLiuTree(smoothing=1e-9).fit(bits)
    model = QCBM(ansatz="chow_liu", n_layers=3, n_restarts=2, max_steps=200).fit(bits)
    assert -model.score_samples(bits).mean() < -tree.score_samples(bits).mean() - 0.01


def test_a_circuit_of_ones_own():
    circuit = ql.Circuit(2)
    circuit.ry(circuit.weights(1)[0], 0).cx(0, 1)
    bits = np.array([[0, 0], [1, 1], [1, 1], [1, 1]])
    model = QCBM(circuit).fit(bits)
    np.testing.assert_allclose(model.probabilities(), [0.25, 0, 0, 0.75], atol=1e-5)
    np.testing.assert_allclose(model.moments([(0,), (0, 1), ()]), [-0.5, 1, 1], atol=1e-5)
    assert model.loss_ == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75), abs=1e-8)
    drawn = model.sample(1000, random_state=0)
    assert set(map(tuple, drawn.tolist())) == {(0, 0), (1, 1)}
    assert abs(drawn[:, 0].mean() - 0.75) < 6 * 0.0137  # six deviations: false alarms below 1e-8


@pytest.mark.parametrize("ansatz", ["all_pairs", "chow_liu", "hardware_efficient", "strongly_entangling"])
def test_constant_columns_single_bits_and_seeds(ansatz):
    model = QCBM(ansatz=ansatz, n_restarts=1, max_steps=40)
    for bits in ([[0, 1], [0, 1], [0, 0]], [[0], [1], [1]]):
        fitted = clone(model).fit(bits)
        assert np.isfinite(fitted.score_samples(bits)).all()
        np.testing.assert_array_equal(clone(model).fit(bits).weights_, fitted.weights_)
        assert divergence(np.array(bits), fitted.probabilities()) < 1e-4


@pytest.mark.parametrize(
    ("settings", "bits", "error", "message"),
    [
        ({}, [[0, np.nan]], DataError, "X holds nan, expected bits 0 and 1 only"),
        ({}, np.zeros((2, 21)), UnsupportedError, "QCBM was given 21 bits, expected at most 20"),
        ({"ansatz": "tree"}, [[0, 1]], ConfigError, "ansatz='tree', expected one of all_pairs, chow_liu"),
        ({"ansatz": "chow_liu"}, [[0, 1]], DataError, "X has 1 row, expected two or more"),
        ({"objective": "l2"}, [[0, 1]], ConfigError, "objective='l2', expected 'kl' or 'mmd'"),
        ({"objective": "mmd", "widths": 0}, [[0, 1], [1, 1]], ConfigError, "width=0, expected a number above 0"),
        ({"objective": "mmd"}, [[0, 1], [0, 1]], DataError, "expected rows that differ"),
        ({"n_restarts": 0}, [[0, 1]], ConfigError, "n_restarts=0, expected an integer of at least 1"),
        ({"circuit": ql.encoders.angle(2)}, [[0, 1]], ShapeError, "2 qubits, with weights and without inputs"),
        ({"circuit": ql.ansatze.basic_entangler(3, 1)}, [[0, 1]], ShapeError, "expected a Circuit of 2 qubits"),
    ],
)
def test_errors(settings, bits, error, message):
    with pytest.raises(error, match=message):
        QCBM(**settings).fit(bits)
