"""The tree of bits that tells most: the best distribution in which each bit depends on one other.

Source: Chow, Liu 1968, IEEE Transactions on Information Theory 14, 462.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.special import rel_entr
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from qloom.errors import DataError
from qloom.models.generative.base import checked_samples
from qloom.models.generative.factored import FactoredModel, checked_smoothing
from qloom.models.generative.independent import shares
from qloom.models.generative.words import checked_bits

# Rows counted in one product; in single precision counts are exact up to 2^24.
_ROWS = 1 << 13


class ChowLiuTree(FactoredModel):
    """Each bit by its parent in the spanning tree of most mutual information.

    Args:
        smoothing: rows' worth of uniform bits added to the counts of bits and pairs, above 0, so that no row has
            probability 0. The tree is that of the counts as they are.

    Attributes:
        edges_: pairs of bits, the lower one first, int64 (n - 1, 2).
        parents_: of each bit, int64 (n,); -1 for bit 0, the root.
        order_: bits with parents before children, int64 (n,).
        transitions_: probabilities of a bit being 0 and 1 where its parent is 0 and 1, (n, 2, 2); the root's rows are
            alike.

    Source: Chow, Liu 1968, IEEE Transactions on Information Theory 14, 462.
    """

    def __init__(self, smoothing: float = 1.0):
        self.smoothing = smoothing

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the tree and count along it. Shapes: X (N, n) of 0 and 1, N >= 2; y is not used."""
        added, bits = checked_smoothing(self.smoothing), checked_bits(X)
        self.edges_ = chow_liu_edges(bits)
        self.n_features_in_ = bits.shape[1]
        self.order_, self.parents_ = _rooted(self.edges_, bits.shape[1])
        self.transitions_ = self._counted(np.ascontiguousarray(bits.T), added)
        return self

    def _counted(self, columns: np.ndarray, smoothing: float) -> np.ndarray:
        ones = columns.sum(axis=1, dtype=np.int64)
        zeros = columns.shape[1] - ones
        found = np.empty((len(columns), 2, 2))
        found[0] = shares(np.array([zeros[0], ones[0]]), smoothing / 2)
        for bit in self.order_[1:]:
            parent = self.parents_[bit]
            both = np.count_nonzero(columns[bit] & columns[parent])
            alone = ones[bit] - both
            pairs = np.array([[zeros[parent] - alone, alone], [ones[parent] - both, both]])
            found[bit] = shares(pairs, smoothing / 4)
        return found

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        check_is_fitted(self)
        columns = np.zeros((self.n_features_in_, checked_samples(n_samples)), np.uint8)
        generator = check_random_state(random_state)
        for bit in self.order_:
            # The root's rows are alike, so that it may be its own parent.
            ones = self.transitions_[bit, columns[max(self.parents_[bit], 0)], 1]
            columns[bit] = generator.random_sample(columns.shape[1]) < ones
        return np.ascontiguousarray(columns.T)

    def score_samples(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities of rows. Shapes: X (N, n) -> (N,)."""
        columns, logs = np.ascontiguousarray(self._bits(X).T), np.log(self.transitions_)
        found = np.zeros(columns.shape[1])
        for bit, parent in enumerate(np.maximum(self.parents_, 0)):
            found += logs[bit, columns[parent], columns[bit]]
        return found

    def expected(self, factors: np.ndarray) -> np.ndarray:
        return self._summed(self.transitions_, factors)

    def expected_of_two(self, alike: float, different: float) -> float:
        pairs = np.stack([np.kron(transition, transition) for transition in self.transitions_])
        factors = np.tile(np.array([alike, different, different, alike])[:, None], (self.n_features_in_, 1, 1))
        return float(self._summed(pairs, factors)[0])

    def _summed(self, transitions: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Means of products of a factor a bit, from the leaves to the root.

        Shapes: transitions (n, S, S) of S states, factors (n, S, A), which are written over -> (A,).
        """
        for bit in self.order_[:0:-1]:
            factors[self.parents_[bit]] *= transitions[bit] @ factors[bit]
        root = self.order_[0]
        return transitions[root, 0] @ factors[root]  # type: ignore[no-any-return]


def chow_liu_edges(bits: Any) -> np.ndarray:
    """The spanning tree of bits with the most mutual information along its edges.

    A constant bit tells nothing of others and hangs on any of them.

    Shapes: bits (N, n) of 0 and 1, N >= 2 -> pairs of bits, the lower one first, in rising order, int64 (n - 1, 2).

    Raises:
        DataError: for fewer than two rows, or anything but bits.

    Source: Chow, Liu 1968, IEEE Transactions on Information Theory 14, 462.
    """
    rows = checked_bits(bits)
    if len(rows) < 2:
        raise DataError(f"X has {len(rows)} row, expected two or more; a tree is learnt from what goes together")
    # Below 0 throughout: an entry of 0 would be no edge.
    return np.argwhere(minimum_spanning_tree(np.triu(-1 - mutual_information(rows), 1)).toarray())


def mutual_information(bits: np.ndarray) -> np.ndarray:
    """What each two bits tell of each other in rows (N, n), in nats: symmetric (n, n)."""
    n_rows, both = len(bits), _pair_counts(bits)
    first, second = np.broadcast_arrays(both.diagonal()[:, None], both.diagonal())
    cells = (
        (both, first * second),
        (first - both, first * (n_rows - second)),
        (second - both, (n_rows - first) * second),
        (n_rows - first - second + both, (n_rows - first) * (n_rows - second)),
    )
    return sum((rel_entr(found / n_rows, apart / n_rows**2) for found, apart in cells), np.zeros(both.shape))


def _pair_counts(bits: np.ndarray) -> np.ndarray:
    """Rows in which two bits are both 1, exact: float64 (n, n)."""
    counts = np.zeros((bits.shape[1], bits.shape[1]))
    for k in range(0, len(bits), _ROWS):
        part = bits[k : k + _ROWS].astype(np.float32)
        counts += part.T @ part
    return counts


def _rooted(edges: np.ndarray, n_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Bits from bit 0 on with parents before children, and the parent of each, -1 for bit 0."""
    tree = csr_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n_bits, n_bits))
    order, parents = breadth_first_order(tree, 0, directed=False)
    return order.astype(np.int64), np.where(parents < 0, -1, parents).astype(np.int64)
