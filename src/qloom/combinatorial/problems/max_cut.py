"""Max-cut: part the nodes of a graph in two so that the edges between them weigh as much as possible."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from qloom.checks import finite, whole
from qloom.combinatorial.certificates import Certificate, Status
from qloom.combinatorial.model import Model, Sense
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.flips import improve_by_flips
from qloom.combinatorial.problems.signs import SignProblem
from qloom.combinatorial.problems.text import MOST_THINGS, FormatError, Words, chosen, text_of
from qloom.combinatorial.quadratic import Quadratic
from qloom.errors import ProblemError

# HiGHS closes no gap of denser graphs.
MOST_EDGES = 500
# Of a dense factorization N^3 operations, thrice what it takes, in a second.
RATE = 1e10
# Eigenvalues are bounded to this share of the largest row.
MARGIN = 1e-8


@dataclass(frozen=True, eq=False)
class MaxCut(SignProblem):
    """A weighted graph; a solution (N,) holds the side of each node, 0 or 1.

    Args:
        n_nodes: N.
        edges: pairs of nodes from 0, int (K, 2).
        weights: (K,).

    Raises:
        ProblemError: for shapes that do not fit, NaN, or nodes that are not there.
    """

    sense: ClassVar[Sense] = "max"

    n_nodes: int
    edges: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        whole(1, n_nodes=self.n_nodes)
        edges = np.asarray(self.edges).reshape(-1, 2)
        if edges.size and edges.dtype.kind not in "iu":
            raise ProblemError(f"edges hold {edges.dtype} numbers, expected the integers of nodes")
        object.__setattr__(self, "edges", edges.astype(np.int64))
        object.__setattr__(self, "weights", finite("weights", self.weights))
        _ = self.quadratic

    @cached_property
    def quadratic(self) -> Quadratic:
        """Minus the weight of the cut, of one spin a node."""
        half, (first, second) = self.weights / 2, self.edges.T
        return Quadratic.from_pairs("spin", first, second, half, np.zeros(self.n_nodes), -float(half.sum()))

    @property
    def model_size(self) -> ModelSize:
        n_products = len(self.quadratic.values)
        return ModelSize(self.n_nodes, n_products, n_products)

    @cached_property
    def model(self) -> Model:
        """A spin a node; the objective is the weight of the cut."""
        model, quadratic = Model("max"), self.quadratic
        side = model.spin("side of node", self.n_nodes)
        model.add(-quadratic.constant)
        model.add(-quadratic.values, side[quadratic.first], side[quadratic.second])
        return model

    def cut(self, sides: Any) -> float:
        """The weight of the edges between both sides. Shapes: sides (N,), of -1 and 1."""
        return -float(self.quadratic.energies(sides))

    def objective(self, solution: np.ndarray) -> float:
        first, second = solution[self.edges.T]
        return float(self.weights[first != second].sum())

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        return (improve_by_flips(self.quadratic, self.encode(solution), seconds, random) + 1) // 2

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """By HiGHS; graphs that are too dense for it by the largest eigenvalue of their Laplacian."""
        if len(self.edges) <= MOST_EDGES:
            return super().certify(time_limit, hint)
        return bound_by_eigenvalue(self, time_limit, hint)

    @property
    def laplacian(self) -> Any:
        """Degrees on the diagonal less the weights, scipy CSR (N, N)."""
        from scipy.sparse import coo_array, diags_array

        half = coo_array((self.weights, tuple(self.edges.T)), shape=(self.n_nodes, self.n_nodes))
        both = (half + half.T).tocsr()
        return (diags_array(both.sum(axis=1)) - both).tocsr()

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """Both sides as two columns of nodes, edges that are cut between them."""
        from matplotlib.collections import LineCollection

        place = np.empty((self.n_nodes, 2))
        for side in (0, 1):
            members = np.flatnonzero(solution == side)
            place[members] = np.column_stack([np.full(len(members), side), np.linspace(0, 1, len(members) + 2)[1:-1]])
        first, second = solution[self.edges.T]
        for cut, colour in ((False, "0.85"), (True, "C0")):
            lines = place[self.edges[(first != second) == cut]]
            width = min(1.0, 200 / max(len(lines), 1))
            axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, rasterized=len(lines) > 2000))
        axes.scatter(*place.T, c=solution, cmap="coolwarm", s=min(40, 4000 / self.n_nodes), zorder=3)
        axes.set(xticks=(0, 1), xticklabels=("side 0", "side 1"), yticks=(), ylabel="nodes in their order")

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return {"nodes of side": [np.flatnonzero(solution == side).tolist() for side in (0, 1)]}


def bound_by_eigenvalue(problem: MaxCut, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
    """The largest eigenvalue's bound, or where the time is not enough for one the sum of the positive weights."""
    start, weights = time.perf_counter(), problem.weights
    there = problem.n_nodes > 2 and weights.any() and problem.n_nodes**3 / RATE < time_limit / 2
    bound = eigenvalue_bound(problem.laplacian, time_limit) if there else float(np.maximum(weights, 0).sum())
    if (weights == np.round(weights)).all():
        bound = float(np.floor(bound + 1e-6))
    cut = None if hint is None else problem.objective(hint)
    status: Status = "optimal" if cut == bound else "bounded"
    method = "eigenvalue bound" if there else "sum of the positive weights"
    return Certificate(hint, cut, bound, status, method, time.perf_counter() - start)


