"""Categories as one-hot features, with rare levels joined and a missing cell as a level of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.column_statistics import LevelStatistics

RARE = "(rare)"
MISSING = "(missing)"


@dataclass(frozen=True)
class CategoryCoding:
    """The fitted coding of one category column.

    Attributes:
        name: the column.
        levels: the frequent training levels, one feature "name=level" each.
        has_rare: whether training had rare levels; unseen levels then count as rare, else they give all
            zeros.
        has_missing: whether training had missing cells; later ones otherwise give all zeros.
    """

    name: str
    levels: tuple[str, ...]
    has_rare: bool
    has_missing: bool

    @property
    def feature_names(self) -> list[str]:
        """One name a level, then rare, then missing."""
        extra = [RARE] * self.has_rare + [MISSING] * self.has_missing
        return [f"{self.name}={level}" for level in (*self.levels, *extra)]

    @property
    def became(self) -> str:
        """What the column becomes, in words."""
        rare = ", the rare ones as one" if self.has_rare else ""
        return f"{len(self.levels)} levels, yes or no each{rare}" if self.levels else "nothing: every level is rare"

    def read(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Cells as text."""
        return category_words(cells)

    def write(self, values: pa.ChunkedArray, out: np.ndarray) -> None:
        """Code cells.

        Shapes: values text (B,); out float32 (B, len(feature_names)), filled in place.
        """
        n_levels = len(self.levels)
        found = pc.index_in(values, value_set=pa.array(self.levels, pa.string()))
        codes = pc.fill_null(found, n_levels).to_numpy()
        if values.null_count:
            codes = np.where(np.asarray(pc.is_null(values).to_numpy()), n_levels + 1, codes)
        kept = [*range(n_levels), *[n_levels] * self.has_rare, *[n_levels + 1] * self.has_missing]
        out[:] = np.eye(n_levels + 2, dtype=np.float32)[:, kept][codes]


def category_words(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells of any plain type as text; whole floats lose their .0, which blanks may have brought."""
    if pa.types.is_floating(cells.type):
        whole = cells.cast(pa.int64(), safe=False)
        if pc.all(pc.equal(whole, cells)).as_py():
            cells = whole
    return cells.cast(pa.string())


def fit_category(name: str, statistics: LevelStatistics, max_levels: int, min_share: float) -> CategoryCoding:
    """Fit the coding of a column to the levels of its training cells: by falling count, then by name."""
    enough = min_share * statistics.n_rows
    ranked = zip(statistics.levels, statistics.counts, strict=True)
    frequent = [level for level, count in ranked if count >= enough][:max_levels]
    n_known = sum(statistics.counts[: len(frequent)])
    has_rare = n_known + statistics.n_missing < statistics.n_rows
    return CategoryCoding(name, tuple(frequent), has_rare, statistics.n_missing > 0)


def share_of_rare(coding: CategoryCoding, statistics: LevelStatistics) -> float:
    """The share of the cells that have no feature of their own."""
    known = sum(statistics.counts[: len(coding.levels)])
    return 1 - (known + statistics.n_missing) / statistics.n_rows
