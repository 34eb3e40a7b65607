"""Linear programs over the edges of a complete graph: variables, degrees, and rows for sets of nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.combinatorial.cutting_planes import Cuts

# By how much values must break a row for it to be added, and how many are at once.
BROKEN, ROWS = 1e-3, 50


class Edges:
    """Of N nodes, i < j, in the order of the upper triangle's rows; some of them may be left out.

    Args:
        n: N.
        kept: which pairs are edges, bool (N, N), its upper triangle; None for all.

    Attributes:
        first, second: of each edge, (E,).
    """

    def __init__(self, n: int, kept: np.ndarray | None = None):
        self.n = n
        self.first, self.second = np.triu_indices(n, 1) if kept is None else np.nonzero(np.triu(kept, 1))

    @property
    def degrees(self) -> Any:
        """Rows that sum the edges at each node, CSR (N, E)."""
        from scipy.sparse import csr_array

        count = len(self.first)
        ends = np.concatenate([self.first, self.second])
        return csr_array((np.ones(2 * count), (ends, np.tile(np.arange(count), 2))), shape=(self.n, count))

    def graph(self, values: np.ndarray) -> Any:
        """Edges above 0 as a symmetric matrix, CSR (N, N). Shapes: values (E,)."""
        from scipy.sparse import csr_array

        there = values > 1e-6
        pairs, weights = np.stack([self.first, self.second])[:, there], values[there]
        both = np.concatenate([pairs, pairs[::-1]], axis=1)
        return csr_array((np.tile(weights, 2), tuple(both)), shape=(self.n, self.n))

    def parts(self, values: np.ndarray, left_out: int = 0) -> np.ndarray:
        """Sets of nodes that edges above 0 hold together, without the first few nodes. Bool (K, N)."""
        from scipy.sparse.csgraph import connected_components

        count, label = connected_components(self.graph(values)[left_out:, left_out:], directed=False)
        label = np.append(np.full(left_out, -1), label)
        return label == np.arange(count)[:, None]

    def cuts(self, values: np.ndarray, sets: np.ndarray, trips: np.ndarray) -> Cuts:
        """Edges inside a set are at most its nodes less the trips that must enter it: the rows that are broken.

        Shapes: values (E,), sets bool (K, N), trips (K,).
        """
        from scipy.sparse import csr_array

        most = sets.sum(axis=1) - trips
        over = (sets @ self.graph(values).toarray() * sets).sum(axis=1) / 2 - most
        kept = dict[bytes, int]()  # each set once
        for place in np.argsort(-over)[: (over > BROKEN).sum()].tolist():
            kept.setdefault(sets[place].tobytes(), place)
            if len(kept) == ROWS:
                break
        places = np.array(list(kept.values()), int)
        inside = sets[places][:, self.first] & sets[places][:, self.second]
        return Cuts(csr_array(inside.astype(float)), most[places])


def in_order(graph: Any, nodes: np.ndarray) -> np.ndarray:
    """The nodes of a path from one of its ends to the other, or of a cycle, int64 (M,)."""
    from scipy.sparse.csgraph import depth_first_order

    inner = graph[nodes][:, nodes]
    end = int(inner.sum(axis=1).argmin())
    return nodes[depth_first_order(inner, end, directed=False, return_predecessors=False)].astype(np.int64)
