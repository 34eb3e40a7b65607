"""Graph partition: parts of equal size that edges of little weight join."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile
from pathlib import Path

import numpy as np

from qloom.checks import finite, whole
from qloom.combinatorial.model import Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.node_classes import NodeClasses, checked_edges
from qloom.combinatorial.problems.text import FormatError, Words, chosen, text_of
from qloom.errors import ProblemError


@dataclass(frozen=True, eq=False)
class GraphPartition(NodeClasses):
    """Nodes go to parts, from 0, of sizes that are equal or differ by one; edges between parts are to weigh little.

    Which parts are the larger ones does not matter: the first are.

    Args:
        n_nodes: N.
        edges: pairs of nodes from 0, int (K, 2).
        weights: of the edges, (K,).
        n_classes: parts.

    Raises:
        ProblemError: for shapes that do not fit, NaN, nodes that are not there, or more parts than nodes.
    """

    n_nodes: int
    edges: np.ndarray
    weights: np.ndarray
    n_classes: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", checked_edges(self.n_nodes, self.edges))
        object.__setattr__(self, "weights", finite("weights", self.weights))
        if self.weights.shape != self.edges.shape[:1]:
            raise ProblemError(f"weights has shape {self.weights.shape}, expected ({len(self.edges)},), one an edge")
        whole(1, n_classes=self.n_classes)
        if self.n_classes > self.n_nodes:
            raise ProblemError(f"n_classes={self.n_classes}, expected at most {self.n_nodes} parts")

    @cached_property
    def sizes(self) -> np.ndarray:
        """Of the parts, int (C,)."""
        return np.bincount(np.arange(self.n_nodes) % self.n_classes)

    @property
    def model_size(self) -> ModelSize:
        n, k, n_edges = self.n_nodes, self.n_classes, len(self.edges)
        if k == 2:
            return ModelSize(n, 3 * n_edges, n_edges).constrained(1, n)
        return ModelSize(n * k, n_edges * k, n_edges * k).constrained(n, k).constrained(k, n)

    @cached_property
    def model(self) -> Model:
        """Two parts take a bit a node, more of them one-hot variables."""
        model, (first, second) = Model(), self.edges.T
        if self.n_classes == 2:
            x = model.binary("node in part 1", self.n_nodes)
            model.add(self.weights, x[first])
            model.add(self.weights, x[second])
            model.add(-2 * self.weights, x[first], x[second])
            model.constrain("size of part 1", x, 1, "==", self.sizes[1])
            return model
        x = model.one_hot("part of node", self.n_nodes, self.n_classes)
        model.add(self.weights.sum())
        model.add(-self.weights[:, None], x[first], x[second])
        model.constrain("size of part", x.T, 1, "==", self.sizes)
        return model

    def objective(self, solution: np.ndarray) -> float:
        return float(self.weights.sum()) - self.inside(solution)

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        off = np.abs(np.bincount(solution, minlength=self.n_classes) - self.sizes)
        return {f"size of part[{k}]": float(amount) for k, amount in enumerate(off)}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return self._repaired(values.copy() if self.n_classes == 2 else self._wanted(values, random))

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return solution.copy() if self.n_classes == 2 else super().encode(solution)

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return random.permutation(np.repeat(np.arange(self.n_classes), self.sizes))

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Two nodes exchange their parts."""
        out = solution.copy()
        i, j = random.integers(0, self.n_nodes, 2)
        out[[i, j]] = out[[j, i]]
        return out

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """Tabu search over exchanges of two parts' nodes: the best one of nodes that have not moved lately.

        Source: the gains of Kernighan, Lin 1970, Bell System Technical Journal 49, 291.
        """
        end, best, least = time.perf_counter() + seconds, solution, self.cost(solution)
        if self.n_classes == 1 or least[0] > 0:
            return super().improve(solution, seconds, random)
        nodes, present, value = np.arange(self.n_nodes), solution.copy(), least[1]
        until, move, table = np.zeros(self.n_nodes), 0, self.adjacency @ np.eye(self.n_classes)[present]
        try:
            while time.perf_counter() < end:
                others, own, late = table[:, present], table[nodes, present], until > move
                gains = others + others.T - own[:, None] - own - 2 * self.adjacency
                gains[(present[:, None] == present) | late[:, None] | late] = -np.inf
                move += 1
                i, j = np.unravel_index(gains.argmax(), gains.shape)
                if gains[i, j] == -np.inf:
                    continue
                table[:, present[i]] += self.adjacency[j] - self.adjacency[i]
                table[:, present[j]] += self.adjacency[i] - self.adjacency[j]
                present[[i, j]] = present[[j, i]]
                until[[i, j]] = move + random.integers(2, 3 + self.n_nodes // 8, 2)
                value -= gains[i, j]
                if value < least[1] - 1e-9 * (1 + abs(value)):
                    best, least = present.copy(), (0.0, value)
        except KeyboardInterrupt:
            pass
        return best

    def _repaired(self, solution: np.ndarray) -> np.ndarray:
        """Nodes leave parts that are too large for others, those first that lose least."""
        out = solution
        while (surplus := np.bincount(out, minlength=self.n_classes) - self.sizes).any():
            table = self.adjacency @ np.eye(self.n_classes)[out]
            change = np.where(surplus < 0, table, -np.inf) - table[np.arange(len(out)), out][:, None]
            change[surplus[out] <= 0] = -np.inf
            node, part = np.unravel_index(change.argmax(), change.shape)
            out[node] = part
        return out


def read_graph_partition(path: str | Path, instance: int | None = None, n_parts: int = 2) -> GraphPartition:
    """METIS' format: a line "NODES EDGES", then a line a node with its neighbours, from 1; weights after them if "1".

    Args:
        path: of the file.
        instance: 1 or None: there is one.
        n_parts: how many parts.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    chosen(path, instance, 1)
    lines = [(k, line) for k, line in enumerate(text_of(path).splitlines(), 1) if line.lstrip()[:1] != "%"]
    (number, first), *rows = dropwhile(lambda row: not row[1].strip(), lines) if lines else [(1, "")]
    head = Words(path, first, number)
    n_nodes, n_edges = head.counts("nodes, edges", 2)
    weighted = head.left > 0 and head.integer("1 if edges have weights", 0, 1) == 1
    head.end()
    while len(rows) > n_nodes and not rows[-1][1].strip():
        rows.pop()
    if len(rows) != n_nodes:
        raise FormatError(f"{path} has {len(rows)} lines after its first, expected {n_nodes}, one a node")
    found: dict[tuple[int, int], float] = {}
    for node, (k, line) in enumerate(rows):
        words = Words(path, line, k)
        while words.left:
            other = words.integer("a neighbour", 1, int(n_nodes)) - 1
            found[node, other] = float(words.numbers("weight of the edge", 1)[0]) if weighted else 1.0
    one_sided = next((edge for edge, weight in found.items() if found.get(edge[::-1]) != weight), None)
    if one_sided is not None or len(found) != 2 * n_edges:
        where = "" if one_sided is None else f"; {one_sided[0] + 1} and {one_sided[1] + 1} do not both name the other"
        raise FormatError(f"{path} names {len(found)} neighbours, expected each of {n_edges} edges twice{where}")
    edges = [edge for edge in found if edge[0] < edge[1]]
    return GraphPartition(int(n_nodes), np.array(edges, np.int64), np.array([found[edge] for edge in edges]), n_parts)
