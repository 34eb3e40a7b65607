"""Quadratic assignments by a tree over the facilities' locations, the lowest bound of Gilmore and Lawler first."""

from __future__ import annotations

import time
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

import numpy as np

from qloom.combinatorial.certificates import divisor

# By how much rounding may raise a bound, as a share of it.
ROUNDING = 1e-9


class Node(NamedTuple):
    """Facilities that have their locations; ordered by bound, and of equal ones the one with most of them first."""

    bound: float
    n_free: int
    number: int
    cost: float
    facilities: tuple[int, ...]
    locations: tuple[int, ...]
    next_one: int


class AssignmentTree:
    """Branch and bound, the node with the lowest bound first, so that this is the proven bound at any time.

    Args:
        flows, distances: (N, N).
        cutoff: solutions of this value or more are of no interest.

    Attributes:
        bound: no solution is below the smaller of this and the value.
        solution: the best below the cutoff so far, int64 (N,), or None.
        value: its value, or the cutoff.

    Source: Gilmore 1962, SIAM Journal 10, 305; Lawler 1963, Management Science 9, 586.
    """

    def __init__(self, flows: np.ndarray, distances: np.ndarray, cutoff: float = inf):
        self.flows, self.distances, self.n = flows, distances, len(flows)
        self.step, self.bound, self.value = step_of(flows, distances), -inf, cutoff
        self.solution: np.ndarray | None = None
        self.count = 0

    def grow(self, end: float) -> None:
        """Until no node can lead below the value, or that time of `time.perf_counter`."""
        self.bound = min(self.value, rounded_up(projection_bound(self.flows, self.distances), self.step))
        waiting = [Node(-inf, self.n, 0, 0.0, (), (), int(self.flows.sum(axis=1).argmax()))]
        while waiting and self.bound < self.value:
            node = heappop(waiting)
            self.bound = max(self.bound, node.bound)
            if time.perf_counter() > end:
                return
            for child in self._branch(node):
                if child.bound < self.value:
                    heappush(waiting, child)
        self.bound = self.value

    def _branch(self, node: Node) -> list[Node]:
        """A child for each location of the next facility."""
        from scipy.optimize import linear_sum_assignment

        a, b, i = self.flows, self.distances, node.next_one
        free, there = self._without(node.facilities), self._without(node.locations)
        rest, m = free[free != i], len(free)
        others = np.broadcast_to(there, (m, m))[~np.eye(m, dtype=bool)].reshape(m, m - 1)
        facilities, locations = np.array(node.facilities, int), np.array(node.locations, int)
        linear = self._linear(facilities, locations, free, there)
        own = node.cost + linear[free == i][0]
        matrices = linear[free != i][:, np.searchsorted(there, others)].transpose(1, 0, 2)
        matrices = matrices + a[i, rest][:, None] * b[there[:, None], others][:, None]
        matrices += a[rest, i][:, None] * b[others, there[:, None]][:, None]
        smallest = np.sort(_without_diagonal(a[np.ix_(rest, rest)]))
        largest = -np.sort(-_without_diagonal(b[others[:, :, None], others[:, None, :]]))
        matrices += smallest @ largest.transpose(0, 2, 1)
        out = []
        for k in range(m):
            columns = linear_sum_assignment(matrices[k])[1]
            bound = own[k] + matrices[k][np.arange(m - 1), columns].sum()
            bound = max(node.bound, rounded_up(bound, self.step))
            if bound >= self.value:
                continue
            self._offer([*facilities, i, *rest], [*locations, there[k], *others[k, columns]])
            if m == 1:
                continue
            next_one = int(rest[matrices[k].sum(axis=1).argmax()])
            self.count += 1
            places = (*node.locations, int(there[k]))
            out.append(Node(bound, m - 1, self.count, float(own[k]), (*node.facilities, i), places, next_one))
        return out

    def _linear(self, facilities: np.ndarray, locations: np.ndarray, free: np.ndarray, there: np.ndarray) -> np.ndarray:
        """What a free facility at a free location costs with itself and with those that have theirs."""
        a, b = self.flows, self.distances
        out = np.multiply.outer(a.diagonal()[free], b.diagonal()[there])
        out += a[np.ix_(facilities, free)].T @ b[np.ix_(locations, there)]
        return out + a[np.ix_(free, facilities)] @ b[np.ix_(there, locations)].T

    def _without(self, taken: tuple[int, ...]) -> np.ndarray:
        return np.delete(np.arange(self.n), list(taken))

    def _offer(self, facilities: list[int], locations: list[int]) -> None:
        """Keep the assignment if it is the best so far."""
        solution = np.empty(self.n, np.int64)
        solution[facilities] = locations
        value = float((self.flows * self.distances[np.ix_(solution, solution)]).sum())
        if value < self.value:
            self.value, self.solution = value, solution


def step_of(flows: np.ndarray, distances: np.ndarray) -> float:
    """All values are multiples of it; 0 if the numbers are not whole."""
    twice = all((matrix == matrix.T).all() and not matrix.diagonal().any() for matrix in (flows, distances))
    return (1 + twice) * divisor(flows) * divisor(distances)


def rounded_up(bound: float, step: float) -> float:
    """To the next value that a solution may have."""
    sure = bound - ROUNDING * (1 + abs(bound))
    return step * float(np.ceil(sure / step)) if step else sure


def projection_bound(flows: np.ndarray, distances: np.ndarray) -> float:
    """From eigenvalues on the space of vectors whose sum is 0; minus infinity where a matrix is not symmetric.

    Source: Hadley, Rendl, Wolkowicz 1992, Mathematics of Operations Research 17, 727, theorem 4.1.
    """
    n = len(flows)
    if any((matrix != matrix.T).any() for matrix in (flows, distances)) or n < 2:
        return -inf
    basis = np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, 1:]]))[0][:, 1:]
    spectra = [np.sort(np.linalg.eigvalsh(basis.T @ matrix @ basis)) for matrix in (flows, distances)]
    sums = [np.sort(matrix.sum(axis=1)) for matrix in (flows, distances)]
    constant = sums[0].sum() * sums[1].sum() / n**2
    return float(spectra[0] @ spectra[1][::-1] + 2 / n * sums[0] @ sums[1][::-1] - constant)


def _without_diagonal(matrices: np.ndarray) -> np.ndarray:
    """Shapes: (..., M, M) -> (..., M, M - 1)."""
    m = matrices.shape[-1]
    return matrices[..., ~np.eye(m, dtype=bool)].reshape(*matrices.shape[:-1], max(m - 1, 0))
