"""Quadratic functions of binary variables or spins: what the searches minimize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from qloom.checks import finite
from qloom.errors import ProblemError

Kind = Literal["binary", "spin"]
VALUES: dict[str, tuple[int, int]] = {"binary": (0, 1), "spin": (-1, 1)}


class Couplings(NamedTuple):
    """Rows of the symmetric matrix of pairs, without its diagonal: row i has columns starts[i] to starts[i + 1]."""

    starts: np.ndarray
    neighbours: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Quadratic:
    """constant + sum_i linear_i x_i + sum_{i<j} values_ij x_i x_j, with x 0 or 1 ("binary") or -1 or 1 ("spin").

    Make one by `from_pairs` or `from_matrix`.

    Attributes:
        kind: what the variables are.
        first, second: of each pair, int32 (K,), first < second, each pair once, in order.
        values: of the pairs, float64 (K,), none 0.
        linear: float64 (N,).
        constant: a number.
    """

    kind: Kind
    first: np.ndarray
    second: np.ndarray
    values: np.ndarray
    linear: np.ndarray
    constant: float

    @classmethod
    def from_pairs(
        cls, kind: Kind, first: Any, second: Any, values: Any, linear: Any, constant: float = 0.0
    ) -> Quadratic:
        """From pairs in any order, equal ones added up; a variable with itself counts by x x = x or s s = 1.

        Shapes: first, second, values (K,), linear (N,).

        Raises:
            ProblemError: for indices out of range, shapes that do not fit, NaN or infinity, or an unknown kind.
        """
        linear = finite("linear", linear)
        first, second, values = np.atleast_1d(first), np.atleast_1d(second), finite("values", values)
        if kind not in VALUES:
            raise ProblemError(f"kind={kind!r}, expected 'binary' or 'spin'")
        if linear.ndim != 1 or not first.shape == second.shape == values.shape or values.ndim != 1:
            raise ProblemError(
                f"first, second, values have shapes {first.shape}, {second.shape}, {values.shape} and linear "
                f"{linear.shape}, expected three times (K,) and (N,)"
            )
        if values.size:
            _check_indices(np.stack([first, second]), len(linear))
        low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second).astype(np.int64)
        own, linear, constant = low == high, linear.copy(), float(finite("constant", constant))
        if kind == "binary":
            np.add.at(linear, low[own], values[own])
        else:
            constant += float(values[own].sum())
        codes, where = np.unique(low[~own] * len(linear) + high[~own], return_inverse=True)
        sums = np.bincount(where, values[~own], len(codes)) if len(codes) else np.zeros(0)
        codes, sums = codes[sums != 0], sums[sums != 0]
        n = max(len(linear), 1)
        return cls(kind, (codes // n).astype(np.int32), (codes % n).astype(np.int32), sums, linear, constant)

    @classmethod
    def from_matrix(cls, matrix: Any, kind: Kind = "binary", linear: Any = None, constant: float = 0.0) -> Quadratic:
        """x' Q x + linear' x + constant. Q may be of any shape of its triangles: pair (i, j) has Q_ij + Q_ji.

        Shapes: matrix (N, N), linear (N,).

        Raises:
            ProblemError: for a matrix that is not square, NaN or infinity.
        """
        matrix = finite("matrix", matrix)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ProblemError(f"matrix has shape {matrix.shape}, expected (N, N)")
        first, second = np.nonzero(matrix)
        linear = np.zeros(len(matrix)) if linear is None else linear
        return cls.from_pairs(kind, first, second, matrix[first, second], linear, constant)

    @property
    def n(self) -> int:
        """N variables."""
        return len(self.linear)

    def energies(self, states: Any) -> np.ndarray:
        """Values of the function. Shapes: states (B, N) or (N,) -> (B,) or ().

        Raises:
            ProblemError: for states of another shape or with other numbers than the variables may have.
        """
        states = np.asarray(states)
        if states.shape[-1:] != (self.n,) or states.ndim > 2:
            raise ProblemError(f"states has shape {states.shape}, expected (B, {self.n}) or ({self.n},)")
        low, high = VALUES[self.kind]
        if not np.isin(states, (low, high)).all():
            raise ProblemError(f"states hold other numbers than {low} and {high}, expected {self.kind} variables")
        x = states.astype(np.float64)
        pairs = x[..., self.first] * x[..., self.second]
        return np.asarray(pairs @ self.values + x @ self.linear + self.constant)

    def as_spins(self) -> Quadratic:
        """The same function of s = 2 x - 1."""
        if self.kind == "spin":
            return self
        quarter, sums = self.values / 4, self._sums_of_pairs() / 4
        constant = self.constant + self.linear.sum() / 2 + quarter.sum()
        return Quadratic("spin", self.first, self.second, quarter, self.linear / 2 + sums, float(constant))

    def as_binary(self) -> Quadratic:
        """The same function of x = (s + 1) / 2."""
        if self.kind == "binary":
            return self
        constant = self.constant - self.linear.sum() + self.values.sum()
        linear = 2 * self.linear - 2 * self._sums_of_pairs()
        return Quadratic("binary", self.first, self.second, 4 * self.values, linear, float(constant))

    def _sums_of_pairs(self) -> np.ndarray:
        """Of the values of each variable's pairs, (N,)."""
        return np.bincount(self.first, self.values, self.n) + np.bincount(self.second, self.values, self.n)

    @cached_property
    def couplings(self) -> Couplings:
        """The pairs as rows of a symmetric matrix, as the native searches take them."""
        row, column = np.concatenate([self.first, self.second]), np.concatenate([self.second, self.first])
        order = np.lexsort((column, row))
        starts = np.searchsorted(row[order], np.arange(self.n + 1)).astype(np.int64)
        return Couplings(starts, column[order], np.concatenate([self.values, self.values])[order])

    def matrix(self) -> np.ndarray:
        """The pairs as a symmetric matrix with half of each value on either side; no diagonal. (N, N)"""
        out = np.zeros((self.n, self.n))
        out[self.first, self.second] = out[self.second, self.first] = self.values / 2
        return out

    def fix(self, fixed: Mapping[int, int]) -> tuple[Quadratic, np.ndarray]:
        """The function with some variables held, and the indices of the others, (M,).

        Raises:
            ProblemError: for an index out of range, or a number the variables may not have.
        """
        index, value = np.array(list(fixed), int), np.array(list(fixed.values()), float)
        if len(index):
            _check_indices(index, self.n)
        if not np.isin(value, VALUES[self.kind]).all():
            raise ProblemError(f"fixed={dict(fixed)!r}, expected numbers {VALUES[self.kind]} of {self.kind} variables")
        held = np.zeros(self.n, bool)
        held[index] = True
        x, place = np.zeros(self.n), np.cumsum(~held) - 1
        x[index] = value
        linear, free = self.linear.copy(), ~held[self.first] & ~held[self.second]
        for mine, other in ((self.first, self.second), (self.second, self.first)):
            half = ~held[mine] & held[other]
            np.add.at(linear, mine[half], self.values[half] * x[other[half]])
        both = held[self.first] & held[self.second]
        settled = (self.values[both] * x[self.first[both]] * x[self.second[both]]).sum() + self.linear @ x
        kept = np.flatnonzero(~held)
        pairs = (place[self.first[free]], place[self.second[free]], self.values[free])
        return Quadratic.from_pairs(self.kind, *pairs, linear[kept], self.constant + float(settled)), kept

    def components(self) -> list[np.ndarray]:
        """Indices of variables that hang together by pairs, the largest set first; each can be searched by itself."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        pairs = coo_array((np.ones(len(self.first)), (self.first, self.second)), shape=(self.n, self.n))
        _, label = connected_components(pairs, directed=False)
        sets = [np.flatnonzero(label == k) for k in np.unique(label)]
        return sorted(sets, key=len, reverse=True)


def _check_indices(index: np.ndarray, n: int) -> None:
    if index.dtype.kind not in "iu" or index.min() < 0 or index.max() >= n:
        raise ProblemError(f"indices from {index.min()} to {index.max()}, expected integers from 0 to {n - 1}")
