"""Graph colouring: colours for nodes that no edge has at both ends."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from qloom.checks import whole
from qloom.combinatorial.certificates import Certificate
from qloom.combinatorial.model import Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.layouts import noted
from qloom.combinatorial.problems.node_classes import NodeClasses, checked_edges
from qloom.combinatorial.problems.text import FormatError, Words, chosen, plain_rows, text_of
from qloom.errors import MemoryLimitError, TimeLimitError


@dataclass(frozen=True, eq=False)
class GraphColouring(NodeClasses):
    """Nodes get colours, from 0, so that the ends of no edge have the same; the number of colours is to be small.

    A certificate that says "infeasible" proves that so many colours are not enough.

    Args:
        n_nodes: N.
        edges: pairs of nodes from 0, int (K, 2).
        n_classes: colours, at most.

    Raises:
        ProblemError: for nodes that are not there, an edge from a node to itself, or no colours.
    """

    n_nodes: int
    edges: np.ndarray
    n_classes: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", np.unique(checked_edges(self.n_nodes, self.edges), axis=0))
        object.__setattr__(self, "weights", np.ones(len(self.edges)))
        whole(1, n_classes=self.n_classes)

    @property
    def model_size(self) -> ModelSize:
        n, k = self.n_nodes, self.n_classes
        lonely = n - len(np.unique(self.edges))
        size = ModelSize((n + 1) * k, k, 0).constrained(n, k).constrained(len(self.edges) * k, 3)
        return size.constrained(lonely * k, 2).constrained(k - 1, 2)

    @cached_property
    def model(self) -> Model:
        """A colour that a node has is used, and those in use are the first ones."""
        model = Model()
        x, used = model.one_hot("colour of node", self.n_nodes, self.n_classes), model.binary("used", self.n_classes)
        model.add(1, used)
        ends = x[self.edges].transpose(0, 2, 1).reshape(-1, 2)
        if len(ends):
            model.constrain(
                "ends of edge and colour", np.column_stack([ends, np.tile(used, len(self.edges))]), [1, 1, -1], "<=", 0
            )
        if len(lonely := np.setdiff1d(np.arange(self.n_nodes), self.edges)):
            pairs = np.stack([x[lonely].ravel(), np.tile(used, len(lonely))], axis=1)
            model.constrain("node and colour", pairs, [1, -1], "<=", 0)
        if self.n_classes > 1:
            model.constrain("first colours", np.stack([used[1:], used[:-1]], axis=1), [1, -1], "<=", 0)
        return model

    def encode(self, solution: np.ndarray) -> np.ndarray:
        colours = renumbered(solution)
        return np.append(super().encode(colours), np.arange(self.n_classes) <= colours.max())

    def objective(self, solution: np.ndarray) -> float:
        return float(len(np.unique(solution)))

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        return {"edges within a colour": self.inside(solution)}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return self._repaired(self._wanted(values[: -self.n_classes], random), random)

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return self._repaired(random.integers(0, self.n_classes, self.n_nodes), random)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One node changes its colour, where there are conflicts one that has some."""
        first, second = self.edges[(solution[self.edges[:, 0]] == solution[self.edges[:, 1]])].T
        nodes = np.append(first, second) if len(first) else np.arange(self.n_nodes)
        out = solution.copy()
        out[random.choice(nodes)] = random.integers(0, self.n_classes)
        return out

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """Nodes in conflict are mended, then one colour after another is done without."""
        end, best = time.perf_counter() + seconds, solution
        if self.inside(best):
            best = self._mended(best, self.n_classes, end, random)
        while not self.inside(best) and (n_colours := len(np.unique(best))) > len(self.clique):
            colours = renumbered(best)
            colours = np.where(colours == np.bincount(colours).argmin(), n_colours, colours)
            left = renumbered(np.append(np.unique(colours[colours < n_colours]), colours))[n_colours - 1 :]
            start = np.where(left == n_colours - 1, random.integers(0, n_colours - 1, self.n_nodes), left)
            found = self._mended(start, n_colours - 1, end, random)
            if self.inside(found):
                break
            best = found
        return best

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """As many nodes as are all joined take as many colours; where that is not enough, HiGHS if the time is."""
        least, start = float(len(self.clique)), time.perf_counter()
        if hint is not None and self.is_feasible(hint) and self.objective(hint) == least:
            return Certificate(hint, least, least, "optimal", "clique", time.perf_counter() - start)
        try:
            found = super().certify(max(time_limit - (time.perf_counter() - start), 0.1 * time_limit), hint)
        except (MemoryLimitError, TimeLimitError):
            return Certificate(None, None, least, "bounded", "clique", time.perf_counter() - start)
        return found if found.status == "infeasible" else replace(found, bound=max(found.bound, least))

    @cached_property
    def clique(self) -> np.ndarray:
        """Nodes that are all joined, the most that a greedy search from each node finds."""
        joined, best = self.adjacency > 0, np.zeros(1, np.int64)
        degrees = joined.sum(axis=1)
        for node in range(self.n_nodes):
            members, left = [node], joined[node].copy()
            while left.any():
                members.append(int(np.where(left, degrees, -1).argmax()))
                left &= joined[members[-1]]
            best = np.array(members) if len(members) > len(best) else best
        return best

    def _mended(self, solution: np.ndarray, n_colours: int, end: float, random: np.random.Generator) -> np.ndarray:
        """Tabu search: the best change of colour of a node in conflict that is not a late one taken back.

        Source: Hertz, de Werra 1987, Computing 39, 345; length of the list as Galinier, Hao 1999, Journal of
        Combinatorial Optimization 3, 379.
        """
        present, best = solution.copy(), solution
        nodes, least = np.arange(self.n_nodes), self.inside(solution)
        table = self._conflicts(present, n_colours)
        until, move = np.zeros(table.shape), 0
        try:
            while least > 0 and time.perf_counter() < end:
                own = table[nodes, present]
                change = np.where(own > 0, (table - own[:, None]).T, np.inf).T
                conflicts = own.sum() / 2
                change[nodes, present] = np.inf
                allowed = (until <= move) | (conflicts + change < least)
                ties = np.flatnonzero((change == (smallest := np.where(allowed, change, np.inf).min())) & allowed)
                if smallest == np.inf:
                    until[:] = 0
                    continue
                node, colour = divmod(int(random.choice(ties)), n_colours)
                until[node, present[node]] = move + random.integers(10) + 0.6 * (own > 0).sum()
                table[:, present[node]] -= self.adjacency[node]
                table[:, colour] += self.adjacency[node]
                present[node], move = colour, move + 1
                if conflicts + smallest < least:
                    best, least = present.copy(), conflicts + smallest
        except KeyboardInterrupt:
            pass
        return best

    def _conflicts(self, solution: np.ndarray, n_colours: int) -> np.ndarray:
        """Neighbours of each node in each colour, (N, C)."""
        return self.adjacency @ np.eye(n_colours)[solution]

    def _repaired(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Nodes in conflict get, one after another, the colour that fewest of their neighbours have."""
        out, table = solution.copy(), self._conflicts(solution, self.n_classes)
        for node in random.permutation(self.n_nodes):
            if table[node, out[node]] > 0:
                colour = int(table[node].argmin())
                table[:, out[node]] -= self.adjacency[node]
                table[:, colour] += self.adjacency[node]
                out[node] = colour
        return out


def read_graph_colouring(path: str | Path, instance: int | None = None, n_colours: int | None = None) -> GraphColouring:
    """DIMACS' format: comments c, a line "p edge NODES EDGES", lines "e NODE NODE", nodes from 1.

    Args:
        path: of the file.
        instance: 1 or None: there is one.
        n_colours: how many there may be; None takes what a greedy colouring needs.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    chosen(path, instance, 1)
    size, pairs = None, list[tuple[str, int]]()
    for k, line in enumerate(text_of(path).splitlines(), 1):
        if not line.strip():
            continue
        kind, *rest = line.split()
        if kind == "c":
            continue
        if kind == "p" and size is None and rest[:1] in (["edge"], ["col"], ["edges"]):
            size = Words(path, " ".join(rest[1:]), k).counts("nodes, edges", 2, 0)
        elif kind == "e" and size is not None:
            pairs.append((" ".join(rest), k))
        else:
            raise FormatError(f"{path}, line {k}: {line.strip()!r}, expected 'p edge NODES EDGES', then 'e NODE NODE'")
    if size is None or len(pairs) not in (size[1], size[1] / 2):
        raise FormatError(f"{path} has {len(pairs)} edges, expected a line 'p edge NODES EDGES' and as many as it says")
    n_nodes, edges = size[0], _edges(path, pairs, size[0])
    if n_colours is not None:
        return GraphColouring(n_nodes, edges, n_colours)
    n_colours = greedy_colours(n_nodes, edges)
    return noted(
        GraphColouring(n_nodes, edges, n_colours),
        f"the fewest colours are looked for, at most the {n_colours} of a greedy colouring; --colours limits them",
    )


def _edges(path: str | Path, pairs: list[tuple[str, int]], n_nodes: int) -> np.ndarray:
    """Nodes from 0, int64 (K, 2)."""
    plain = plain_rows([pair for pair, _ in pairs], 2)
    if plain is not None and ((plain == np.round(plain)) & (plain >= 1) & (plain <= n_nodes)).all():
        return plain.astype(np.int64) - 1
    out = np.empty((len(pairs), 2), np.int64)
    for k, (pair, line) in enumerate(pairs):
        words = Words(path, pair, line)
        out[k] = words.integers("two nodes", 2, 1, n_nodes) - 1
        words.end()
    return out


def renumbered(solution: np.ndarray) -> np.ndarray:
    """The same classes, numbered from 0 in the order of their first members."""
    _, first, own = np.unique(solution, return_index=True, return_inverse=True)
    return first.argsort().argsort()[own].astype(np.int64)


def greedy_colours(n_nodes: int, edges: np.ndarray) -> int:
    """Colours that it takes if nodes, those of most edges first, get the first colour that no neighbour has.

    Source: Welsh, Powell 1967, The Computer Journal 10, 85.
    """
    neighbours: dict[int, set[int]] = defaultdict(set)
    for first, second in edges.tolist():
        neighbours[first].add(second)
        neighbours[second].add(first)
    colours: dict[int, int] = {}
    for node in sorted(neighbours, key=lambda node: (-len(neighbours[node]), node)):
        taken = {colours[other] for other in neighbours[node] if other in colours}
        colours[node] = next(k for k in range(n_nodes) if k not in taken)
    return 1 + max(colours.values(), default=0)
