"""Classes of a graph's nodes: what colours and parts have in common."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from qloom.combinatorial.problems.base import Problem, every
from qloom.errors import ProblemError

# Edges of a kind that a picture shows.
MOST_LINES = 1000


def checked_edges(n_nodes: int, edges: Any) -> np.ndarray:
    """Pairs of different nodes, the smaller first, each once, int64 (K, 2).

    Raises:
        ProblemError: for nodes that are not there, or an edge from a node to itself.
    """
    edges = np.asarray(edges)
    if n_nodes < 1 or edges.size % 2 or (edges.size and edges.dtype.kind not in "iu"):
        raise ProblemError(f"n_nodes={n_nodes}, edges {edges.dtype} {edges.shape}, expected nodes and integers (K, 2)")
    edges = np.sort(edges.reshape(-1, 2).astype(np.int64), axis=1)
    if edges.size and (edges.min() < 0 or edges.max() >= n_nodes or (edges[:, 0] == edges[:, 1]).any()):
        raise ProblemError(f"edges hold nodes outside 0 to {n_nodes - 1} or join a node to itself; take these out")
    return edges


class NodeClasses(Problem):
    """Base: a solution (N,) holds the class of each node, from 0."""

    n_nodes: int
    edges: np.ndarray
    weights: np.ndarray
    n_classes: int

    @cached_property
    def adjacency(self) -> np.ndarray:
        """Weights between nodes, symmetric (N, N)."""
        out = np.zeros((self.n_nodes, self.n_nodes))
        np.add.at(out, tuple(self.edges.T), self.weights)
        return out + out.T

    def inside(self, solution: np.ndarray) -> float:
        """The weight of edges within classes."""
        first, second = solution[self.edges.T]
        return float(self.weights[first == second].sum())

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return np.eye(self.n_classes, dtype=np.int64)[solution].ravel()

    def candidates(self) -> Iterator[np.ndarray]:
        return every([self.n_classes] * self.n_nodes)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """The network, nodes by class; edges within classes dark, others light."""
        from matplotlib.collections import LineCollection

        places = network_layout(self.adjacency)
        same = solution[self.edges[:, 0]] == solution[self.edges[:, 1]]
        for inside in (False, True):
            edges = self.edges[same == inside]
            lines = places[edges[:: len(edges) // MOST_LINES + 1]]
            axes.add_collection(LineCollection(lines, colors="0.2" if inside else "0.8", linewidths=1 + inside,
                                               zorder=1 + inside))  # fmt: skip
            if len(lines) < len(edges):
                axes.set_title(f"{len(lines):,} of {len(edges):,} edges {'within' if inside else 'between'} classes")
        colours = [f"C{k % 10}" for k in solution]
        axes.scatter(*places.T, s=120 if self.n_nodes <= 60 else 25, c=colours, zorder=3)
        for node in range(self.n_nodes) if self.n_nodes <= 60 else ():
            axes.annotate(str(node), places[node], ha="center", va="center", fontsize=7, color="white", zorder=4)
        axes.set(xticks=(), yticks=(), aspect="equal")
        axes.spines[:].set_visible(False)

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return {"nodes of class": [np.flatnonzero(solution == k).tolist() for k in range(self.n_classes)]}

    def _wanted(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The class of each node in values of one-hot variables, at random where none or several are set."""
        wanted = values.reshape(self.n_nodes, self.n_classes)
        return (wanted + 1e-3 * random.random(wanted.shape)).argmax(axis=1)


def network_layout(adjacency: np.ndarray) -> np.ndarray:
    """Places in the plane, (N, 2): connected parts in rows, the largest first, each laid out by springs."""
    from scipy.sparse.csgraph import connected_components

    part = connected_components(adjacency != 0)[1]
    counts, places = np.bincount(part), np.zeros((len(part), 2))
    sides = 2 * np.sqrt(counts) - 1
    width = max(sides.max(), 1.5 * np.sqrt((sides**2).sum()))
    left = top = height = 0.0
    for k in np.argsort(-sides, kind="stable"):
        if left + sides[k] > width:
            left, top = 0.0, top - height
        height = sides[k] if left == 0 else height
        nodes = np.flatnonzero(part == k)
        own = spring_layout(adjacency[np.ix_(nodes, nodes)])
        own -= own.min(axis=0)
        places[nodes] = (left, top - sides[k]) + own * (sides[k] - 1) / max(own.max(), 1e-12)
        left += sides[k]
    return places


def spring_layout(adjacency: np.ndarray, n_steps: int = 100) -> np.ndarray:
    """Places in the plane, (N, 2): edges pull, nodes push one another away; begun on a circle, in spectral order.

    Source: Fruchterman, Reingold 1991, Software: Practice and Experience 21, 1129.
    """
    n, near = len(adjacency), (adjacency != 0).astype(float)
    around = 2 * np.pi * np.linalg.eigh(np.diag(near.sum(axis=1)) - near)[1][:, min(1, n - 1)].argsort().argsort() / n
    places, distance = np.column_stack([np.cos(around), np.sin(around)]), 1 / np.sqrt(n)
    for heat in np.linspace(0.2, 0.002, n_steps):
        across, up = (axis[:, None] - axis for axis in places.T)
        length = np.maximum(np.sqrt(across**2 + up**2), 1e-3)
        pull = distance**2 / length**2 - near * length / distance
        force = np.column_stack([(across * pull).sum(axis=1), (up * pull).sum(axis=1)])
        size = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-12)
        places = places + force / size * np.minimum(size, heat)
    return places
