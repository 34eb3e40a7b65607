"""The bins of a column: quantiles of numbers and dates, levels of categories; missing cells have a bin of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import MISSING, RARE
from qloom.errors import ArtifactError

Cells = Any  # numpy numbers with NaN, numpy dates with NaT, or an Arrow column of text
_QUANTILES = np.linspace(0, 1, 65)
_MOST_LEVELS = 50
_GROUPS = 10


@dataclass(frozen=True)
class NumberBins:
    """Bins of numbers or of dates (seconds since 1970).

    Counts are of missing cells, then of values up to each edge, then of those above the last. The first edge is just
    below the smallest value learnt from and the last is the largest, so that the outer bins hold what was never seen.

    Attributes:
        edges: K rising ones; K + 2 bins.
        is_date: whether values are times.
    """

    edges: tuple[float, ...]
    is_date: bool = False

    @classmethod
    def learn(cls, cells: np.ndarray) -> NumberBins:
        """Edges at quantiles of the cells; at every value where these are few."""
        values, is_date = _plain(cells), cells.dtype.kind == "M"
        present = values[~np.isnan(values)]
        if not len(present):
            return cls((), is_date)
        edges = np.unique(np.quantile(present, _QUANTILES, method="inverted_cdf"))
        return cls((float(np.nextafter(edges[0], -np.inf)), *edges.tolist()), is_date)

    @property
    def kind(self) -> str:
        """ "number" or "date"."""
        return "date" if self.is_date else "number"

    @property
    def n_bins(self) -> int:
        """K + 2."""
        return len(self.edges) + 2

    def count(self, cells: np.ndarray) -> np.ndarray:
        """Shapes: cells (B,) -> int64 (n_bins,)."""
        values = _plain(cells)
        found = np.where(np.isnan(values), 0, 1 + np.searchsorted(self.edges, values, side="left"))
        return np.bincount(found, minlength=self.n_bins)

    def groups(self, counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Neighbouring bins joined to groups of about a tenth of the counted cells each, as the stability index has it.

        What was never seen joins the outermost groups, unless there are so few values that each has its own.

        Shapes: counts (n_bins,) -> the group of each bin (n_bins,), a label a group.
        """
        if not self.edges:
            return np.array([0, 1]), [MISSING, "any"]
        inner = counts[2:-1]
        few = len(inner) <= _GROUPS
        middle = np.cumsum(inner) - inner / 2
        own = np.arange(len(inner)) if few else (middle * _GROUPS / max(inner.sum(), 1)).astype(int)
        own = np.unique(own, return_inverse=True)[1] + 2
        below, above = (1, own[-1] + 1) if few else (2, own[-1])
        numbers, group = np.unique(np.r_[0, below, own, above], return_inverse=True)
        return group, [MISSING] + [self._label(np.flatnonzero(group == k), few) for k in range(1, len(numbers))]

    def _label(self, bins: np.ndarray, few: bool) -> str:
        low, high = bins[0] - 2, bins[-1] - 1  # numbers of the edges below and above
        if high >= len(self.edges):
            return f"above {self._spoken(low)}"
        if low < 0:
            return f"below {self._spoken(1)}" if few else f"up to {self._spoken(high)}"
        return self._spoken(high) if few else f"{self._spoken(low)} to {self._spoken(high)}"

    def _spoken(self, edge: int) -> str:
        value = self.edges[edge]
        return str(np.datetime64(int(value), "s").astype("datetime64[D]")) if self.is_date else f"{value:.4g}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": self.kind, "edges": list(self.edges)}


@dataclass(frozen=True)
class LevelBins:
    """Bins of text: the frequent levels, then all other ones together, then missing cells.

    Attributes:
        levels: K of them; K + 2 bins.
    """

    levels: tuple[str, ...]
    kind = "category"

    @classmethod
    def learn(cls, cells: pa.ChunkedArray) -> LevelBins:
        """The most frequent levels, ties by name."""
        counts = pc.value_counts(cells.drop_null()).to_pylist()
        ranked = sorted(counts, key=lambda entry: (-entry["counts"], entry["values"]))
        return cls(tuple(str(entry["values"]) for entry in ranked[:_MOST_LEVELS]))

    @property
    def n_bins(self) -> int:
        """K + 2."""
        return len(self.levels) + 2

    def count(self, cells: pa.ChunkedArray) -> np.ndarray:
        """Shapes: cells (B,) -> int64 (n_bins,)."""
        found = pc.fill_null(pc.index_in(cells, value_set=pa.array(self.levels, pa.string())), len(self.levels))
        found = np.where(np.asarray(pc.is_null(cells)), len(self.levels) + 1, np.asarray(found))
        return np.bincount(found, minlength=self.n_bins)

    def groups(self, counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Every level by itself.

        Shapes: counts (n_bins,) -> the group of each bin (n_bins,), a label a group.
        """
        return np.arange(self.n_bins), [*self.levels, RARE, MISSING]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": self.kind, "levels": list(self.levels)}


Bins = NumberBins | LevelBins
"""What a column is counted in: `NumberBins` for numbers and dates, `LevelBins` for text."""


def learn_bins(cells: Cells) -> Bins:
    """The bins of a column's cells."""
    return NumberBins.learn(cells) if isinstance(cells, np.ndarray) else LevelBins.learn(cells)


def read_bins(record: dict[str, Any]) -> Bins:
    """What `to_json` wrote."""
    if record["kind"] == "category":
        return LevelBins(tuple(map(str, record["levels"])))
    if record["kind"] not in ("number", "date"):
        raise ArtifactError(f"bins are of kind {record['kind']!r}, expected number, date or category; update qloom")
    return NumberBins(tuple(map(float, record["edges"])), record["kind"] == "date")


def _plain(cells: np.ndarray) -> np.ndarray:
    """Numbers as float64, dates as seconds since 1970, with NaN for missing."""
    if cells.dtype.kind != "M":
        return cells.astype(np.float64)
    return np.where(np.isnat(cells), np.nan, cells.astype("datetime64[s]").astype(np.int64))
