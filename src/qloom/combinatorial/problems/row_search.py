"""A walk that mends broken rows one by one, natively, and treats a better objective as one more row to be met.

A broken row is drawn, and of the variables that stand in it the one whose jump to where the row just holds leaves the
least weighted violation in all; where nothing helps, the broken rows gain weight.

Source: Luteberget, Sartor 2023, Mathematical Programming Computation 15, 365; Lin et al. 2024, arXiv:2305.00188 (the
objective as a row).
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from qloom import _searches
from qloom.combinatorial.certificates import divisor, linear_costs
from qloom.combinatorial.deadline import left, within
from qloom.combinatorial.model import Model

# What rounding may leave of a row that holds, of its right side and 1.
ROUNDING = 1e-9
# Moves that no walk comes to.
ENDLESS = 2**62
# Kinds of variables, as the native walk numbers them.
CONTINUOUS, WHOLE, SPIN = 0, 1, 2


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
        units = 1 / np.append(np.where(sizes > 0, sizes, 1.0), np.linalg.norm(self.costs) or 1.0)
        low = np.append(np.where(model.comparisons == "<=", -inf, rights), -inf)
        high = np.append(np.where(model.comparisons == ">=", inf, rights), inf)
        slack = ROUNDING * (1 + np.where(np.isfinite(high), np.abs(high), 0))
        self.step = divisor(self.costs) if model.is_whole.all() else 0.0
        rows = csr_array(vstack([rows, csr_array(self.costs[None])], format="csr"))
        self._program = (
            *_parts(rows), *_parts(rows.tocsc()), np.concatenate([low, high, units, slack]),
            np.concatenate([model.lower, model.upper]).astype(np.float64),
            np.where(model.is_spin, SPIN, np.where(model.is_whole, WHOLE, CONTINUOUS)).astype(np.uint8),
        )  # fmt: skip

    def run(
        self, solution: np.ndarray, seconds: float, random: np.random.Generator, most_moves: int = ENDLESS,
        with_objective: bool = True,
    ) -> np.ndarray:  # fmt: skip
        """The best of the walk: one that meets all rows, then the objective; never worse than what it began from.

        Without the objective it ends at the first solution that meets all rows. Ctrl-C ends it.
        """
        best, given = np.array(solution, np.float64), self.cost(solution)
        lowest, seed = inf if given[0] else given[1], int(random.integers(2**63))
        try:
            with within(seconds):
                _searches.walk_rows(
                    *self._program, most_moves, self.step, lowest, with_objective, seed, best, left()
                )  # fmt: skip
        except KeyboardInterrupt:
            pass
        # The walk counts up to rounding, the model exactly.
        return best.astype(solution.dtype) if self.cost(best) < given else solution

    def cost(self, x: np.ndarray) -> tuple[float, float]:
        """As `Problem.cost`, less the constant."""
        return float(self.model.violations(x).sum()), float(self.costs @ x)


def _parts(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64)
