"""Pauli-correlation encoding: the loss as published, small optima, wide functions, limits."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest

import qloom as ql
from qloom.combinatorial import Quadratic
from qloom.combinatorial.solvers import descend
from qloom.combinatorial.wide import PauliCorrelation, brickwork
from qloom.errors import ProblemError
from qloom.observables import pauli


def random_quadratic(seed: int, n: int, kind: str = "spin", density: float = 1.0) -> Quadratic:
    random = np.random.default_rng(seed)
    pairs = np.triu(random.normal(size=(n, n)) * (random.random((n, n)) < density), 1)
    return Quadratic.from_matrix(pairs, kind, random.normal(size=n), 0.3)


def quick(**options) -> PauliCorrelation:
    return PauliCorrelation(**{"n_steps": 30} | options)


def test_the_loss_is_the_published_one():
    """Sciorilli et al. 2025, eqs. (2) and (3), written out; fields by the means themselves."""
    spins = random_quadratic(0, 17)
    solver = PauliCorrelation(5, 2, 4, steepness=1.3, regularization=0.7, dtype=np.float64)
    weights = np.random.default_rng(1).uniform(-3, 3, (2, solver.circuit(17).n_weights))
    losses, _, found = solver.loss(spins)[1](weights)
    words = [pauli(letter * 2, pair) for letter in "XYZ" for pair in list(combinations(range(5), 2))[:6]][:17]
    np.testing.assert_allclose(found, ql.expectation(solver.circuit(17), words, weights=weights), atol=1e-12)
    field = np.sqrt((spins.linear**2).mean() + 2 * (spins.values**2).sum() / 17)
    for loss, row in zip(losses, found, strict=True):
        t = np.tanh(1.3 * 2**2.5 * row)
        energy = sum(v * t[i] * t[j] for i, j, v in zip(spins.first, spins.second, spins.values, strict=True))
        energy += spins.linear @ t + spins.constant
        assert loss == pytest.approx(energy + 0.7 * 17 * field * (t**2).mean() ** 2)


def test_gradients_are_central_differences():
    spins = random_quadratic(1, 13, density=0.3)
    n_weights, evaluate = PauliCorrelation(4, 2, 3, dtype=np.float64).loss(spins)
    point = np.random.default_rng(2).uniform(-3, 3, n_weights)
    steps = 1e-5 * np.eye(n_weights)
    difference = (evaluate(point + steps)[0] - evaluate(point - steps)[0]) / 2e-5
    np.testing.assert_allclose(evaluate(point[None])[1][0], difference, atol=1e-6)


def test_layers_are_a_brickwork():
    counts = brickwork(5, 6).gate_counts()
    assert (counts["rx"], counts["ry"], counts["rz"], counts["rxx"]) == (10, 10, 10, 12)
    pairs = [operation.qubits for operation in brickwork(5, 2).operations if operation.gate.name == "rxx"]
    assert pairs == [(0, 1), (2, 3), (1, 2), (3, 4)]


@pytest.mark.parametrize(("n_variables", "order", "n_qubits"), [(800, 3, 13), (2000, 3, 17), (800, 2, 24), (7, 4, 5)])
def test_the_fewest_qubits_with_enough_correlators_are_taken(n_variables, order, n_qubits):
    assert PauliCorrelation(order=order).qubits(n_variables) == n_qubits
    assert 3 * comb(n_qubits - 1, order) < n_variables <= 3 * comb(n_qubits, order)


def test_weights_are_two_a_variable():
    for n_variables in (100, 800):
        assert PauliCorrelation().circuit(n_variables).n_weights == pytest.approx(2 * n_variables, rel=0.1)


@pytest.mark.parametrize("kind", ["spin", "binary"])
@pytest.mark.parametrize("options", [{}, {"order": 2}, {"n_qubits": 6, "n_layers": 4}, {"dtype": np.float64}])
def test_small_functions_are_solved(kind, options):
    function = random_quadratic(3, 12, kind)
    lowest = function.energies(np.array(list(product((-1, 1) if kind == "spin" else (0, 1), repeat=12)))).min()
    found = quick(**options).minimize(function, time_limit=10, target=lowest + 1e-9, seed=0)
    assert found.energy == pytest.approx(lowest)
    assert function.energies(found.state) == pytest.approx(found.energy)


@pytest.mark.parametrize("n", [1, 2, 3, 40])
@pytest.mark.parametrize("density", [0.0, 0.3])
def test_rounds_are_states_that_no_flip_improves_whatever_the_threads(n, density):
    spins = random_quadratic(n, n, density=density)
    streams = [quick(threads=threads).rounds(spins, np.random.default_rng(0)) for threads in (1, 2)]
    for _ in range(6):
        (states, energies), (others, _) = (next(stream) for stream in streams)
        np.testing.assert_array_equal(states, others)
        assert states.dtype == np.int8
        np.testing.assert_allclose(spins.energies(states), energies, atol=1e-9)
        np.testing.assert_allclose(descend(spins, states, pairs=False)[1], energies, atol=1e-3)


def test_signs_are_better_states_to_descend_from_than_random_ones():
    """A graph of 200 nodes with 3 neighbours each: four
    descents' last signs against the best of 100 random states. The seed is fixed."""
    random = np.random.default_rng(0)
    nodes = np.concatenate([random.permutation(200) for _ in range(3)])
    spins = Quadratic.from_pairs("spin", nodes, np.roll(nodes, 1), np.ones(600), np.zeros(200))
    rounds = PauliCorrelation(n_steps=150).rounds(spins, random)
    # Signs are read out at steps 1, 10, 20 to 150.
    last = [energies[0] for k, (_, energies) in zip(range(64), rounds, strict=False) if k % 16 == 15]
    _, others = descend(spins, random.choice([-1, 1], (100, 200)), pairs=False)
    assert max(last) < others.min()


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: PauliCorrelation(order=0), "order=0, expected an integer from 1"),
        (lambda: PauliCorrelation(n_layers=0), "n_layers=0"),
        (lambda: PauliCorrelation(rate=0.0), "rate=0.0"),
        (lambda: PauliCorrelation(25), "n_qubits=25, order=5, expected order <= n_qubits <= 24"),
        (lambda: PauliCorrelation(3), "n_qubits=3, order=5, expected order <= n_qubits"),
        (lambda: PauliCorrelation(dtype=np.int8), "expected float64 or float32"),
        (
            lambda: PauliCorrelation(6, 2).minimize(random_quadratic(0, 46)),
            "46 variables, expected at most 45, the",
        ),
        (lambda: PauliCorrelation(order=1).qubits(73), "73 variables, expected at most 72"),
    ],
)
def test_bad_input_is_refused(run, message):
    with pytest.raises(ProblemError, match=message):
        run()
