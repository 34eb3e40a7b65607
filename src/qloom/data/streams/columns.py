"""One column of a stream on its way: its cells are read, those of training rows summed up, and all rows counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import category_words
from qloom.data.cells import dates, numbers, truths
from qloom.data.column_statistics import DateStatistics, LevelStatistics
from qloom.data.kinds import fill_range
from qloom.data.novelty import SeenColumn, kept_levels
from qloom.data.recognition import shown_levels, shown_range
from qloom.data.row_keys import cell_keys
from qloom.data.schema import Column
from qloom.data.streams.distinct import DistinctCount
from qloom.data.streams.levels import LevelCounts
from qloom.data.streams.quantiles import QuantileSketch
from qloom.data.streams.summaries import DateSummary, NumberSummary, Range

_NEARLY_ALL = 0.92  # of the rows; distinct values are counted to within 5 deviations of 1.6%


class PassingColumn(ABC):
    """What is learnt of one column.

    Attributes:
        column: as found on the sample.
    """

    def __init__(self, column: Column) -> None:
        self.column = column

    @abstractmethod
    def read(self, cells: pa.ChunkedArray) -> Any:
        """Plain cells as the column's kind has them; DataError for one that is none."""

    @abstractmethod
    def update(self, cells: pa.ChunkedArray, read: Any, training: np.ndarray) -> None:
        """Take in a block.

        Args:
            cells: of rows with a target, (B,).
            read: what `read` made of them.
            training: whether rows are of training, (B,).
        """

    @property
    @abstractmethod
    def statistics(self) -> Any:
        """Of the training rows, as `Preprocessing.make` takes them; None for text."""

    @abstractmethod
    def found(self) -> Column:
        """The column with what is known after all rows."""

    @abstractmethod
    def seen(self) -> SeenColumn:
        """What training had."""

    @property
    def rank_error(self) -> float:
        """Of quantiles, a bound; 0 where these are exact or none."""
        return 0.0


class _Ordered(PassingColumn):
    """Numbers and dates: of all rows, the ends, the missing cells, the words and the different values.

    Attributes:
        is_whole: whether cells are whole numbers that may number the rows.
    """

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self._range, self._distinct = Range(), DistinctCount()
        self._n_present = self._n_missing = self._n_words = 0
        self.is_whole = False

    def _count(self, cells: pa.ChunkedArray, present: np.ndarray) -> None:
        self._n_present += len(present)
        self._n_missing += cells.null_count
        self._n_words += len(cells) - cells.null_count - len(present)
        self._range.update(present)
        self._distinct.update(cell_keys(present))

    def found(self) -> Column:
        shown = self._shown(self._range.low, self._range.high) if self._distinct.n else self.column.shown
        n_distinct = min(self._distinct.n, self._n_present)
        kept = replace(
            self.column, n_missing=self._n_missing, n_words=self._n_words, n_distinct=n_distinct, shown=shown
        )
        if not self._numbers_rows():
            return kept
        return replace(
            kept, kind="identifier", dropped=f"about {n_distinct:,} distinct whole numbers that run through the rows"
        )

    def _numbers_rows(self) -> bool:
        """Whether whole numbers only number the rows, which a sample of them cannot show."""
        is_running = self.is_whole and not self._n_missing and self._distinct.n >= _NEARLY_ALL * self._n_present
        return is_running and fill_range(self._n_present, self._range.low, self._range.high)

    @abstractmethod
    def _shown(self, low: float, high: float) -> str:
        """The ends of all rows in words."""


class PassingNumbers(_Ordered):
    """Numbers and booleans."""

    def __init__(self, column: Column, largest: float, most_codes: int, size: int) -> None:
        super().__init__(column)
        self.training = NumberSummary(largest, most_codes, size)

    def read(self, cells: pa.ChunkedArray) -> np.ndarray:
        if self.column.kind == "boolean":
            return truths(cells, self.column.name)
        return numbers(cells, self.column.name, self.column.number_format, self.column.n_words > 0)

    def update(self, cells: pa.ChunkedArray, read: np.ndarray, training: np.ndarray) -> None:
        missing = np.isnan(read)
        self.training.update(read[training])
        self._count(cells, read[~missing] if missing.any() else read)

    @property
    def statistics(self) -> NumberSummary:
        return self.training

    @property
    def rank_error(self) -> float:
        return self.training.sketch.rank_error

    def _shown(self, low: float, high: float) -> str:
        return shown_range(low, high, self.column) if self.column.kind == "number" else self.column.shown

    def seen(self) -> SeenColumn:
        kept = self.training
        low, high = (kept.low, kept.high) if kept.n_present else (None, None)
        return SeenColumn(self.column.name, low, high, missing=kept.n_missing > 0)


