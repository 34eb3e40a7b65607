"""Pauli words and sums against dense matrices."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.errors import CircuitError
from qloom.observables import (
    I,
    PauliSum,
    Word,
    X,
    Y,
    Z,
    check_fits,
    group_commuting,
    multiply_words,
    pauli,
    word_from_letters,
    word_letters,
    words_commute,
    words_commute_qubitwise,
)
from tests.circuits.dense import word_matrix

N = 3
words = st.tuples(st.integers(0, 2**N - 1), st.integers(0, 2**N - 1))
coefficients = st.floats(-3, 3).filter(lambda c: abs(c) > 1e-3) | st.complex_numbers(
    min_magnitude=1e-3, max_magnitude=3
)
sums = st.dictionaries(words, coefficients, max_size=5).map(PauliSum)
some = settings(max_examples=100, deadline=None)


def letters_of(word: Word) -> str:
    """Letters of a word read off its two masks, bit q for qubit q."""
    return "".join("IXZY"[(word[0] >> q & 1) + 2 * (word[1] >> q & 1)] for q in range(N))


def dense(value: PauliSum) -> np.ndarray:
    total = np.zeros((2**N, 2**N), complex)
    for coefficient, word in value:
        total += coefficient * word_matrix(letters_of(word))
    return total


def commute(a: np.ndarray, b: np.ndarray) -> bool:
    return np.allclose(a @ b, b @ a, atol=1e-9)


class TestWords:
    @some
    @given(words, words)
    def test_product(self, a: Word, b: Word) -> None:
        k, product = multiply_words(a, b)
        expected = word_matrix(letters_of(a)) @ word_matrix(letters_of(b))
        np.testing.assert_allclose(1j**k * word_matrix(letters_of(product)), expected, atol=1e-12)

    @some
    @given(words, words)
    def test_commutation(self, a: Word, b: Word) -> None:
        assert words_commute(a, b) == commute(word_matrix(letters_of(a)), word_matrix(letters_of(b)))

    @some
    @given(words, words)
    def test_commutation_qubit_by_qubit(self, a: Word, b: Word) -> None:
        pairs = zip(letters_of(a), letters_of(b), strict=True)
        assert words_commute_qubitwise(a, b) == all(p == q or "I" in (p, q) for p, q in pairs)

    @some
    @given(words)
    def test_letters_there_and_back(self, word: Word) -> None:
        letters = word_letters(word)
        assert "".join(letters.get(q, "I") for q in range(N)) == letters_of(word)
        assert word_from_letters("".join(letters.values()), list(letters)) == word

    def test_letters_and_qubits_must_match(self) -> None:
        with pytest.raises(CircuitError, match="Pauli word 'XZ' has 2 letters, expected 1, one per qubit"):
            word_from_letters("XZ", (0,))
        with pytest.raises(CircuitError, match="has the letter 'Q', expected I, X, Y or Z"):
            word_from_letters("XQ", (0, 1))


class TestSums:
    @some
    @given(sums, sums)
    def test_plus_minus_and_product(self, a: PauliSum, b: PauliSum) -> None:
        np.testing.assert_allclose(dense(a + b), dense(a) + dense(b), atol=1e-12)
        np.testing.assert_allclose(dense(a - b), dense(a) - dense(b), atol=1e-12)
        np.testing.assert_allclose(dense(a @ b), dense(a) @ dense(b), atol=1e-12)

    @some
    @given(sums, coefficients)
    def test_numbers(self, a: PauliSum, c: complex) -> None:
        one = np.eye(2**N)
        np.testing.assert_allclose(dense(c * a), c * dense(a), atol=1e-12)
        np.testing.assert_allclose(dense(a * c), c * dense(a), atol=1e-12)
        np.testing.assert_allclose(dense(a / c), dense(a) / c, atol=1e-10)
        np.testing.assert_allclose(dense(a + c), dense(a) + c * one, atol=1e-12)
        np.testing.assert_allclose(dense(c - a), c * one - dense(a), atol=1e-12)
        np.testing.assert_allclose(dense(-a), -dense(a), atol=1e-12)

    @some
    @given(st.dictionaries(words, st.floats(-3, 3), max_size=5).map(PauliSum))
    def test_matrix(self, a: PauliSum) -> None:
        np.testing.assert_allclose(a.matrix(N), dense(a), atol=1e-12)
        vectors = np.random.default_rng(0).normal(size=(2**N, 3, 2)) * (1 + 0.5j)
        np.testing.assert_allclose(a.times(vectors), np.tensordot(dense(a), vectors, 1), atol=1e-12)

    @some
    @given(*[st.dictionaries(words, st.integers(-3, 3), max_size=4).map(PauliSum)] * 2)
    def test_commutes(self, a: PauliSum, b: PauliSum) -> None:
        assert a.commutes(b) == commute(dense(a), dense(b))

    def test_rounding_does_not_hide_that_sums_commute(self) -> None:
        a = 0.1 * X(0) + 0.7 * Y(0) + 0.3 * Z(0)
        assert a.commutes(0.3 * a)

    def test_words_by_hand(self) -> None:
        assert X(0) @ Y(0) == 1j * Z(0)
        assert Z(0) @ X(0) == 1j * Y(0)
        assert X(1) @ X(1) == I()
        assert X(0) @ Y(1) == pauli("XY", (0, 1)) == pauli("YX", (1, 0))
        np.testing.assert_array_equal(Z(0).matrix(2), np.diag([1, 1, -1, -1]))
        np.testing.assert_array_equal((Z(0) @ Z(1)).matrix(2), np.diag([1, -1, -1, 1]))

    def test_terms_that_cancel_are_gone(self) -> None:
        assert len(X(0) - X(0)) == 0
        assert X(0) + Z(1) - X(0) == Z(1)
        assert repr(X(0) - X(0)) == "0"

    def test_equality_and_hash(self) -> None:
        assert {X(0) + Z(1), Z(1) + X(0), X(0) + Z(2)} == {X(0) + Z(1), X(0) + Z(2)}
        assert X(0) != "X(0)"
        assert 1.0 * X(0) == X(0)

    def test_sum_of_a_list(self) -> None:
        assert sum([Z(0), Z(1)]) == Z(0) + Z(1)

    def test_qubits_and_hermiticity(self) -> None:
        assert (X(4) @ Z(1) + Y(2)).qubits == (1, 2, 4)
        assert I().qubits == ()
        assert (X(0) @ Z(1)).is_hermitian
        assert not (X(0) @ Y(0)).is_hermitian

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (Z(0) @ Z(1), "Z(0) @ Z(1)"),
            (0.5 * X(2) + Y(0), "0.5 * X(2) + Y(0)"),
            (2 + X(0), "X(0) + 2 * I()"),
            (I(), "I()"),
        ],
    )
    def test_repr_is_what_one_would_type(self, value: PauliSum, text: str) -> None:
        assert repr(value) == text
        assert eval(text, {"I": I, "X": X, "Y": Y, "Z": Z}) == value

    def test_pickle(self) -> None:
        value = 0.5 * X(2) + Z(0) @ Y(1)
        assert pickle.loads(pickle.dumps(value)) == value

    def test_public_names(self) -> None:
        assert (ql.X, ql.Y, ql.Z, ql.I, ql.pauli, ql.PauliSum) == (X, Y, Z, I, pauli, PauliSum)

    @pytest.mark.parametrize("other", ["X", None, [1], X])
    def test_other_operands(self, other: object) -> None:
        for operate in (
            lambda: X(0) + other,
            lambda: X(0) * other,
            lambda: X(0) @ other,
            lambda: X(0) - other,
        ):
            with pytest.raises(TypeError):
                operate()

    def test_product_of_sums_is_at_not_star(self) -> None:
        with pytest.raises(TypeError):
            X(0) * Z(0)
        with pytest.raises(TypeError):
            X(0) @ 2


class TestGrouping:
    @some
    @given(st.lists(words, max_size=12, unique=True), st.booleans())
    def test_groups_commute_and_lose_nothing(self, given_words: list[Word], qubitwise: bool) -> None:
        groups = group_commuting(given_words, qubitwise)
        compatible = words_commute_qubitwise if qubitwise else words_commute
        assert sorted(word for group in groups for word in group) == sorted(given_words)
        assert all(compatible(a, b) for group in groups for a in group for b in group)
        for k, group in enumerate(groups):
            for earlier in groups[:k]:
                assert not all(compatible(group[0], word) for word in earlier)

    def test_by_hand(self) -> None:
        zz, z0, xx, x1 = (next(iter(o))[1] for o in (Z(0) @ Z(1), Z(0), X(0) @ X(1), X(1)))
        assert group_commuting([zz, xx, z0, x1]) == [[zz, z0], [xx, x1]]
        assert group_commuting([zz, xx, z0, x1], qubitwise=False) == [[zz, xx], [z0, x1]]
        assert group_commuting([]) == []


class TestRefusals:
    @pytest.mark.parametrize("qubit", [-1, 0.0, "0", None])
    def test_qubit(self, qubit: object) -> None:
        with pytest.raises(CircuitError, match=r"qubit .* in an observable, expected an integer from 0"):
            Z(qubit)

    def test_repeated_qubit(self) -> None:
        with pytest.raises(CircuitError, match=r"on qubits \(0, 0\) repeats a qubit; multiply with @ instead"):
            pauli("XZ", (0, 0))

    def test_numpy_qubits(self) -> None:
        assert X(np.int64(3)) == X(3)

    @pytest.mark.parametrize(
        ("observable", "message"),
        [
            ("Z(0)", "observable 'Z.0.' is a str, expected a Pauli sum such as Z"),
            (np.eye(2), "is a ndarray, expected a Pauli sum"),
            (1j * X(0), "has a complex coefficient, expected real ones"),
            (Z(0) @ X(5), r"acts on qubit 5, the circuit has qubits 0 to 3"),
            (float("nan") * X(0), "nan"),
            (float("inf") * X(0), "inf"),
        ],
    )
    def test_observable_that_does_not_fit(self, observable: object, message: str) -> None:
        with pytest.raises(CircuitError, match=message):
            check_fits(observable, 4)

    def test_observable_that_fits(self) -> None:
        check_fits(0.5 * X(3) + I(), 4)


def test_long_sums_take_time_in_proportion_to_their_words():
    """10,000 words by sum(), by += and from the right; adding them up word by word took 29 s."""
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 2**20, (10_000, 2)).tolist()
    made = [PauliSum({(x, z): c}) for (x, z), c in zip(masks, rng.normal(size=10_000).tolist(), strict=True)]
    start = time.process_time()
    total, running = sum(made), 0 * I()
    for word in made:
        running += word
        running -= 0.5 * word
    assert time.process_time() - start < 2
    expected: dict[Word, float] = {}
    for one in made:
        for word, c in one.terms.items():
            expected[word] = expected.get(word, 0) + c
    assert total.terms == expected
    assert running.terms == pytest.approx({word: c / 2 for word, c in expected.items()})
    assert pickle.loads(pickle.dumps(sum(made))) == total


@some
@given(st.lists(sums, min_size=1, max_size=6), st.data())
def test_sums_that_are_looked_at_between(parts: list[PauliSum], data: st.DataObject) -> None:
    total = 0 * I()
    for part in parts:
        total = total + part if data.draw(st.booleans()) else part + total
        if data.draw(st.booleans()):
            assert len(total) == len(total.terms)
    np.testing.assert_allclose(dense(total), sum(map(dense, parts)), atol=1e-12)
    assert all(c != 0 for c, _ in total)
