"""Quadratic assignments by a tree over the facilities' locations, the lowest bound of Gilmore and Lawler first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

import numpy as np

from qloom.combinatorial.certificates import divisor

# By how much rounding may raise a bound, as a share of it.
ROUNDING = 1e-9
# Entries of the matrices that children of a node are bounded by at once.
AT_ONCE = 100_000


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
        first = max(bound(self.flows, self.distances) for bound in (projection_bound, linear_bound))
        self.bound = min(self.value, rounded_up(first, self.step))
        waiting = [Node(-inf, self.n, 0, 0.0, (), (), int(self.flows.sum(axis=1).argmax()))]
        while waiting and self.bound < self.value:
            node = heappop(waiting)
            self.bound = max(self.bound, node.bound)
            for children in self._branch(node):
                if time.perf_counter() > end:
                    return
                for child in children:
                    if child.bound < self.value:
                        heappush(waiting, child)
        self.bound = self.value

    def _branch(self, node: Node) -> Iterator[list[Node]]:
        """Children for each location of the next facility, some at once."""
        i = node.next_one
        free, there = self._without(node.facilities), self._without(node.locations)
        rest, m = free[free != i], len(free)
        facilities, locations = np.array(node.facilities, int), np.array(node.locations, int)
        linear = self._linear(facilities, locations, free, there)
        smallest = np.sort(_without_diagonal(self.flows[np.ix_(rest, rest)]))
        for places in np.array_split(np.arange(m), max(m**3 // AT_ONCE, 1)):
            if len(places):
                yield self._children(node, places, rest, there, linear[free == i][0], linear[free != i], smallest)

    def _children(
        self, node: Node, places: np.ndarray, rest: np.ndarray, there: np.ndarray, own: np.ndarray, linear: np.ndarray,
        smallest: np.ndarray,
    ) -> list[Node]:  # fmt: skip
        """With the next facility at some of the free locations.

        Shapes: places (K,) among the free locations there (M,), rest (M - 1,), own (M,), linear (M - 1, M), smallest
        (M - 1, M - 2).
        """
        from scipy.optimize import linear_sum_assignment

        a, b, i, m = self.flows, self.distances, node.next_one, len(there)
        here = there[places]
        others = np.broadcast_to(there, (len(places), m))[there != here[:, None]].reshape(len(places), m - 1)
        matrices = linear[:, np.searchsorted(there, others)].transpose(1, 0, 2)
        matrices = matrices + a[i, rest][:, None] * b[here[:, None], others][:, None]
        matrices += a[rest, i][:, None] * b[others, here[:, None]][:, None]
        largest = -np.sort(-_without_diagonal(b[others[:, :, None], others[:, None, :]]))
        matrices += smallest @ largest.transpose(0, 2, 1)
        out = []
        for k, place in enumerate(places):
            columns = linear_sum_assignment(matrices[k])[1]
            cost = float(node.cost + own[place])
            bound = cost + matrices[k][np.arange(m - 1), columns].sum()
            bound = max(node.bound, rounded_up(bound, self.step))
            if bound >= self.value:
                continue
            self._offer([*node.facilities, i, *rest], [*node.locations, here[k], *others[k, columns]])
            if m == 1:
                continue
            next_one = int(rest[matrices[k].sum(axis=1).argmax()])
            self.count += 1
            taken = (*node.locations, int(here[k]))
            out.append(Node(bound, m - 1, self.count, cost, (*node.facilities, i), taken, next_one))
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


def linear_bound(flows: np.ndarray, distances: np.ndarray) -> float:
    """A linear assignment of what each facility costs at each location at least: long ways for small flows.

    Source: Gilmore 1962, SIAM Journal 10, 305; Lawler 1963, Management Science 9, 586.
    """
    from scipy.optimize import linear_sum_assignment

    smallest, largest = np.sort(_without_diagonal(flows)), -np.sort(-_without_diagonal(distances))
    least = np.multiply.outer(flows.diagonal(), distances.diagonal()) + smallest @ largest.T
    return float(least[linear_sum_assignment(least)].sum())


def _without_diagonal(matrices: np.ndarray) -> np.ndarray:
    """Shapes: (..., M, M) -> (..., M, M - 1)."""
    m = matrices.shape[-1]
    return matrices[..., ~np.eye(m, dtype=bool)].reshape(*matrices.shape[:-1], max(m - 1, 0))
