"""Rows that are equal in every feature: copies of one row, or rows of a table that has few different ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from qloom.data.row_keys import table_keys
from qloom.data.schema import Schema

# Rows have at most so many equals on average, or this share of all rows, where equal rows are taken for copies.
_FEW = 10
_SHARE = 0.01
_FEWEST_DIFFERENT = 20


@dataclass(frozen=True)
class Copies:
    """Which rows are equal in every feature.

    Attributes:
        units: the number of its different row for each row, (B,).
        n_repeated: rows that repeat an earlier one, whatever their target.
        n_contradictory: of these, rows whose target is none that an equal row had before.
    """

    units: np.ndarray
    n_repeated: int
    n_contradictory: int

    @property
    def n_different(self) -> int:
        """Different rows."""
        return len(self.units) - self.n_repeated

    @property
    def are_copies(self) -> bool:
        """Whether equal rows are few enough to be one row several times, which belongs on one side of a split.

        Where a table can only have few different rows, such as one of three categories, equal rows are rows like any
        others, and to keep them together would leave next to nothing to cut.
        """
        sizes = np.bincount(self.units)
        equals = float((sizes.astype(float) ** 2).sum() / len(self.units))
        few = equals <= max(_FEW, _SHARE * len(self.units))
        return bool(self.n_repeated) and few and self.n_different >= _FEWEST_DIFFERENT


def find_copies(table: pa.Table, schema: Schema) -> Copies:
    """The rows of a table that are equal in every feature."""
    features = table.select([column.name for column in schema.features])
    found = equal_rows(features)
    whole = features.append_column("target", table[schema.target])
    n_distinct = len(np.unique(table_keys(whole)))
    return replace(found, n_contradictory=n_distinct - found.n_different)


def equal_rows(features: pa.Table) -> Copies:
    """The equal rows of a table of features alone."""
    units = np.unique(table_keys(features), return_inverse=True)[1]
    return Copies(units, len(units) - int(units.max()) - 1, 0)
