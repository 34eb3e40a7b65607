"""The fitted way from a table to a float32 matrix; part of the model, saved as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import CategoryCoding, category_words, fit_category, share_of_rare
from qloom.data.cells import dates, numbers, plain_column, truths
from qloom.data.column_statistics import HeldNumbers, held_dates, held_levels
from qloom.data.columns import require_columns
from qloom.data.date_coding import DateCoding, fit_date
from qloom.data.embedding_coding import EmbeddingCoding, fit_embedding
from qloom.data.level_means import LevelMeans, fit_level_means
from qloom.data.novelty import Novelties, SeenColumn, find_novelties, learn_column, seen_from_json, seen_to_json
from qloom.data.number_coding import NumberCoding, find_codes, fit_number
from qloom.data.queries import queried_columns
from qloom.data.schema import Column, Schema, read_record
from qloom.data.target import TargetCoding
from qloom.data.text_coding import TextCoding, fit_text
from qloom.errors import ArtifactError, DataError

Coding = NumberCoding | CategoryCoding | LevelMeans | DateCoding | TextCoding | EmbeddingCoding
_CODINGS: dict[str, type[Any]] = {
    "number": NumberCoding,
    "category": CategoryCoding,
    "level_means": LevelMeans,
    "date": DateCoding,
    "text": TextCoding,
    "embedding": EmbeddingCoding,
}
_SLICE = 16_384  # rows coded at a time, so that a slice of the matrix stays in cache
_ROWS_PER_CODE = 30
_ROWS_PER_CODE_FEATURE = 20
_SHARE_BESIDE_MEANS = 0.05  # of the rows; the least that a level with its own feature has where all have a mean
_MOST_RARE = 0.1  # share of rows in rare levels up to which one-hot features say enough


class Preprocessing:
    """Turns the feature columns of a table into network inputs; learnt from training rows only.

    - Number: missing cells take the training median, plus a missing indicator if training had any; heavy
      tails and skew are mapped to normal quantiles; then standardised and clipped.
    - Whole number with 3 to `max_codes` distinct training values, 30 rows each on average: often a code (an
      hour, a grade), so each frequent value also has a one-hot feature. Columns with the fewest values come
      first, as long as there are 20 training rows for each such feature.
    - Boolean: one standardised number, plus a missing indicator; a word that is neither counts as missing.
    - Category: one-hot; levels under `min_share` or beyond the `max_levels` most frequent share "(rare)", and
      unseen levels join them, or are all zeros if training had none; missing is a level of its own.
    - Category with more than a tenth of the rows in rare levels: also the mean target of each level, learnt without the
      row itself for the training rows.
    - Text: weighted counts of words, reduced to 32 numbers, or what a frozen sentence model makes of it, reduced to 64.
    - Date: days since the first, year, and sine and cosine of month, weekday and hour, where they vary.

    Args:
        max_levels: one-hot levels a category has at most.
        max_codes: distinct values a whole-number column may have to be one-hot too; 0 for never.
        min_share: share of training rows below which a level or code has no feature of its own.
        clip: bound of standardised numbers.
        text_model: folder of a sentence model, for text; None for counts of words.
        text_cache: folder to keep what that makes of texts in; None for memory alone.

    Attributes:
        queried: the columns that the query behind the training table saw, for `read_table(..., known=)`; None for none.
    """

    def __init__(
        self,
        *,
        max_levels: int = 30,
        max_codes: int = 31,
        min_share: float = 0.01,
        clip: float = 5.0,
        text_model: str | None = None,
        text_cache: str | None = None,
    ) -> None:
        self.max_levels = max_levels
        self.max_codes = max_codes
        self.min_share = min_share
        self.clip = clip
        self.text_model = text_model
        self.text_cache = text_cache
        self._codings: tuple[Coding, ...] | None = None
        self.seen: tuple[SeenColumn, ...] | None = None  # None in what was saved before it was kept
        self.queried: tuple[Column, ...] | None = None

    def fit(self, table: pa.Table, schema: Schema, rows: np.ndarray | None = None) -> Preprocessing:
        """Learn from the given rows, all if None; no other row is looked at.

        Raises:
            DataError: for a missing column, cells of another kind than the schema's, or no rows.
        """
        self._learn(table, schema, rows)
        return self

    def fit_transform(self, table: pa.Table, schema: Schema, rows: np.ndarray | None = None) -> np.ndarray:
        """Learn from the given rows, all if None, and code every row of the table.

        Where targets are learnt from (the means of a category's levels), the rows given get what the others of them
        say; `transform` of the same rows would give their targets away.

        Shapes: B rows -> float32 (B, F).
        """
        apart = self._learn(table, schema, rows)
        out = self.transform(table)
        first = 0
        for i, coding in enumerate(self.codings):
            last = first + len(coding.feature_names)
            if i in apart:
                out[slice(None) if rows is None else rows, first:last] = apart[i]
            first = last
        return out

    def _learn(self, table: pa.Table, schema: Schema, rows: np.ndarray | None) -> dict[int, np.ndarray]:
        """Fit all codings; by number of a coding the features of the rows learnt from, where they differ."""
        require_columns(table, [column.name for column in schema.features], "to fit the preprocessing")
        self.queried = queried_columns(table)
        whole, table = table, table.select([column.name for column in schema.features])
        table = table if rows is None else table.take(pa.array(np.asarray(rows)))
        if table.num_rows == 0:
            raise DataError("0 training rows, expected at least one; widen the training share")
        cells = {column.name: read_column(table, column) for column in schema.features}
        statistics = {name: _held_statistics(each) for name, each in cells.items() if schema[name].kind != "text"}
        apart = self.make(schema, statistics, cells, lambda: outcomes(whole, schema, rows), table.num_rows)
        self.seen = tuple(
            learn_column(column.name, cells[column.name], free_text=column.kind == "text") for column in schema.features
        )
        return apart

    def make(
        self,
        schema: Schema,
        statistics: Mapping[str, Any],
        cells: Mapping[str, Any],
        told: Callable[[], tuple[tuple[str, ...], np.ndarray]],
        n_rows: int,
    ) -> dict[int, np.ndarray]:
        """Make the codings from statistics of training rows; `fit` and streams do this.

        Args:
            statistics: of each feature, by its kind: `NumberStatistics` (also booleans), `LevelStatistics` or
                `DateStatistics`; none for text.
            cells: training cells of text and of categories of many levels, whose words and means are learnt from these.
            told: `outcomes` of the rows of `cells`, called where they are needed.
            n_rows: of training, behind the statistics.

        Returns:
            By number of a coding the features of the rows of `cells`, where they differ from what it makes of them.
        """
        self._check_text_model(schema)
        codes = self._choose_codes(schema.features, statistics, n_rows)
        codings: list[Coding] = []
        apart: dict[int, np.ndarray] = {}
        for column in schema.features:
            name = column.name
            if column.kind == "category":
                frequent = fit_category(name, statistics[name], self.max_levels, self.min_share)
                many = share_of_rare(frequent, statistics[name]) > _MOST_RARE
                if many:
                    frequent = fit_category(name, statistics[name], self.max_levels, _SHARE_BESIDE_MEANS)
                codings += [frequent] if frequent.levels or not many else []
                if many:
                    names, values = told()
                    coding, apart[len(codings)] = fit_level_means(name, cells[name], values, names, self.clip)
                    codings.append(coding)
            elif column.kind == "text":
                codings.append(self._make_text(name, cells[name]))
            else:
                codings.append(self._make_number(column, statistics[name], codes.get(name, ())))
        self._codings = tuple(codings)
        return apart

    def _check_text_model(self, schema: Schema) -> None:
        if self.text_model is not None and not any(column.kind == "text" for column in schema.features):
            raise DataError(
                f"no column is free text, expected one for the text model in {self.text_model}; say which with "
                "kinds={'COLUMN': 'text'}, or leave the model out"
            )

    def _make_text(self, name: str, cells: pa.ChunkedArray) -> Coding:
        if self.text_model is None:
            return fit_text(name, cells)
        return fit_embedding(name, cells, self.text_model, self.text_cache)

    def _make_number(self, column: Column, statistics: Any, codes: tuple[float, ...]) -> Coding:
        if column.kind == "date":
            coding = fit_date(column.name, statistics, column.date_format, self.clip)
            return replace(coding, has_words=column.n_words > 0)
        number = fit_number(column.name, statistics, self.clip, codes, column.kind == "boolean")
        return replace(number, number_format=column.number_format, has_words=column.n_words > 0)

    def _choose_codes(
        self, columns: Sequence[Column], statistics: Mapping[str, Any], n_rows: int
    ) -> dict[str, tuple[float, ...]]:
        """The codes of whole-number columns, fewest first, within the budget of features."""
        found = {
            column.name: find_codes(statistics[column.name], self.max_codes, _ROWS_PER_CODE, self.min_share)
            for column in columns
            if column.kind == "number"
        }
        chosen: dict[str, tuple[float, ...]] = {}
        left = n_rows // _ROWS_PER_CODE_FEATURE
        for name in sorted(found, key=lambda name: len(found[name])):
            if len(found[name]) <= left:
                chosen[name] = found[name]
                left -= len(found[name])
        return chosen

    @property
    def is_fitted(self) -> bool:
        """Whether it has learnt from a table."""
        return self._codings is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """What else predictions need, one line each."""
        return tuple(coding.note for coding in self.codings if isinstance(coding, EmbeddingCoding))

    @property
    def codings(self) -> tuple[Coding, ...]:
        """The fitted codings in the order of the columns."""
        if self._codings is None:
            raise DataError("this Preprocessing has learnt nothing yet, expected a fitted one; call fit first")
        return self._codings

    @property
    def feature_names(self) -> list[str]:
        """F names, such as "age", "hr=7", "job=clerk", "income missing"."""
        return [name for coding in self.codings for name in coding.feature_names]

    @property
    def n_features(self) -> int:
        """F."""
        return len(self.feature_names)

    def transform(
        self, table: pa.Table, *, threads: int = 1, is_plain: bool = False, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Code the rows of a table; further columns are ignored.

        Args:
            threads: slices of rows coded side by side; the result is the same.
            is_plain: whether cells are known to be plain, as those of `read_table` and of a stream's blocks are.
            out: float32, of at least B rows and F columns, to fill and to return the first B rows of; None for a new
                array.

        Shapes: B rows -> float32 (B, F).

        Raises:
            DataError: for a missing column, cells of another kind than in training, or infinite values.
        """
        read = self._read(table, is_plain)
        out = np.empty((table.num_rows, self.n_features), dtype=np.float32) if out is None else out[: table.num_rows]
        slices = [slice(start, start + _SLICE) for start in range(0, table.num_rows, _SLICE)]

        def write(rows: slice) -> None:
            self._write_slice([cells[rows] for cells in read], out[rows])

        if threads == 1 or len(slices) < 2:
            for rows in slices:
                write(rows)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(write, slices))
        return out

    def _read(self, table: pa.Table, is_plain: bool = False) -> list[Any]:
        """The cells that each coding takes in."""
        require_columns(table, [coding.name for coding in self.codings], "by the model")
        plain = (lambda cells: cells) if is_plain else plain_column
        return [coding.read(plain(table[coding.name])) for coding in self.codings]

    def cells(self, table: pa.Table) -> dict[str, Any]:
        """The cells of each column as the model reads them: numbers with NaN, dates with NaT, or text."""
        return dict(zip((coding.name for coding in self.codings), self._read(table), strict=True))

    def novelties(self, table: pa.Table) -> Novelties | None:
        """What of the rows of a table training has not seen; None where that was not kept."""
        if self.seen is None:
            return None
        used = {coding.name for coding in self.codings}
        seen = tuple(column for column in self.seen if column.name in used)
        return find_novelties(seen, self.cells(table), table.num_rows)

    def _write_slice(self, columns: Sequence[Any], out: np.ndarray) -> None:
        """Code some rows; each coding fills its own features."""
        first = 0
        for coding, cells in zip(self.codings, columns, strict=True):
            last = first + len(coding.feature_names)
            coding.write(cells, out[:, first:last])
            first = last

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, versioned; `from_json` gives bit-identical transforms."""
        codings = [{"kind": _coding_kind(coding), **asdict(coding)} for coding in self.codings]
        options = {name: getattr(self, name) for name in ("max_levels", "max_codes", "min_share", "clip")}
        queried = None if self.queried is None else [asdict(column) for column in self.queried]
        fields = {"options": options, "codings": codings, "seen": seen_to_json(self.seen), "queried": queried}
        return {"format": "qloom-preprocessing", "version": 1, **fields}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Preprocessing:
        """The preprocessing that `to_json` wrote.

        Raises:
            ArtifactError: for a record of another format or version, or a damaged one.
        """
        fields = read_record(record, "qloom-preprocessing")
        try:
            loaded = cls(**fields["options"])
            queried = fields.get("queried")
            loaded.queried = None if queried is None else tuple(Column(**column) for column in queried)
            loaded._codings = tuple(_read_coding(entry) for entry in fields["codings"])
            loaded.seen = seen_from_json(fields.get("seen"))
        except (KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"the preprocessing record is damaged ({error}), expected version 1; save it again"
            ) from None
        return loaded


def read_column(table: pa.Table, column: Column) -> Any:
    """Cells as numbers, dates or text, by the column's kind."""
    cells = plain_column(table[column.name])
    if column.kind == "number":
        return numbers(cells, column.name, column.number_format, column.n_words > 0)
    if column.kind == "boolean":
        return truths(cells, column.name)
    if column.kind == "date":
        return dates(cells, column.name, column.date_format, column.n_words > 0)
    words = category_words(cells)
    return pc.fill_null(words, "") if column.kind == "text" else words


