"""How far synthetic rows are from real ones: marginals, pairs, what a classifier tells, usefulness, privacy.

All is measured on real rows that were held out, and stands beside what the real training rows reach on them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from qloom.data.row_keys import row_keys
from qloom.training.cell_features import CellFeatures
from qloom.training.intervals import estimate
from qloom.training.usefulness import Target

FOLDS = 5
# Rows of each kind that a classifier is shown, and whose distances are taken.
MOST_ROWS = 5000
# Rows of a kind below which a classifier is not asked.
FEWEST_TOLD = 40
_REDRAWS = 300
# Rows that correlations are taken of: they are known to .005 then.
MOST_PAIRED = 50_000
QUANTILES = np.linspace(0, 1, 21)


@dataclass(frozen=True)
class Fidelity:
    """What is measured of synthetic rows.

    Attributes:
        marginals: distance of each column from the held-out rows', 0 to 1: the largest difference of the shares of rows
            below a number (Kolmogorov and Smirnov), of levels half the sum of the differences of their shares.
        pairs: the largest difference of a correlation between two columns, the mean over pairs of columns.
        detection: ROC AUC of a classifier that tells them from held-out rows, .5 if it cannot, and its 95% interval;
            NaN of fewer than 40 rows of a kind.
        usefulness: score on held-out rows of a model trained on them, and its 95% interval; None without a target.
        distances: to the closest training row, the quantiles at 0%, 5%, .. 100% of the rows.
        privacy: their median over that of held-out rows, and its 95% interval; well below 1 where training rows are
            nearly copied; NaN where half of the held-out rows are equal to a training row.
        copies: share of rows that are equal to a training row.
    """

    marginals: dict[str, float]
    pairs: float
    detection: list[float]
    usefulness: list[float] | None
    distances: list[float]
    privacy: list[float]
    copies: float

    def record(self) -> dict[str, Any]:
        """Plain JSON values, with the mean of the marginals."""
        return {**asdict(self), "marginal": float(np.mean(list(self.marginals.values())))}


class FidelityMeasure:
    """Measures synthetic rows against real ones.

    Args:
        features: of the columns compared.
        training: real rows that models learnt from.
        held_out: real rows that they did not.
        target: what rows are to be good for; None for nothing.
        seed: of folds, trees and draws.
    """

    def __init__(
        self, features: CellFeatures, training: pa.Table, held_out: pa.Table, target: Target | None = None,
        seed: int = 0,
    ):  # fmt: skip
        self.features, self.training, self.held_out = features, training, held_out
        self.target, self.seed = target, seed
        self.neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(features.spread(training))
        self.keys = np.unique(self._keys(training))
        self.distances = self.closest(held_out)

    def closest(self, table: pa.Table) -> np.ndarray:
        """Distance to the closest training row of at most 5,000 rows, in the features of `CellFeatures.spread`."""
        spread = self.features.spread(evenly(table, MOST_ROWS))
        return np.asarray(self.neighbours.kneighbors(spread)[0][:, 0])

    def __call__(self, synthetic: pa.Table) -> Fidelity:
        """The measures of synthetic rows."""
        return self._measure(synthetic, self.closest(synthetic), self._copies(synthetic))

    def of_real_rows(self) -> Fidelity:
        """What real rows reach: the training rows in the place of synthetic ones, and for privacy the held-out rows."""
        return self._measure(self.training, self.distances, self._copies(self.held_out))

    def _measure(self, rows: pa.Table, distances: np.ndarray, copies: float) -> Fidelity:
        return Fidelity(
            marginal_distances(self.features, self.held_out, rows),
            pair_difference(self.features, self.held_out, rows),
            detection(self.features, self.held_out, rows, self.seed),
            None if self.target is None else self.target.score(self.features, rows, self.held_out, self.seed),
            np.quantile(distances, QUANTILES).tolist(), ratio_of_medians(distances, self.distances, self.seed), copies,
        )  # fmt: skip

    def _copies(self, table: pa.Table) -> float:
        return float(np.isin(self._keys(table), self.keys).mean())

    def _keys(self, table: pa.Table) -> np.ndarray:
        return row_keys(self.features.plain(table).T, table.num_rows)


def ratio_of_medians(distances: np.ndarray, usual: np.ndarray, seed: int = 0) -> list[float]:
    """The ratio and its 95% interval over redraws of both kinds of rows; NaN where the second median is 0."""
    if not np.median(usual):
        return [float("nan")] * 3
    draws, found = np.random.default_rng(seed), []
    for _ in range(_REDRAWS):
        above, below = (np.median(draws.choice(part, len(part))) for part in (distances, usual))
        found.append(above / below if below else np.inf)
    low, high = np.quantile(found, [0.025, 0.975], method="nearest")
    return [float(np.median(distances) / np.median(usual)), float(low), float(high)]


def evenly(table: pa.Table, most: int) -> pa.Table:
    """At most so many rows, spread evenly: rows of a table may stand in some order."""
    if table.num_rows <= most:
        return table
    return table.take(pa.array(np.linspace(0, table.num_rows - 1, most).astype(np.int64)))


def marginal_distances(features: CellFeatures, real: pa.Table, synthetic: pa.Table) -> dict[str, float]:
    """The distance of each column, see `Fidelity`; a missing cell counts as a number below all others, or a level."""
    columns = zip(features.names, features.is_level, features.plain(real).T, features.plain(synthetic).T, strict=True)
    found = {}
    for name, is_level, a, b in columns:
        a, b = (np.where(np.isnan(cells), -1.0 if is_level else -np.inf, cells) for cells in (a, b))
        found[name] = _variation(a, b) if is_level else float(ks_2samp(a, b, method="asymp").statistic)
    return found


def _variation(a: np.ndarray, b: np.ndarray) -> float:
    """Half the sum of the differences of shares: the total variation distance."""
    levels = np.unique(np.concatenate([a, b]))
    shares = [np.bincount(np.searchsorted(levels, cells), minlength=len(levels)) / len(cells) for cells in (a, b)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def pair_correlations(features: CellFeatures, table: pa.Table) -> np.ndarray:
    """Correlations of all features of different columns, 0 where one is constant; with ranks, as Spearman has them.

    Of at most 50,000 rows. Shapes: (D, D), NaN for features of one column.
    """
    spread = features.spread(evenly(table, MOST_PAIRED)).astype(np.float64)
    spread -= spread.mean(axis=0)
    lengths = np.sqrt((spread**2).sum(axis=0))
    spread /= np.where(lengths > 0, lengths, 1)
    of_one = features.origin[:, None] == features.origin
    return np.where(of_one, np.nan, spread.T @ spread)


def pair_difference(features: CellFeatures, real: pa.Table, synthetic: pa.Table) -> float:
    """The largest difference of a correlation between two columns, the mean over pairs of columns; 0 of one column."""
    difference = np.abs(pair_correlations(features, real) - pair_correlations(features, synthetic))
    starts = np.flatnonzero(np.diff(features.origin, prepend=-1))
    largest = np.maximum.reduceat(np.maximum.reduceat(difference, starts, axis=0), starts, axis=1)
    pairs = largest[np.triu_indices(len(largest), 1)]
    return float(pairs.mean()) if len(pairs) else 0.0


def detection(features: CellFeatures, real: pa.Table, synthetic: pa.Table, seed: int = 0) -> list[float]:
    """How well boosting tells synthetic rows from as many real ones: cross-validated ROC AUC and its 95% interval.

    The interval is that of `intervals.estimate` over five folds.
    """
    n_rows = min(real.num_rows, synthetic.num_rows, MOST_ROWS)
    if n_rows < FEWEST_TOLD:
        return [float("nan")] * 3
    draws = np.random.default_rng(seed)
    parts = [features.plain(t.take(draws.permutation(t.num_rows)[:n_rows])) for t in (real, synthetic)]
    x, y = np.concatenate(parts), np.repeat([0, 1], n_rows)
    areas = []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        boosting = HistGradientBoostingClassifier(
            random_state=seed, categorical_features=features.is_level, min_samples_leaf=min(20, n_rows // 10)
        )
        with threadpool_limits(1):  # the same sums on every machine, and no waiting for busy cores
            told = boosting.fit(x[train], y[train]).predict_proba(x[test])[:, 1]
        areas.append(roc_auc_score(y[test], told))
    found = estimate(areas, 1 / (FOLDS - 1))
    low, high = found.interval or (np.nan, np.nan)
    return [float(np.mean(areas)), max(low, 0.0), min(high, 1.0)]
