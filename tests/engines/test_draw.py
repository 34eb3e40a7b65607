"""Outcomes drawn from tables of probabilities: the numbers they are made of, their shares, what is never drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from qloom import _native

KEY = np.array([5, 7], np.uint64)
PLACE = np.array([*KEY, 3], np.uint64)  # of call 3
SEARCHED = 2 * _native.most_counted


def draw(tables: np.ndarray, shots: int, threads: int = 1, place: np.ndarray = PLACE) -> np.ndarray:
    outcomes = np.empty((len(tables), shots), np.int64)
    _native.draw(tables, place, shots, outcomes, threads)
    return outcomes


def numpys(row: int, call: int = 3) -> np.random.Generator:
    """numpy's numbers of the same place; it takes a step before its first block."""
    before = (row << 64) + (call << 128) - 1
    counter = np.array([before >> 64 * k & 2**64 - 1 for k in range(4)], np.uint64)
    return np.random.Generator(np.random.Philox(key=KEY, counter=counter))


@pytest.mark.parametrize("shots", [0, 1, 5, 64, 65, 3000, 40000])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_places_of_a_large_table_are_numpys_and_fall_where_it_finds_them(shots, dtype):
    tables = np.random.default_rng(shots).exponential(size=(3, SEARCHED)).astype(dtype) ** 8  # a few hold nearly all
    drawn = draw(tables, shots)
    for row, table in enumerate(tables):
        ends = np.cumsum(table.astype("f8"))
        places = numpys(row).random(shots)
        np.testing.assert_array_equal(drawn[row], np.searchsorted(ends, places * ends[-1], side="right"))


@pytest.mark.parametrize("n", [2, 256, 512, 4096])
def test_a_table_of_equal_cells_shows_the_words(n):
    """Outcomes are the upper bits of numpy's words: 16 bits each up to 256 outcomes, 32 above."""
    bits = 16 if n <= 256 else 32
    words = numpys(1).bit_generator.random_raw(1000).astype("<u8").view(f"<u{bits // 8}")
    drawn = draw(np.ones((2, n), "f4"), len(words))
    np.testing.assert_array_equal(drawn[1], words >> (bits + 1 - n.bit_length()))


@pytest.mark.parametrize("n", [2, 8, 64, 256, 1024, 4096])
@pytest.mark.parametrize("power", [1, 6])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_shares_are_the_probabilities(n, power, dtype):
    """Chi square of 2 million draws; a right table fails once in 10^6 seeds."""
    table = np.random.default_rng(n + power).exponential(size=(4, n)).astype(dtype) ** power
    counts = np.empty(table.shape)
    _native.count(table, PLACE, 500_000, counts, 1)
    expected = 500_000 * table.astype("f8") / table.astype("f8").sum(axis=1, keepdims=True)
    rare = expected <= 10  # these together, row by row, as far as they are more
    counted, right = (np.hstack([a * ~rare, (a * rare).sum(axis=1, keepdims=True)]) for a in (counts, expected))
    often = right > 10
    total = ((counted - right) ** 2)[often] / right[often]
    assert total.sum() < chi2.isf(1e-6, often.sum() - len(table))
    assert counts.sum(axis=1).tolist() == [500_000] * 4


def test_small_shares_are_not_rounded_to_the_words():
    """1.5 steps of a word of 16 bits: rounding would give 1 or 2. Of 8 million draws 183 are expected; 5.2 deviations
    to either side hold all but one seed in 5 million."""
    share = 1.5 / 2**16
    counts = np.empty((8, 2))
    _native.count(np.array([[1 - share, share]] * 8), PLACE, 1_000_000, counts, 1)
    assert abs(counts[:, 1].sum() - 8e6 * share) < 5.2 * np.sqrt(8e6 * share)


@pytest.mark.parametrize("n", [8, 1024, SEARCHED])
def test_impossible_outcomes_are_never_drawn(n):
    table = np.zeros((1, n), "f4")
    table[0, [1, 4, 5]] = 0.25, 0.5, 0.25
    assert np.unique(draw(table, 100_000)).tolist() == [1, 4, 5]
    table[0, [1, 4]] = 0
    assert (draw(table, 1000) == 5).all()


@pytest.mark.parametrize("n", [2, SEARCHED])
def test_tables_of_nothing_are_refused(n):
    with pytest.raises(ValueError, match="add up to 0, expected 1"):
        draw(np.zeros((3, n), "f4"), 5, threads=2)


@pytest.mark.parametrize("n", [1, 2, 256, 1024, SEARCHED])
def test_neither_threads_nor_other_rows_change_a_row(n):
    tables = np.random.default_rng(n).exponential(size=(40, n))
    whole = draw(tables, 500)
    np.testing.assert_array_equal(draw(tables, 500, threads=3), whole)
    np.testing.assert_array_equal(draw(tables[:7], 500), whole[:7])
    if n > 1:  # the next call and another key have numbers of their own: of 500 draws, most differ
        for change in ([0, 0, 1], [1, 0, 0], [0, 1, 0]):
            assert (draw(tables, 500, place=PLACE + np.array(change, np.uint64)) != whole).mean() > 0.1


@pytest.mark.parametrize("n", [1, 2, 64, 512, 4096])
def test_counts_are_those_of_the_drawn(n):
    tables = np.random.default_rng(n).exponential(size=(5, n))
    counts = np.empty(tables.shape)
    _native.count(tables, PLACE, 777, counts, 2)
    drawn = draw(tables, 777)
    np.testing.assert_array_equal(counts, [np.bincount(row, minlength=n) for row in drawn])


@pytest.mark.parametrize(("tables", "place", "words"), [
    (np.ones((1, 3)), PLACE, "no power of two"),
    (np.ones((1, 4)), PLACE[:2], "a key of two numbers and a call's"),
    (np.ones((1, 4)), PLACE, r"not \(rows, shots\)"),
])  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(tables, place, words):
    with pytest.raises(ValueError, match=words):
        _native.draw(tables, place, 5, np.empty(4, np.int64), 1)