def eigenvalue_bound(laplacian: Any, time_limit: float) -> float:
    """N / 4 times the largest eigenvalue of L + diag(u), sum u = 0, which no cut passes; u by subgradients in the time.

    The eigenvalue of an iteration may be too small; a number that a Cholesky factorization shows to be above all of
    them takes its place.

    Source: Delorme, Poljak 1993, Mathematical Programming 62, 557.
    """
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import eigsh

    n, end = laplacian.shape[0], time.perf_counter() + time_limit / 2
    degrees = laplacian.diagonal()
    best = shift = degrees.mean() - degrees
    lowest, vector, step = inf, np.random.default_rng(0).normal(size=n), 0.01
    while time.perf_counter() < end and step > 1e-4:
        (value,), vectors = eigsh(laplacian + diags_array(shift), 1, which="LA", v0=vector, tol=1e-4)
        vector = vectors[:, 0]
        if value < lowest:
            best, lowest = shift, float(value)
        else:
            step *= 0.7
        slope = vector**2 - 1 / n
        shift = best - step * lowest * np.sqrt(n) * slope / max(float(np.linalg.norm(slope)), 1e-12)
    matrix = laplacian + diags_array(best)
    largest = float(eigsh(matrix, 1, which="LA", v0=vector, tol=1e-6, return_eigenvectors=False)[0])
    # Rounding leaves a sum of u.
    return n / 4 * above_all(matrix, largest) - float(best.sum()) / 4


def above_all(matrix: Any, largest: float) -> float:
    """A number that no eigenvalue passes, barely more than an estimate of the largest."""
    from scipy.linalg import LinAlgError, cholesky

    margin = MARGIN * (float(abs(matrix).sum(axis=1).max()) or 1.0)
    while True:
        # What rounding may hide is far less than the margin; it counts twice.
        gap = -matrix.toarray()
        np.fill_diagonal(gap, gap.diagonal() + largest + margin)
        try:
            cholesky(gap, lower=True, overwrite_a=True, check_finite=False)
            return largest + 2 * margin
        except LinAlgError:
            margin *= 10


def read_max_cut(path: str | Path, instance: int | None = None) -> MaxCut:
    """A graph in the format of rudy, as in Gset: a line with nodes and edges, then a line an edge, nodes from 1.

    An edge without a weight weighs 1.

    Args:
        path: of the file.
        instance: 1 or None; a file holds one problem.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    head, *rows = [Words(path, line, k) for k, line in enumerate(text_of(path).splitlines(), 1) if line.strip()]
    n_nodes, n_edges = head.integer("nodes", 1, MOST_THINGS), head.integer("edges", 0)
    head.end()
    edges, weights = np.empty((len(rows), 2), np.int64), np.ones(len(rows))
    for k, words in enumerate(rows):
        line, edges[k] = words.line, words.integers("two nodes", 2, 1, n_nodes)
        if edges[k, 0] == edges[k, 1]:
            raise FormatError(f"{path}, line {line}: an edge from node {edges[k, 0]} to itself, expected two nodes; "
                              "a quadratic function of bits is read as --format qubo:min or qubo:max")  # fmt: skip
        if words.left:
            weights[k] = words.numbers("weight", 1)[0]
        words.end()
    if len(edges) != n_edges:
        raise FormatError(f"{path} has {len(edges)} edges, expected {n_edges} as its line {head.line} says")
    chosen(path, instance, 1)
    return MaxCut(n_nodes, edges - 1, weights)
