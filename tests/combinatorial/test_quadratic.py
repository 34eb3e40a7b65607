"""Quadratic functions: against dense matrices, both kinds of variables, parts of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qloom.combinatorial import Quadratic
from qloom.errors import ProblemError


def random_quadratic(seed: int, n: int = 6, kind: str = "binary", density: float = 0.6) -> tuple[Quadratic, np.ndarray]:
    """And all its states."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(n, n)) * (random.random((n, n)) < density)
    states = np.array(list(product((0, 1) if kind == "binary" else (-1, 1), repeat=n)))
    return Quadratic.from_matrix(matrix, kind, random.normal(size=n), 0.7), states


@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["binary", "spin"]))
def test_it_is_the_matrix_it_was_made_from(seed, kind):
    random = np.random.default_rng(seed)
    matrix, linear = random.normal(size=(5, 5)), random.normal(size=5)
    function = Quadratic.from_matrix(matrix, kind, linear, 2.0)
    x = np.array(list(product((0, 1) if kind == "binary" else (-1, 1), repeat=5)))
    expected = np.einsum("bi,ij,bj->b", x, matrix, x) + x @ linear + 2.0
    np.testing.assert_allclose(function.energies(x), expected, atol=1e-12)
    assert function.energies(x[3]) == pytest.approx(expected[3])


@given(seed=st.integers(0, 10**6))
def test_both_kinds_are_one_function(seed):
    function, x = random_quadratic(seed)
    spins = function.as_spins()
    np.testing.assert_allclose(spins.energies(2 * x - 1), function.energies(x), atol=1e-12)
    np.testing.assert_allclose(spins.as_binary().energies(x), function.energies(x), atol=1e-12)


@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["binary", "spin"]), n_fixed=st.integers(0, 6))
def test_fixed_variables_leave_the_function_of_the_others(seed, kind, n_fixed):
    function, states = random_quadratic(seed, kind=kind)
    chosen = np.random.default_rng(seed).permutation(6)[:n_fixed]
    fixed = {int(i): int(states[seed % len(states)][i]) for i in chosen}
    rest, kept = function.fix(fixed)
    matching = states[[all(x[i] == v for i, v in fixed.items()) for x in states]]
    np.testing.assert_allclose(rest.energies(matching[:, kept]), function.energies(matching), atol=1e-12)


@given(seed=st.integers(0, 10**6))
def test_components_share_no_pair_and_add_up(seed):
    function, states = random_quadratic(seed, n=8, density=0.1)
    parts = function.components()
    assert sorted(np.concatenate(parts)) == list(range(8))
    label = {i: k for k, part in enumerate(parts) for i in part}
    assert all(label[i] == label[j] for i, j in zip(function.first, function.second, strict=True))
    reached = {0}
    while more := {
        int(b) for i, j in zip(function.first, function.second, strict=True) for a, b in ((i, j), (j, i))
        if a in reached and b not in reached
    }:  # fmt: skip
        reached |= more
    assert set(parts[label[0]]) == reached
    lowest = 0.0
    for part in parts:
        rest, _ = function.fix({int(i): 0 for i in range(8) if i not in part})
        lowest += rest.energies(np.array(list(product((0, 1), repeat=len(part))))).min() - function.constant
    assert lowest + function.constant == pytest.approx(function.energies(states).min())


def test_couplings_are_rows_of_the_symmetric_matrix():
    function, _ = random_quadratic(1)
    starts, neighbours, values = function.couplings
    dense = np.zeros((6, 6))
    for i in range(6):
        dense[i, neighbours[starts[i] : starts[i + 1]]] = values[starts[i] : starts[i + 1]]
    np.testing.assert_allclose(dense, 2 * function.matrix())


def test_pairs_that_cancel_are_gone():
    function = Quadratic.from_pairs("spin", [0, 1, 2], [1, 0, 2], [1.5, -1.5, 3.0], np.zeros(3))
    assert len(function.values) == 0
    assert function.constant == 3.0  # s s = 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quadratic.from_matrix(np.zeros((2, 3))), r"matrix has shape \(2, 3\), expected \(N, N\)"),
        (lambda: Quadratic.from_matrix([[0, np.nan], [0, 0]]), "matrix holds NaN or infinity"),
        (lambda: Quadratic.from_matrix([[0, 1e300], [0, 0]]), "matrix holds numbers above 1e.30 in size"),
        (lambda: Quadratic.from_matrix([["a"]]), "expected real numbers"),
        (lambda: Quadratic.from_pairs("trit", [0], [1], [1.0], [0, 0]), "kind='trit', expected 'binary' or 'spin'"),
        (lambda: Quadratic.from_pairs("spin", [0], [2], [1.0], [0, 0]), "indices from 0 to 2, expected integers"),
        (lambda: Quadratic.from_pairs("spin", [0], [1, 1], [1.0], [0, 0]), "expected three times"),
        (lambda: random_quadratic(0)[0].energies([2] * 6), "other numbers than 0 and 1, expected binary variables"),
        (lambda: random_quadratic(0)[0].energies([1] * 5), r"states has shape \(5,\), expected \(B, 6\)"),
        (lambda: random_quadratic(0)[0].fix({7: 1}), "indices from 7 to 7"),
        (lambda: random_quadratic(0)[0].fix({1: -1}), r"fixed=\{1: -1\}, expected numbers \(0, 1\)"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()
