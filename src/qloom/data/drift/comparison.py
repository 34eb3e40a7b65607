"""Which columns have moved: how far (population stability index), and whether by more than chance."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import chdtrc, kolmogorov

from qloom.data.drift.bins import Bins, NumberBins
from qloom.data.drift.reference import Counts, Reference

PSI, LEVEL = 0.1, 0.05
_FEWEST_EXPECTED = 5.0


@dataclass(frozen=True)
class ColumnDrift:
    """How a column of new rows differs from the rows that a model learnt from.

    Attributes:
        column: its name, or `PREDICTION`.
        kind: "number", "date" or "category".
        psi: population stability index of about ten groups: 0 for equal shares, from .1 on one that is looked at,
            from .25 on a large one.
        test: "Kolmogorov-Smirnov" of numbers and dates, missing cells below all; "chi squared" of categories.
        statistic: of the test, from the bins, so that Kolmogorov's distance is never above that of the raw values.
        p: how often chance alone would give as much.
        p_corrected: the same for all columns together (Holm).
        n: new rows that were counted.
        matters: whether psi and p_corrected both pass their bounds. Never of dates, which move on by themselves.
        group, before, after: the group of cells whose share changed most, with its shares.
    """

    column: str
    kind: str
    psi: float
    test: str
    statistic: float
    p: float
    p_corrected: float
    n: int
    matters: bool
    group: str
    before: float
    after: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def find_drift(
    reference: Reference, counts: Counts, *, psi: float = PSI, level: float = LEVEL
) -> tuple[ColumnDrift, ...]:
    """Every counted column, those that matter first, then by stability index.

    At a million rows every difference is significant, and at twenty any index is large: what matters has passed both.

    Args:
        reference, counts: the old rows and the new ones.
        psi: index from which a column has moved far.
        level: of the p values, corrected for the number of columns.
    """
    found = [
        (name, bins, reference.counted.columns[name], counts.columns[name])
        for name, bins in reference.bins.items()
        if name in counts.columns and counts.columns[name].sum() and reference.counted.columns[name].sum()
    ]
    tested = [_test(bins, before, after) for _, bins, before, after in found]
    corrected = holm([p for _, _, p in tested])
    drifts = [
        _column(*each, tested[k], corrected[k], psi, level)
        for k, each in enumerate(found)
    ]  # fmt: skip
    return tuple(sorted(drifts, key=lambda each: (not each.matters, -each.psi)))


def _column(
    name: str, bins: Bins, before: np.ndarray, after: np.ndarray, tested: tuple[str, float, float], corrected: float,
    least_psi: float, level: float,
) -> ColumnDrift:  # fmt: skip
    labels, old, new = grouped(bins, before, after)
    index = stability_index(old, new)
    moved = int(np.argmax(np.abs(old / old.sum() - new / new.sum())))
    matters = index >= least_psi and corrected <= level and bins.kind != "date"
    shares = float(old[moved] / old.sum()), float(new[moved] / new.sum())
    return ColumnDrift(name, bins.kind, index, *tested, corrected, int(after.sum()), matters, labels[moved], *shares)


def grouped(bins: Bins, before: np.ndarray, after: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Counts of the groups that any row fell into, with their labels.

    Shapes: before, after (n_bins,) -> G labels, (G,), (G,).
    """
    group, labels = bins.groups(before)
    old, new = (np.bincount(group, counts, minlength=len(labels)) for counts in (before, after))
    used = np.flatnonzero(old + new)
    return [labels[k] for k in used], old[used], new[used]


def stability_index(old: np.ndarray, new: np.ndarray) -> float:
    """sum (q - p) ln(q / p) over shares p, q of groups; half a cell is added to each, so that none is empty.

    Shapes: old, new (G,) counts.

    Source: Lewis 1994, An Introduction to Credit Scoring; its distribution: Yurdakul 2018, Western Michigan
        University, Statistical Properties of Population Stability Index.
    """
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (old, new))
    return float(np.sum((q - p) * np.log(q / p)))


def _test(bins: Bins, before: np.ndarray, after: np.ndarray) -> tuple[str, float, float]:
    if isinstance(bins, NumberBins):
        return "Kolmogorov-Smirnov", *kolmogorov_smirnov(before, after)
    return "chi squared", *chi_squared(before, after)


def kolmogorov_smirnov(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """The largest distance of both distribution functions at the bins' edges, and its asymptotic p value.

    Shapes: before, after (n_bins,) counts in rising order.
    """
    distance = float(np.abs(np.cumsum(before) / before.sum() - np.cumsum(after) / after.sum()).max())
    n = before.sum() * after.sum() / (before.sum() + after.sum())
    return distance, float(kolmogorov(math.sqrt(n) * distance))


def chi_squared(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Pearson's test that both rows of counts have the same shares, and its p value.

    Levels of which fewer than 5 cells are expected in a row of counts are taken as one.

    Shapes: before, after (n_bins,) counts.
    """
    table = np.stack([before, after]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    smallest = table.sum(axis=0) * min(table.sum(axis=1)) / table.sum()
    rare = smallest < _FEWEST_EXPECTED
    if rare.any():
        table = np.c_[table[:, ~rare], table[:, rare].sum(axis=1)]
    if table.shape[1] < 2:
        return 0.0, 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, float(chdtrc(table.shape[1] - 1, statistic))


def holm(p: list[float]) -> list[float]:
    """p values of several tests, so that with the corrected ones the chance of any false alarm is the level.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    order = np.argsort(p, kind="stable")
    corrected, largest = [1.0] * len(p), 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, p[k] * (len(p) - rank)))
        corrected[k] = largest
    return corrected
