"""The Chow-Liu tree: a tree that made the rows is found again; no other tree is more likely."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from qloom.errors import DataError
from qloom.models import ChowLiuTree, IndependentBits
from qloom.models.generative import chow_liu_edges
from qloom.models.generative.chow_liu import mutual_information

PARENTS = (-1, 0, 0, 1, 3, 3, 2, 6)


def rows_of_a_tree(n_rows: int, parents: tuple[int, ...], flipped: float, seed: int) -> np.ndarray:
    """A fair first bit; each other one is its parent's, flipped with a probability."""
    generator = np.random.default_rng(seed)
    rows = np.empty((n_rows, len(parents)), np.uint8)
    rows[:, 0] = generator.random(n_rows) < 0.5
    for bit, parent in enumerate(parents[1:], 1):
        rows[:, bit] = rows[:, parent] ^ (generator.random(n_rows) < flipped)
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_the_tree_that_made_the_rows_is_found(seed):
    """Edges tell .193 nats, pairs two edges apart .066. False alarms below 1e-8: by Hoeffding's bound, of 20,000 rows
    the shares of all cells of all 28 pairs are within .025 of the truth but for one in 1e8, which brings the two
    numbers together by less than .11."""
    rows = rows_of_a_tree(20_000, PARENTS, 0.2, seed)
    mixed = np.random.default_rng(seed).permutation(8)
    place = np.argsort(mixed)
    expected = sorted(tuple(sorted((place[bit], place[parent]))) for bit, parent in enumerate(PARENTS) if parent >= 0)
    edges = chow_liu_edges(rows[:, mixed])
    assert edges.dtype == np.int64
    assert [tuple(edge) for edge in edges] == expected
    fitted = ChowLiuTree().fit(rows[:, mixed])
    np.testing.assert_array_equal(fitted.edges_, edges)
    assert fitted.parents_[0] == -1
    assert {tuple(sorted((bit, fitted.parents_[bit]))) for bit in range(1, 8)} == set(expected)
    # The standard error of a share of 10,000 rows is .004: five of them.
    np.testing.assert_allclose(fitted.transitions_[1:, 0, 1], 0.2, atol=0.02)
    np.testing.assert_allclose(fitted.transitions_[1:, 1, 1], 0.8, atol=0.02)


def test_parents_come_before_children():
    fitted = ChowLiuTree().fit(rows_of_a_tree(500, PARENTS, 0.2, 0))
    seen = {-1}
    for bit in fitted.order_:
        assert fitted.parents_[bit] in seen
        seen.add(bit)
    assert seen == {-1, *range(8)}


def test_mutual_information_is_that_of_scikit_learn():
    rows = rows_of_a_tree(300, PARENTS, 0.3, 1)
    rows[:, 5] = 0
    found = mutual_information(rows)
    for i, j in combinations(range(8), 2):
        assert found[i, j] == found[j, i] == pytest.approx(mutual_info_score(rows[:, i], rows[:, j]), abs=1e-12)


def test_no_spanning_tree_is_more_likely():
    """All 125 trees of 5 bits: the sum of mutual informations, by which likelihoods of trees differ."""
    rows = np.random.default_rng(2).integers(0, 2, (40, 5)) & np.random.default_rng(3).integers(0, 2, (40, 5))
    information = mutual_information(rows)
    trees = [tree for tree in combinations(list(combinations(range(5), 2)), 4) if _spans(tree)]
    assert len(trees) == 125
    best = max(sum(information[edge] for edge in tree) for tree in trees)
    assert sum(information[tuple(edge)] for edge in chow_liu_edges(rows)) == pytest.approx(best, abs=1e-12)


def _spans(tree: tuple[tuple[int, int], ...]) -> bool:
    reached = {0}
    for _ in range(4):
        reached |= {bit for edge in tree if reached & set(edge) for bit in edge}
    return len(reached) == 5


def test_likelihood_of_its_rows_is_that_of_shannon():
    """Without smoothing, what edges add to the mean log-likelihood is their mutual information."""
    rows = rows_of_a_tree(2000, PARENTS, 0.3, 4)
    fitted, apart = ChowLiuTree(1e-9).fit(rows), IndependentBits(1e-9).fit(rows)
    gained = sum(mutual_information(rows)[tuple(edge)] for edge in fitted.edges_)
    found = fitted.score_samples(rows).mean() - apart.score_samples(rows).mean()
    assert found == pytest.approx(gained, abs=1e-9)


def test_constant_bits_hang_on_the_tree_and_stay_constant():
    rows = rows_of_a_tree(1000, PARENTS, 0.2, 0)
    rows[:, 4], rows[:, 7] = 1, 0
    fitted = ChowLiuTree(0.001).fit(rows)
    assert fitted.edges_.shape == (7, 2)
    drawn = fitted.sample(1000, random_state=0)
    assert drawn[:, 4].all()
    assert not drawn[:, 7].any()
    np.testing.assert_allclose(fitted.moments([(4,), (7,)]), [-1, 1], atol=1e-5)


def test_one_row_tells_no_tree():
    with pytest.raises(DataError, match="X has 1 row, expected two or more; a tree is learnt from what goes together"):
        ChowLiuTree().fit([[0, 1, 1]])


def test_blocks_of_rows_are_counted_together():
    rows = rows_of_a_tree(20_000, PARENTS, 0.2, 5)
    assert mutual_information(rows)[0, 1] == pytest.approx(mutual_info_score(rows[:, 0], rows[:, 1]), abs=1e-12)
