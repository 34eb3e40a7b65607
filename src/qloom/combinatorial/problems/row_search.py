"""A walk that mends broken rows one by one, and treats a better objective as one more row to be met.

A broken row is drawn, and of the variables that stand in it the one whose jump to where the row just holds leaves the
least weighted violation in all; where nothing helps, the broken rows gain weight.

Source: Luteberget, Sartor 2023, Mathematical Programming Computation 15, 365; Lin et al. 2024, arXiv:2305.00188 (the
objective as a row).
"""

from __future__ import annotations

import time
from math import inf
from typing import Any

import numpy as np

from qloom.combinatorial.certificates import divisor, linear_costs
from qloom.combinatorial.model import Model

# Variables of a row that are looked at, and moves for which one that has moved is left alone.
LOOKED_AT, REST = 60, (3, 12)
# Moves without a better solution after which the walk begins again from the best one, by N.
PATIENCE = 50
# Of the size of an objective that is not whole, what a better one is better by.
STEP = 1e-6


class RowSearch:
    """Of a model whose objective has no products.

    Args:
        model: its rows and bounds.
    """

    def __init__(self, model: Model):
        from scipy.sparse import csr_array, vstack

        self.model, sign = model, 1.0 if model.sense == "min" else -1.0
        self.costs = sign * linear_costs(model)
        rows, rights, _, _ = model.slack
        sizes = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1))).ravel()
        self.by = 1 / np.append(np.where(sizes > 0, sizes, 1.0), np.linalg.norm(self.costs) or 1.0)
        self.rows = csr_array(vstack([rows, csr_array(self.costs[None])], format="csr"))
        self.columns = self.rows.tocsc()
        self.low = np.append(np.where(model.comparisons == "<=", -inf, rights), -inf)
        self.high = np.append(np.where(model.comparisons == ">=", inf, rights), inf)
        self.step = divisor(self.costs) if model.is_whole.all() else 0.0

    def run(
        self, solution: np.ndarray, seconds: float, random: np.random.Generator, most_moves: float = inf,
        with_objective: bool = True,
    ) -> np.ndarray:  # fmt: skip
        """The best of the walk: fewest violations, then the objective; never worse than what it began from.

        Without the objective it ends at the first solution that meets all rows. Ctrl-C ends it.
        """
        end, walk = time.perf_counter() + seconds, _Walk(self, solution, random)
        best, lowest, idle, move = solution, self.cost(solution), 0, 0
        try:
            while move < most_moves and (move % 16 or time.perf_counter() < end):
                if not walk.broken[:-1].any():
                    cost = self.cost(walk.x)
                    if cost < lowest:
                        best, lowest, idle = walk.x.copy(), cost, 0
                    if not with_objective:
                        break
                    walk.aim(lowest[1])
                if not walk.broken.any() or not walk.move(move):
                    walk = _Walk(self, self.thrown(best, random), random)
                move, idle = move + 1, idle + 1
                if idle > PATIENCE * (20 + self.model.n):
                    walk, idle = _Walk(self, self.thrown(best, random), random), 0
        except KeyboardInterrupt:
            pass
        return best.astype(solution.dtype)

    def cost(self, x: np.ndarray) -> tuple[float, float]:
        """As `Problem.cost`, less the constant."""
        return float(self.model.violations(x).sum()), float(self.costs @ x)

    def thrown(self, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """With a few whole variables drawn anew."""
        out, model = np.array(x, float), self.model
        whole = np.flatnonzero(model.is_whole)
        for k in random.choice(whole, min(len(whole), 1 + len(whole) // 20), replace=False) if len(whole) else []:
            low, high = int(model.lower[k]), int(model.upper[k])
            out[k] = random.choice([low, high]) if model.is_spin[k] else random.integers(low, high + 1)
        return out


class _Walk:
    """Where it is: values, left sides, weights of the rows, and when each variable moved."""

    def __init__(self, search: RowSearch, x: np.ndarray, random: np.random.Generator):
        self.search, self.random, self.x = search, random, np.array(x, float)
        self.high, self.left = search.high.copy(), search.rows @ self.x
        self.weights, self.free_at = search.by.copy(), np.zeros(len(self.x), int)
        self.slack = 1e-9 * (1 + np.where(np.isfinite(search.high), np.abs(search.high), 0))

    @property
    def broken(self) -> np.ndarray:
        """Which rows, the objective the last one."""
        return (self.left > self.high + self.slack) | (self.left < self.search.low - self.slack)

    def aim(self, lowest: float) -> None:
        """The next solution is to be better."""
        self.high[-1] = lowest - (self.search.step or STEP * (1 + abs(lowest)))

    def move(self, number: int) -> bool:
        """Mend a row as far as one variable can; whether there was anything to move."""
        search, broken = self.search, np.flatnonzero(self.broken)
        row = int(self.random.choice(broken))
        variables, values = self._jumps(row)
        free = self.free_at[variables] <= number
        if free.any():
            variables, values = variables[free], values[free]
        if not len(variables):
            self.weights[broken] += search.by[broken]
            return bool(self.random.random() < 0.9)
        scores = self._scores(variables, values - self.x[variables])
        k = int(scores.argmin())
        if scores[k] >= 0:
            self.weights[broken] += search.by[broken]
        j = int(variables[k])
        part = slice(search.columns.indptr[j], search.columns.indptr[j + 1])
        self.left[search.columns.indices[part]] += search.columns.data[part] * (values[k] - self.x[j])
        self.x[j] = values[k]
        self.free_at[j] = number + int(self.random.integers(*REST))
        if number % 1000 == 999:
            self.left = search.rows @ self.x
        return True

    def _jumps(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Variables of a row and where the row just holds, or the nearest that their bounds allow."""
        search, model = self.search, self.search.model
        part = slice(search.rows.indptr[row], search.rows.indptr[row + 1])
        variables, factors = search.rows.indices[part], search.rows.data[part]
        if len(variables) > LOOKED_AT:
            some = self.random.choice(len(variables), LOOKED_AT, replace=False)
            variables, factors = variables[some], factors[some]
        variables, factors = variables[factors != 0], factors[factors != 0]
        over = self.left[row] - (self.high[row] if self.left[row] > self.high[row] else search.low[row])
        change = -over / factors
        whole = model.is_whole[variables]
        change = np.where(whole, np.sign(change) * np.ceil(np.abs(change) - 1e-9), change)
        change = np.where(model.is_spin[variables], -2 * self.x[variables], change)
        values = np.clip(self.x[variables] + change, model.lower[variables], model.upper[variables])
        moved = values != self.x[variables]
        return variables[moved], values[moved]

    def _scores(self, variables: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """What each jump does to the weighted violations."""
        columns: Any = self.search.columns
        starts, ends = columns.indptr[variables], columns.indptr[variables + 1]
        lengths = ends - starts
        owner = np.repeat(np.arange(len(variables)), lengths)
        at = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + starts[owner]
        rows = columns.indices[at]
        before = self.left[rows]
        after = before + columns.data[at] * changes[owner]
        low, high = self.search.low[rows], self.high[rows]
        more = np.maximum(after - high, 0) + np.maximum(low - after, 0)
        less = np.maximum(before - high, 0) + np.maximum(low - before, 0)
        return np.bincount(owner, self.weights[rows] * (more - less), len(variables))
