"""Spanning trees under weights of their nodes: what no round trip and no set of routes is shorter than."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import NamedTuple

import numpy as np

from qloom import _searches

# Steps begin with this share of what theory asks for and are halved after so many without a better bound, to an end.
FIRST, PATIENCE, LAST = 1.0, 20, 1e-4
# Of a step, what is the last step's direction.
INERTIA = 0.4
# What rounding may have added, as a share of all sizes.
ROUNDING = 1e-12


class Tree(NamedTuple):
    """The least spanning tree of some nodes, for weights of the nodes.

    Attributes:
        length: under the distances and the weights of both ends.
        order: in which nodes join it, int32 (M,).
        parents: of each node, itself for the first one, int32 (N,).
    """

    length: float
    order: np.ndarray
    parents: np.ndarray

    def degrees(self) -> np.ndarray:
        """How many edges end at each node, (N,)."""
        ends = self.order[1:]
        n = len(self.parents)
        return np.bincount(ends, minlength=n) + np.bincount(self.parents[ends], minlength=n)


def least_tree(distances: np.ndarray, weights: np.ndarray, first: int = 0) -> Tree:
    """Of the nodes from the first on. Shapes: distances (N, N), weights (N,)."""
    n = len(weights)
    order, parents = np.zeros(n - first, np.int32), np.zeros(n, np.int32)
    length = _searches.spanning_tree(distances, weights, first, order, parents)
    return Tree(length, order, parents)


class Ascent(NamedTuple):
    """The best bound that weights gave, these, (N,), and whether Ctrl-C ended the search for them."""

    bound: float
    weights: np.ndarray
    is_interrupted: bool = False


# For weights (N,) a bound, and by how much the nodes have too many edges, (N,).
Relaxation = Callable[[np.ndarray], tuple[float, np.ndarray]]


def ascend(relaxation: Relaxation, n: int, target: float, end: float) -> Ascent:
    """Weights that make a relaxation's bound large, by subgradient steps from 0.

    Args:
        relaxation: no solution is below its bounds.
        n: N.
        target: the value of a solution, that the bound is to come near to.
        end: time of `time.perf_counter`.

    Source: Held, Karp 1971, Mathematical Programming 1, 6; Volgenant, Jonker 1982, European Journal of Operational
    Research 9, 83.
    """
    weights, best = np.zeros(n), Ascent(-inf, np.zeros(n))
    share, idle, last = FIRST, 0, np.zeros(n)
    while share > LAST:
        try:
            bound, surplus = relaxation(weights)
        except KeyboardInterrupt:
            return best._replace(is_interrupted=True)
        if bound > best.bound:
            idle = idle if bound - best.bound < 1e-6 * abs(bound) else 0
            best = Ascent(bound, weights)
        idle += 1
        if idle > PATIENCE:
            share, idle, weights = share / 2, 0, best.weights
        if not surplus.any() or bound >= target or time.perf_counter() >= end:
            break
        last = (1 - INERTIA) * surplus + INERTIA * last
        weights = weights + share * max(target - bound, 1e-9 * abs(target)) / float(surplus @ surplus) * last
    return best


def trip_relaxation(distances: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """A least tree without node 0, and this one's two shortest edges (a 1-tree): no round trip is shorter."""
    tree = least_tree(distances, weights, 1)
    ways = distances[0, 1:] + weights[1:]
    two = np.argpartition(ways, 1)[:2]
    degrees = tree.degrees()
    degrees[two + 1] += 1
    degrees[0] = 2
    sizes = np.abs(weights).sum() + abs(tree.length)
    length = tree.length + ways[two].sum() + 2 * weights[0]
    return float(length - 2 * weights.sum() - ROUNDING * sizes), degrees - 2.0


def route_relaxation(
    distances: np.ndarray, weights: np.ndarray, least: int, most: int
) -> tuple[float, np.ndarray]:  # fmt: skip
    """A least tree, and an edge more from the depot, node 0, for each of the least to the most routes.

    No set of routes is shorter: without one of its two edges at the depot a route is a path, and these make a tree. The
    edges left out go to different nodes.

    Source: Christofides, Mingozzi, Toth 1981, Mathematical Programming 20, 255, in the spirit of section 3.
    """
    tree = least_tree(distances, weights)
    ways = distances[0, 1:] + weights[0] + weights[1:]
    order = ways.argsort(kind="stable")[:most]
    counts = np.arange(1, len(order) + 1)
    extra = np.cumsum(ways[order]) - 2 * weights[0] * counts
    k = least - 1 + int(extra[least - 1 :].argmin())
    degrees = tree.degrees()
    degrees[order[: k + 1] + 1] += 1
    surplus = degrees - 2.0
    surplus[0] = degrees[0] - (k + 1.0)
    sizes = np.abs(ways[order]).sum() + np.abs(weights).sum() + abs(tree.length) + 2 * most * abs(weights[0])
    return float(tree.length + extra[k] - 2 * weights[1:].sum() - ROUNDING * sizes), surplus


def trip_rises(distances: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """By how much `trip_relaxation` would rise if an edge had to be in it, (N, N).

    Source: Helsgaun 2000, European Journal of Operational Research 126, 106, section 4.1.
    """
    tree, n = least_tree(distances, weights, 1), len(weights)
    lengths = distances + weights[:, None] + weights
    # The longest edge between two nodes on the tree, which an edge between them would replace.
    longest = np.full((n, n), -inf)
    for k, node in enumerate(tree.order[1:], 1):
        parent, joined = tree.parents[node], tree.order[:k]
        longest[node, joined] = longest[joined, node] = np.maximum(longest[parent, joined], lengths[node, parent])
    longest[0] = longest[:, 0] = np.partition(lengths[0, 1:], 1)[1]
    return np.maximum(lengths - longest, 0.0)
