"""Polynomials: against their terms written out, as diagonals, observables and with spins substituted."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard

from qloom.combinatorial import Quadratic
from qloom.combinatorial.qaoa import Polynomial
from qloom.combinatorial.qaoa.cost import spins_of
from qloom.combinatorial.qaoa.transform import walsh_hadamard
from qloom.errors import ProblemError

N = 5
SPINS = np.array(list(product((1, -1), repeat=N)))  # basis states in order: bit 0 is spin 1


def random_terms(seed: int, order: int = 4, n: int = N) -> dict[tuple[int, ...], float]:
    """With repeated indices, orders from 0."""
    random = np.random.default_rng(seed)
    return {
        tuple(map(int, random.integers(0, n, size=size))): float(random.normal())
        for size in random.integers(0, order + 1, size=12)
    }


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["spin", "binary"]))
def test_every_form_is_the_terms_written_out(seed, kind):
    terms = random_terms(seed)
    states = SPINS if kind == "spin" else (SPINS + 1) // 2
    expected = [sum(value * prod(x[i] for i in term) for term, value in terms.items()) for x in states]
    cost = Polynomial.from_terms(N, terms, kind)
    np.testing.assert_allclose(cost.energies(SPINS), expected, atol=1e-12)
    np.testing.assert_allclose(cost.diagonal(), expected, atol=1e-12)
    np.testing.assert_allclose(np.diag(cost.observable().matrix(N)), expected, atol=1e-12)
    assert cost.energies(SPINS[3]) == pytest.approx(expected[3])


@pytest.mark.parametrize("kind", ["spin", "binary"])
def test_quadratic_functions_are_polynomials(kind):
    random = np.random.default_rng(0)
    function = Quadratic.from_matrix(random.normal(size=(N, N)), kind, random.normal(size=N), 0.3)
    states = SPINS if kind == "spin" else (SPINS + 1) // 2
    np.testing.assert_allclose(Polynomial.from_quadratic(function).diagonal(), function.energies(states), atol=1e-12)


def test_basis_states_have_the_leftmost_bit_first_and_spin_one_for_bit_zero():
    assert spins_of([0, 1, 2**4], 5).tolist() == [[1] * 5, [1, 1, 1, 1, -1], [-1, 1, 1, 1, 1]]


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), sign=st.sampled_from([1, -1]), other=st.sampled_from([None, 0, 4]))
def test_a_substituted_spin_is_gone(seed, sign, other):
    cost = Polynomial.from_terms(N, random_terms(seed))
    rest = cost.substitute(2, sign, other)
    assert not any(2 in term for term in rest.terms)
    held = SPINS[SPINS[:, 2] == (sign if other is None else sign * SPINS[:, other])]
    np.testing.assert_allclose(rest.energies(held), cost.energies(held), atol=1e-12)
    left = [4, 0, 3, 1]
    np.testing.assert_allclose(rest.on(left).energies(held[:, left]), cost.energies(held), atol=1e-12)


@pytest.mark.parametrize("n_bits", [0, 1, 2, 5, 8])
def test_walsh_hadamard_is_the_product_with_hadamards_matrix(n_bits):
    random = np.random.default_rng(n_bits)
    values = random.normal(size=2**n_bits) + 1j * random.normal(size=2**n_bits)
    expected = hadamard(2**n_bits) @ values
    np.testing.assert_allclose(walsh_hadamard(values), expected, atol=1e-12)
    np.testing.assert_allclose(walsh_hadamard(values.real), expected.real, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Polynomial.from_terms(2, {(0, 2): 1.0}),
            r"term \(0, 2\): 1.0, expected a tuple of indices",
        ),
        (lambda: Polynomial.from_terms(2, {0: 1.0}), "term 0: 1.0, expected a tuple of indices"),
        (lambda: Polynomial.from_terms(2, {(1,): 1.0}).on([0]), r"terms hold spins \[1\] too"),
        (lambda: Polynomial.from_terms(2, {(0, 1): np.nan}), r"the value of term \(0, 1\) holds NaN"),
        (lambda: Polynomial.from_terms(2, {}, "trit"), "kind='trit', expected 'binary' or 'spin'"),
        (lambda: Polynomial.from_terms(2, {}).energies([0, 1]), r"expected \(B, 2\) or \(2,\) of -1 and 1"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()
