"""Portfolio with cardinality: exactly K assets, each with a least share, for little risk and much return.

Source: Chang, Meade, Beasley, Sharaiha 2000, Computers and Operations Research 27, 1271, section 2.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from math import comb, inf
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from qloom.checks import finite, whole
from qloom.combinatorial.certificates import Certificate
from qloom.combinatorial.model import Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import MOST_CANDIDATES, Problem
from qloom.combinatorial.problems.text import FormatError, Words, chosen
from qloom.errors import ProblemError

# Assets that are tried for one another, on either side.
EXCHANGED = 6
# Share of a picture's width and height that the label of an asset takes.
LABELS_APART = 0.035


@dataclass(frozen=True, eq=False)
class Portfolio(Problem):
    """Assets to choose from; a solution (N,) holds 1 for each that is held, else 0.

    What is to be small is trade_off w'Sw - (1 - trade_off) mean'w with the best weights w of the choice, of sum 1 and
    each at least `minimum`. The model has equal weights, so it only leads to choices.

    Args:
        means: of the assets' returns, (N,).
        covariance: S, of the returns, (N, N).
        n_assets: K, how many are held.
        trade_off: from 0, return alone, to 1, risk alone.
        minimum: least weight of an asset that is held.

    Raises:
        ProblemError: for shapes that do not fit, NaN, a matrix that is no covariance, or a K that cannot be.

    Source: Chang, Meade, Beasley, Sharaiha 2000, Computers and Operations Research 27, 1271, section 2.
    """

    is_exact: ClassVar[bool] = False

    means: np.ndarray
    covariance: np.ndarray
    n_assets: int = 10
    trade_off: float = 0.5
    minimum: float = 0.01

    def __post_init__(self) -> None:
        for name in ("means", "covariance"):
            object.__setattr__(self, name, finite(name, getattr(self, name)))
        n, shape, S = self.means.size, self.means.shape, self.covariance
        if len(shape) != 1 or S.shape != (n, n) or not n:
            raise ProblemError(f"means, covariance have shapes {shape}, {S.shape}, expected (N,), (N, N)")
        if np.abs(S - S.T).max() > 1e-9 * np.abs(S).max():
            raise ProblemError("covariance is not symmetric, expected S_ij = S_ji; give (S + S.T) / 2 if that is meant")
        if np.linalg.eigvalsh(S)[0] < -1e-9 * np.abs(S).max():
            raise ProblemError("covariance has a negative eigenvalue, expected none below 0")
        whole(1, n_assets=self.n_assets)
        finite("minimum and trade_off", (self.minimum, self.trade_off))
        if not self.n_assets <= n or not 0 <= self.minimum * self.n_assets <= 1 or not 0 <= self.trade_off <= 1:
            raise ProblemError(
                f"n_assets={self.n_assets}, minimum={self.minimum}, trade_off={self.trade_off}, expected 1 to {n} "
                "assets whose minima sum up to at most 1, and a trade-off from 0 to 1"
            )

    @property
    def model_size(self) -> ModelSize:
        n = len(self.means)
        return ModelSize(n, n**2 + n, n**2).constrained(1, n)

    @cached_property
    def model(self) -> Model:
        """A bit an asset, k of them 1, all of the same weight 1 / k.

        It leads to solutions, and its objective is not theirs: best weights are found once the assets are.
        """
        model, k = Model(), self.n_assets
        x = model.binary("asset held", len(self.means))
        model.add(self.trade_off * self.covariance / k**2, x[:, None], x)
        model.add((self.trade_off - 1) * self.means / k, x)
        model.constrain("number of assets", x, 1, "==", k)
        return model

    def weights(self, solution: np.ndarray) -> np.ndarray:
        """The best ones of a choice, float64 (N,).

        Raises:
            ProblemError: for no assets, or too many for their minima.
        """
        held = np.flatnonzero(solution)
        if not len(held) or len(held) * self.minimum > 1:
            raise ProblemError(
                f"{len(held)} assets are held, expected at least one, of minima that sum up to at most 1"
            )
        Q, c = self.trade_off * self.covariance[np.ix_(held, held)], (self.trade_off - 1) * self.means[held]
        out = np.zeros(len(solution))
        out[held] = least_quadratic(Q, c, self.minimum)
        return out

    def value(self, weights: np.ndarray) -> float:
        """trade_off w'Sw - (1 - trade_off) mean'w."""
        risk, mean = weights @ self.covariance @ weights, self.means @ weights
        return float(self.trade_off * risk - (1 - self.trade_off) * mean)

    def objective(self, solution: np.ndarray) -> float:
        return self.value(self.weights(solution))

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        return {"number of assets": float(abs(int(solution.sum()) - self.n_assets))}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One too many is the one that costs most at equal weights, one too few that which costs least."""
        out, k = values.astype(np.int64), self.n_assets
        while surplus := int(out.sum()) - k:
            slopes = 2 * self.trade_off / k * self.covariance @ out - (1 - self.trade_off) * self.means
            if surplus > 0:
                out[np.where(out == 1, slopes, -inf).argmax()] = 0
            else:
                out[np.where(out == 0, slopes, inf).argmin()] = 1
        return out

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return solution.copy()

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return random.permutation(np.arange(len(self.means)) < self.n_assets).astype(np.int64)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One asset in the place of another."""
        out = solution.copy()
        if 0 < out.sum() < len(out):
            out[[random.choice(np.flatnonzero(out == 1)), random.choice(np.flatnonzero(out == 0))]] ^= 1
        return out

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """Exchanges in the order of what the slopes promise, the first that helps; where none does, two at random."""
        end, best, lowest = time.perf_counter() + seconds, solution, self.cost(solution)
        present, cost = best, lowest
        try:
            while time.perf_counter() < end:
                found = next((pair for pair in self._promising(present) if self.cost(pair) < cost), None)
                present = self.neighbour(self.neighbour(best, random), random) if found is None else found
                cost = self.cost(present)
                if cost < lowest:
                    best, lowest = present, cost
        except KeyboardInterrupt:
            pass
        return best

    def _promising(self, solution: np.ndarray) -> Iterator[np.ndarray]:
        """Choices with one asset exchanged: one of little weight for one that would lower the value at once."""
        weights = self.weights(solution)
        slopes = 2 * self.trade_off * self.covariance @ weights - (1 - self.trade_off) * self.means
        held = np.flatnonzero(solution)
        given = held[np.argsort(weights[held] - 1e-3 * slopes[held] / np.abs(slopes).max(initial=1e-300))]
        wanted = np.argsort(np.where(solution == 1, inf, slopes))[: len(solution) - len(held)]
        for a, b in sorted(product(range(len(given[:EXCHANGED])), range(len(wanted[:EXCHANGED]))), key=sum):
            out = solution.copy()
            out[[given[a], wanted[b]]] ^= 1
            yield out

    def candidates(self) -> Iterator[np.ndarray]:
        n = len(self.means)
        if (count := comb(n, self.n_assets)) > MOST_CANDIDATES:
            raise ProblemError(f"{count:.3g} candidates, expected at most {MOST_CANDIDATES} for brute force; use solve")
        places = np.arange(n)
        return (np.isin(places, held).astype(np.int64) for held in combinations(range(n), self.n_assets))

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """HiGHS, with tangents in the place of the squares that risk is made of."""
        from qloom.combinatorial.problems.tangents import Tangents, certify_by_tangents

        return certify_by_tangents(self, Tangents(self), time_limit, hint)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """Risk and return of all assets, of those held by weight, and of the portfolio."""
        weights, risks = self.weights(solution), np.sqrt(np.diag(self.covariance))
        held = weights > 0
        axes.scatter(risks[~held], self.means[~held], s=15, color="0.7", label="not held")
        axes.scatter(risks[held], self.means[held], s=15 + 800 * weights[held], alpha=0.7, label="held, area by weight")
        points = np.column_stack([risks, self.means])
        apart, labelled = LABELS_APART * np.ptp(points, axis=0), list[int]()
        for asset in np.argsort(-weights)[: held.sum()]:  # where labels would overlap, the largest weight has its own
            if (np.abs(points[labelled] - points[asset]) > apart).any(axis=1).all():
                labelled.append(asset)
                axes.annotate(str(asset), points[asset], fontsize=8, ha="center", va="center")
        point = np.sqrt(weights @ self.covariance @ weights), self.means @ weights
        axes.scatter(*point, marker="*", s=150, color="C3", label="portfolio")
        axes.set(xlabel="standard deviation of the return", ylabel="mean return")
        axes.legend(markerscale=0.6)

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        weights = self.weights(solution)
        held = np.flatnonzero(solution)
        return {
            "assets held": held.tolist(),
            "weights": weights[held].tolist(),
            "mean return": float(self.means @ weights),
            "variance": float(weights @ self.covariance @ weights),
        }


def least_quadratic(Q: np.ndarray, c: np.ndarray, minimum: float) -> np.ndarray:
    """The w of least w'Qw + c'w with sum 1 and each at least a minimum; by active sets. Shapes: Q (K, K), c (K,).

    Q may be singular: 1e-10 of its size is added to its diagonal.

    Source: Nocedal, Wright 2006, Numerical Optimization, algorithm 16.3.
    """
    n, size = len(c), max(np.abs(Q).max(), np.abs(c).max(), 1e-300)
    if n * minimum >= 1 - 1e-12:  # the minima leave nothing to share out
        return np.full(n, 1 / n)
    system, right = np.ones((n + 1, n + 1)), np.append(-c / size, 1.0)
    system[:n, :n], system[n, n] = 2 * Q / size + 1e-10 * np.eye(n), 0
    w, free = np.full(n, 1 / n), np.ones(n + 1, bool)
    while True:
        f = np.flatnonzero(free)
        moved = right[f] - minimum * system[f][:, ~free].sum(axis=1)
        target = np.linalg.solve(system[np.ix_(f, f)], moved)
        held, step = f[:-1], target[:-1] - w[f[:-1]]
        room = np.where(step < 0, (w[held] - minimum) / np.where(step < 0, -step, 1), inf)
        w[held] += min(1.0, room.min()) * step
        if room.min() < 1:
            blocked = held[room.argmin()]
            free[blocked], w[blocked] = False, minimum
            continue
        slopes = np.where(free[:n], inf, system[:n] @ np.append(w, target[-1]) - right[:n])
        if slopes.min() >= -1e-12:
            return w
        free[slopes.argmin()] = True


def read_portfolio(
    path: str | Path, instance: int | None = None, n_assets: int = 10, trade_off: float = 0.5
) -> Portfolio:
    """OR-Library's format: assets; mean and standard deviation of each; i, j and correlation of each pair, i <= j.

    Args:
        path: of the file.
        instance: 1 or None: there is one.
        n_assets: K of the portfolio.
        trade_off: of risk and return.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    words = Words.of(path)
    chosen(path, instance, 1)
    n = words.integer("number of assets", 1, 100_000)
    means, deviations = words.numbers("mean, standard deviation", 2 * n).reshape(n, 2).T
    words.expect("i, j, correlation", 3 * n * (n + 1) // 2)
    correlations = np.full((n, n), np.nan)
    for _ in range(n * (n + 1) // 2):
        line = words.line
        i, j = words.integers("assets of a pair", 2, 1, n) - 1
        correlations[i, j] = correlations[j, i] = value = words.numbers("correlation", 1)[0]
        if not abs(value) <= 1 or (i == j and value != 1):
            raise FormatError(f"{path}, line {line}: correlation {value:g} of {i + 1} and {j + 1}, expected -1 to 1")
    words.end()
    if np.isnan(correlations).any():
        i, j = np.argwhere(np.isnan(correlations))[0] + 1
        raise FormatError(f"{path} has no correlation of {i} and {j}, expected each pair once; another is there twice")
    return Portfolio(means, deviations[:, None] * correlations * deviations, min(n_assets, n), trade_off)
