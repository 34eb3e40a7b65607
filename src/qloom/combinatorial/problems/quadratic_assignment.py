"""Quadratic assignment: facilities to locations so that what flows between them goes short ways."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from qloom import _searches
from qloom.checks import finite
from qloom.combinatorial.certificates import Certificate, Status
from qloom.combinatorial.model import TOLERANCE, Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.assignment_tree import AssignmentTree
from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.permutations import every_order, n_missing, nearest_order
from qloom.combinatorial.problems.text import Words, chosen
from qloom.errors import ProblemError

# Exchanges at most, which no time has room for.
MOVES = 2**62
# Facilities that have a name in the picture; of more every second, third ... has.
MOST_NAMED = 30


@dataclass(frozen=True, eq=False)
class QuadraticAssignment(Problem):
    """Facilities and locations; a solution s (N,) holds the location of each facility, from 0.

    sum_ij flows_ij distances_{s_i s_j} is to be small.

    Args:
        flows: between facilities, (N, N), not necessarily symmetric; the diagonal counts.
        distances: between locations, (N, N), likewise.

    Raises:
        ProblemError: for shapes that do not fit, or NaN.
    """

    flows: np.ndarray
    distances: np.ndarray

    def __post_init__(self) -> None:
        for name in ("flows", "distances"):
            object.__setattr__(self, name, finite(name, getattr(self, name)))
        shape = self.flows.shape
        if len(shape) != 2 or shape[0] != shape[1] or not shape[0] or self.distances.shape != shape:
            raise ProblemError(f"flows, distances have shapes {shape}, {self.distances.shape}, expected twice (N, N)")

    @property
    def n(self) -> int:
        """N facilities, and as many locations."""
        return len(self.flows)

    @property
    def model_size(self) -> ModelSize:
        own = [np.count_nonzero(matrix.diagonal()) for matrix in (self.flows, self.distances)]
        apart = [np.count_nonzero(matrix) - n for matrix, n in zip((self.flows, self.distances), own, strict=True)]
        products = int(own[0] * own[1] + apart[0] * apart[1])  # no location is taken twice
        return ModelSize(self.n**2, products, products).constrained(2 * self.n, self.n)

    @cached_property
    def model(self) -> Model:
        """Which location a facility has, each once."""
        model = Model()
        x = model.one_hot("location of facility", self.n, self.n)
        model.constrain("facility of location", x.T, 1, "==", 1)
        (i, j), (p, q) = np.nonzero(self.flows), np.nonzero(self.distances)
        meet = (i == j)[:, None] == (p == q)  # no location is taken twice
        values = np.where(meet, self.flows[i, j][:, None] * self.distances[p, q], 0)
        where = np.nonzero(meet)
        model.add(values[where], x[i[where[0]], p[where[1]]], x[j[where[0]], q[where[1]]])
        return model

    def objective(self, solution: np.ndarray) -> float:
        return float((self.flows * self.distances[np.ix_(solution, solution)]).sum())

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        return {"each location once": n_missing(solution, self.n)}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return nearest_order(values, random)

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return np.eye(self.n, dtype=np.int64)[solution].ravel()

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return random.permutation(self.n)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Two facilities exchange their locations."""
        i, j = random.integers(0, self.n, 2)
        out = solution.copy()
        out[[i, j]] = solution[[j, i]]
        return out

    def candidates(self) -> Iterator[np.ndarray]:
        return every_order(self.n)

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """Robust tabu search over exchanges of two locations; Ctrl-C ends it.

        Source: Taillard 1991, Parallel Computing 17, 443.
        """
        best, seed = solution.astype(np.int32), int(random.integers(2**62))
        with suppress(KeyboardInterrupt):
            _searches.exchange_locations(self.flows, self.distances, MOVES, max(seconds, 0.0), TOLERANCE, seed, best)
        return best.astype(np.int64)

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """A tree of partial assignments, each bounded after Gilmore and Lawler by linear assignments of scipy's.

        Mixed-integer linearizations are far behind: in a minute HiGHS and CP-SAT prove next to nothing of nug12.
        """
        if not time_limit > 0:
            raise ProblemError(f"time_limit={time_limit}, expected seconds above 0")
        start = time.perf_counter()
        if hint is not None and not self.is_feasible(hint):
            hint = None
        tree = AssignmentTree(self.flows, self.distances, inf if hint is None else self.objective(hint))
        status: Status = "bounded"
        try:
            tree.grow(start + time_limit)
        except KeyboardInterrupt:
            status = "interrupted"
        solution = hint if tree.solution is None else tree.solution
        objective = None if solution is None else tree.value
        if tree.bound >= tree.value:
            status = "optimal"
        bound = min(tree.bound, tree.value)
        return Certificate(solution, objective, bound, status, "Gilmore-Lawler tree", time.perf_counter() - start)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """What each pair of facilities costs where they are, as a matrix."""
        image = axes.imshow(self.flows * self.distances[np.ix_(solution, solution)], cmap="viridis")
        axes.grid(visible=False)
        axes.figure.colorbar(image, ax=axes, label="flow times distance")
        named = np.arange(0, self.n, -(-self.n // MOST_NAMED))
        size = min(9, 200 / len(named))
        axes.set_yticks(named, [f"{i} at {solution[i]}" for i in named], fontsize=size)
        axes.set_xticks(named, named, fontsize=size)
        axes.set(xlabel="facility", ylabel="facility at location")
        axes.set_title(f"{self.n} facilities, cost {self.objective(solution):g}")

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return {"location of facility": solution.tolist(), "facility at location": np.argsort(solution).tolist()}


def read_quadratic_assignment(path: str | Path, instance: int | None = None) -> QuadraticAssignment:
    """QAPLIB's format: N, then two matrices, read as flows and distances in this order.

    The value of a permutation p is sum_ij first_ij second_{p_i p_j} either way.

    Args:
        path: of the file.
        instance: 1 or None; a file holds one problem.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    words = Words.of(path)
    chosen(path, instance, 1)
    n = words.integer("N", 2, 10_000)
    flows, distances = (words.numbers(f"{name} matrix", n * n).reshape(n, n) for name in ("first", "second"))
    words.end()
    return QuadraticAssignment(flows, distances)