class PassingDates(_Ordered):
    """Dates, also written ones."""

    def __init__(self, column: Column, size: int) -> None:
        super().__init__(column)
        self.training = DateSummary(sketch=QuantileSketch(size))

    def read(self, cells: pa.ChunkedArray) -> np.ndarray:
        return dates(cells, self.column.name, self.column.date_format, self.column.n_words > 0)

    def update(self, cells: pa.ChunkedArray, read: np.ndarray, training: np.ndarray) -> None:
        self.training.update(read[training])
        self._count(cells, read[~np.isnat(read)].astype(np.int64).astype(np.float64))

    @property
    def statistics(self) -> DateStatistics:
        return self.training.statistics()

    @property
    def rank_error(self) -> float:
        return self.training.sketch.rank_error

    def _shown(self, low: float, high: float) -> str:
        first, last = (np.datetime64(int(end), "s").item() for end in (low, high))
        return shown_range(first, last, self.column)

    def seen(self) -> SeenColumn:
        ends = self.training.seconds
        low, high = (ends.low, ends.high) if self.training.n_present else (None, None)
        return SeenColumn(self.column.name, low, high, is_date=True, missing=self.training.n_missing > 0)


class PassingLevels(PassingColumn):
    """Categories."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.training, self._others = LevelCounts(), LevelCounts()

    def read(self, cells: pa.ChunkedArray) -> pa.DictionaryArray:
        encoded = category_words(cells).combine_chunks().dictionary_encode()
        return encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded

    def update(self, cells: pa.ChunkedArray, read: pa.DictionaryArray, training: np.ndarray) -> None:
        levels = read.dictionary.to_pylist()
        codes = pc.fill_null(read.indices, len(levels)).to_numpy()
        for counts, rows in ((self.training, training), (self._others, ~training)):
            found = np.bincount(codes[rows], minlength=len(levels) + 1).tolist()
            counts.add(dict(zip(levels, found, strict=False)), found[-1])

    @property
    def statistics(self) -> LevelStatistics:
        return self.training.statistics()

    def found(self) -> Column:
        whole = LevelCounts()
        whole.merge(self.training)
        whole.merge(self._others)
        levels = whole.statistics().levels
        return replace(
            self.column, n_missing=whole.n_missing, n_distinct=len(levels), n_words=0, shown=shown_levels(levels)
        )

    def seen(self) -> SeenColumn:
        levels = kept_levels(self.training.statistics().levels) if self.training.is_exact else None
        return SeenColumn(self.column.name, levels=levels, missing=self.training.n_missing > 0)


class PassingText(PassingColumn):
    """Free text, whose words are learnt from the sample."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self._n_missing = self._n_missing_training = 0

    def read(self, cells: pa.ChunkedArray) -> np.ndarray:
        return np.asarray(pc.is_null(cells).to_numpy())

    def update(self, cells: pa.ChunkedArray, read: np.ndarray, training: np.ndarray) -> None:
        self._n_missing += int(read.sum())
        self._n_missing_training += int(read[training].sum())

    @property
    def statistics(self) -> None:
        return None

    def found(self) -> Column:
        return replace(self.column, n_missing=self._n_missing)

    def seen(self) -> SeenColumn:
        return SeenColumn(self.column.name, missing=self._n_missing_training > 0)


def passing_column(
    column: Column, cells: pa.ChunkedArray, most_codes: int, size: int, is_asked: bool = False
) -> PassingColumn:
    """The way of a feature.

    Args:
        cells: of the sample.
        most_codes: distinct whole numbers that may be codes.
        size: of a sketch of quantiles.
        is_asked: whether the user has said what the column is.
    """
    if column.kind == "date":
        return PassingDates(column, size)
    if column.kind == "category":
        return PassingLevels(column)
    if column.kind == "text":
        return PassingText(column)
    values = PassingNumbers(column, 1.0, most_codes, size).read(cells)
    largest = float(np.nanmax(np.abs(values))) if not np.isnan(values).all() else 1.0
    way = PassingNumbers(column, largest, most_codes, size)
    way.is_whole = column.kind == "number" and pa.types.is_integer(cells.type) and not is_asked
    return way
