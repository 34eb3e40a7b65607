"""Max-cut: part the nodes of a graph in two so that the edges between them weigh as much as possible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from qloom.combinatorial.quadratic import Quadratic
from qloom.errors import ProblemError


@dataclass(frozen=True, eq=False)
class MaxCut:
    """A weighted graph.

    Args:
        n_nodes: N.
        edges: pairs of nodes from 0, int (K, 2).
        weights: (K,).
    """

    n_nodes: int
    edges: np.ndarray
    weights: np.ndarray

    @cached_property
    def quadratic(self) -> Quadratic:
        """Minus the weight of the cut, of one spin a node."""
        half = np.asarray(self.weights, float) / 2
        first, second = np.asarray(self.edges).reshape(-1, 2).T
        return Quadratic.from_pairs("spin", first, second, half, np.zeros(self.n_nodes), -float(half.sum()))

    def cut(self, sides: Any) -> float:
        """The weight of the edges between both sides. Shapes: sides (N,), of -1 and 1."""
        return -float(self.quadratic.energies(sides))


def read_max_cut(path: str | Path) -> MaxCut:
    """A graph in the format of rudy, as in Gset: a line with nodes and edges, then a line an edge, nodes from 1.

    An edge without a weight weighs 1.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    path = Path(path)
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(f"{path} cannot be read ({error}), expected a graph in text") from None
    rows = [(k, line.split()) for k, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise ProblemError(f"{path} is empty, expected a line with the numbers of nodes and edges")
    n_nodes, n_edges = _integers(path, *rows[0], 2)
    edges, weights = np.empty((len(rows) - 1, 2), np.int64), np.ones(len(rows) - 1)
    for (k, words), edge, at in zip(rows[1:], edges, range(len(weights)), strict=True):
        edge[:] = _integers(path, k, words[:2], 2)
        if not (edge.min() >= 1 and edge.max() <= n_nodes) or len(words) > 3:
            raise ProblemError(
                f"{path}, line {k}: {' '.join(words)!r}, expected two nodes from 1 to {n_nodes} and a weight"
            )
        weights[at] = _number(path, k, words[2]) if len(words) == 3 else 1
    if len(edges) != n_edges:
        raise ProblemError(f"{path} has {len(edges)} edges, expected {n_edges} as its line {rows[0][0]} says")
    return MaxCut(n_nodes, edges - 1, weights)


def _integers(path: Path, line: int, words: list[str], count: int) -> list[int]:
    if len(words) != count or not all(word.lstrip("-").isdigit() for word in words):
        raise ProblemError(f"{path}, line {line}: {' '.join(words)!r}, expected {count} integers")
    return [int(word) for word in words]


def _number(path: Path, line: int, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ProblemError(f"{path}, line {line}: weight {word!r}, expected a finite number")
    return value