def _held_statistics(cells: Any) -> Any:
    """Statistics of cells in memory: numbers, dates or words."""
    if not isinstance(cells, np.ndarray):
        return held_levels(cells)
    return held_dates(cells) if cells.dtype.kind == "M" else HeldNumbers(cells)


def outcomes(table: pa.Table, schema: Schema, rows: np.ndarray | None) -> tuple[tuple[str, ...], np.ndarray]:
    """What levels may have means of, with the values of the given rows: classes, the second of two, or the number.

    Shapes: float64 (B, K).
    """
    target = table[schema.target] if rows is None else table[schema.target].take(pa.array(np.asarray(rows)))
    codes = TargetCoding.fit(table, schema, rows).encode(target)
    if schema.task == "regression":
        return ("",), codes[:, None].astype(np.float64)
    if len(schema.classes) == 2:
        return ("",), codes[:, None].astype(np.float64)
    return tuple(str(label) for label in schema.classes), np.eye(len(schema.classes))[codes]


def _coding_kind(coding: Coding) -> str:
    return next(kind for kind, wanted in _CODINGS.items() if isinstance(coding, wanted))


def _read_coding(entry: Mapping[str, Any]) -> Coding:
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items() if key != "kind"}
    coding: Coding = _CODINGS[entry["kind"]](**fields)
    return coding
