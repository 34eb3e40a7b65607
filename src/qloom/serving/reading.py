"""From cells of requests to numbers and codes: every column read by its own coding, as `qloom predict` reads it.

A request is read by itself, since how a column is read may hang on all of its cells; what was read is then the same in
whatever batch it is predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, groupby, pairwise
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data import Preprocessing
from qloom.data.category_coding import category_words
from qloom.data.cells import FALSE_WORDS, TRUE_WORDS, plain_column
from qloom.data.date_coding import DateCoding
from qloom.data.novelty import find_novelties
from qloom.data.number_coding import NumberCoding
from qloom.data.preprocessing import Coding
from qloom.errors import ArtifactError
from qloom.serving.refusals import MOST_PROBLEMS, Problem, invalid, spoken
from qloom.serving.vocabulary import Vocabulary

Columns = Mapping[str, Sequence[Any] | pa.ChunkedArray]
_CELLS = (str, int, float, bool, type(None))
_TRUTHS: dict[Any, float] = {None: np.nan, True: 1.0, False: 0.0}
_TRUTHS |= dict.fromkeys(TRUE_WORDS, 1.0) | dict.fromkeys(FALSE_WORDS, 0.0) | {"Yes": 1.0, "No": 0.0}


class _UnreadableError(ValueError):
    """Cells of which some cannot be read."""


_FAILURES = (ValueError, TypeError, OverflowError, NotImplementedError)


@dataclass(frozen=True)
class Reading:
    """The cells of a request, read.

    Attributes:
        numbers: float64 (N, B), dates as seconds since 1970; NaN for missing.
        codes: int32 (K, B), of words in `vocabulary`.
        n_rows: B.
    """

    numbers: np.ndarray
    codes: np.ndarray
    vocabulary: Vocabulary
    n_rows: int


class Reader:
    """How a model reads cells.

    Args:
        preprocessing: fitted, with N columns of numbers or dates and K of words.
    """

    def __init__(self, preprocessing: Preprocessing):
        self.preprocessing, codings = preprocessing, preprocessing.codings
        # A column of many levels has two codings.
        self.names = list(dict.fromkeys(coding.name for coding in codings))
        ends = np.cumsum([0, *(len(coding.feature_names) for coding in codings)])
        places = [slice(*pair) for pair in pairwise(ends)]
        numeric = [isinstance(coding, (NumberCoding, DateCoding)) for coding in codings]
        self._numeric: list[Coding] = list(compress(codings, numeric))
        self._worded = [coding for coding in codings if not isinstance(coding, (NumberCoding, DateCoding))]
        self._numeric_places = list(compress(places, numeric))
        words = [
            np.arange(place.start, place.stop)
            for place, is_number in zip(places, numeric, strict=True)
            if not is_number
        ]
        self._word_features = np.concatenate([*words, np.zeros(0)]).astype(int)
        self._plain = [k for k, coding in enumerate(self._numeric) if is_plain(coding)]
        self._others = [k for k in range(len(self._numeric)) if k not in self._plain]
        self._seen = {column.name: column for column in preprocessing.seen or () if column.name in self.names}
        bounds = np.array([self._bounds(coding.name) for coding in self._numeric]).reshape(-1, 3)
        self._lows, self._highs, self._had_missing = bounds[:, :1], bounds[:, 1:2], bounds[:, 2:].astype(bool)
        self.vocabulary = self._new_vocabulary()

    def _new_vocabulary(self) -> Vocabulary:
        return Vocabulary(self._worded, [self._seen.get(coding.name) for coding in self._worded])

    def _bounds(self, name: str) -> tuple[float, float, bool]:
        """The ends of what training had of a column, and whether cells were missing."""
        column = self._seen.get(name)
        if column is None:
            return -np.inf, np.inf, True
        if column.low is None or column.high is None:
            return np.inf, -np.inf, column.missing
        return column.low, column.high, column.missing

    def read(self, columns: Columns, n_rows: int) -> Reading:
        """Numbers and codes of columns, all of `names` among them.

        Raises:
            RequestError: 422 for cells of which no number or word can be made, each named.
        """
        problems: list[Problem] = []
        if self.vocabulary.is_full:
            self.vocabulary = self._new_vocabulary()
        vocabulary = self.vocabulary
        numbers = np.empty((len(self._numeric), n_rows))
        codes = np.empty((len(self._worded), n_rows), np.int32)
        if not self._read_plain(columns, numbers):
            for k in self._plain:
                self._try(numbers, k, self._numeric[k], columns, read_numbers, problems)
        for k in self._others:
            self._try(numbers, k, self._numeric[k], columns, read_numbers, problems)
        for k, coding in enumerate(self._worded):
            self._try(codes, k, coding, columns, _read_words(vocabulary, k), problems)
        if problems:
            raise invalid(sorted(problems, key=lambda problem: problem.row or 0))
        return Reading(numbers, codes, vocabulary, n_rows)

    def _read_plain(self, columns: Columns, out: np.ndarray) -> bool:
        """Read all columns of plain numbers at once; False where a cell is anything else."""
        cells = [columns[self._numeric[k].name] for k in self._plain]
        if not cells or not all(isinstance(each, (list, tuple)) for each in cells):
            return False
        try:
            read = pa.array(list(chain.from_iterable(cells)), pa.float64()).to_numpy(zero_copy_only=False)
        except _FAILURES:
            return False
        out[self._plain] = read.reshape(len(cells), -1)
        return bool(np.isfinite(read).all()) or not _has_odd_floats(cells)

    @staticmethod
    def _try(
        out: np.ndarray, k: int, coding: Coding, columns: Columns, read: Callable[[Coding, Any], Any],
        problems: list[Problem],
    ) -> None:  # fmt: skip
        cells = columns[coding.name]
        try:
            out[k] = read(coding, cells)
        except ArtifactError:  # of the model that codes texts, not of a cell
            raise
        except _FAILURES:
            left = MOST_PROBLEMS + 1 - len(problems)
            for row in _unreadable(lambda part: read(coding, part), cells, 0, left):
                cell = cells[row].as_py() if isinstance(cells, pa.ChunkedArray) else cells[row]
                problems.append(Problem(row, coding.name, f"got {spoken(cell)}", expected(coding)))

    # -- batches

    def features(self, readings: Sequence[Reading]) -> np.ndarray:
        """Network inputs of the rows of several requests, one after the other, as `Preprocessing.transform` has them.

        Shapes: -> float32 (B, F).
        """
        numbers = np.concatenate([reading.numbers for reading in readings], axis=1)
        out = np.empty((numbers.shape[1], self.preprocessing.n_features), np.float32)
        for coding, place, values in zip(self._numeric, self._numeric_places, numbers, strict=True):
            coding.write(_as_read(coding, values), out[:, place])
        first = 0
        for vocabulary, together in groupby(readings, key=lambda reading: reading.vocabulary):
            codes = np.concatenate([reading.codes for reading in together], axis=1)
            out[first : (first := first + codes.shape[1]), self._word_features] = vocabulary.features(codes)
        return out

    def cells(self, reading: Reading) -> dict[str, Any]:
        """The cells of each column as the model reads them: numbers with NaN, dates with NaT, or text."""
        words = reading.vocabulary.words
        found: dict[str, Any] = {
            coding.name: _as_read(coding, values) for coding, values in zip(self._numeric, reading.numbers, strict=True)
        }
        for coding, codes in zip(self._worded, reading.codes, strict=True):
            found[coding.name] = pa.chunked_array([pa.array([words[code] for code in codes], pa.string())])
        return found

    def table(self, reading: Reading) -> pa.Table:
        """The same as a table, which the model reads as the cells that were given."""
        return pa.table({name: _arrow(cells) for name, cells in self.cells(reading).items()})

    def novelties(self, reading: Reading) -> tuple[list[str], tuple[str, ...]] | None:
        """What of each row training has not seen, "" for nothing, and a line a kind of news; None where all was."""
        if not self._seen or not self._has_news(reading):
            return None
        found = find_novelties(tuple(self._seen.values()), self.cells(reading), reading.n_rows)
        return found.texts.to_pylist(), found.summary

    def _has_news(self, reading: Reading) -> bool:
        values = reading.numbers
        outside = (values < self._lows) | (values > self._highs)
        absent = np.isnan(values) & ~self._had_missing
        new = reading.vocabulary.is_new[reading.codes]
        return bool(outside.any() or absent.any() or new.any()) or self._has_empty_column(reading)

    @staticmethod
    def _has_empty_column(reading: Reading) -> bool:
        empty = np.isnan(reading.numbers).all(axis=1).any()
        return bool(empty or reading.vocabulary.is_missing[reading.codes].all(axis=1).any())


def is_plain(coding: Coding) -> bool:
    """Whether cells of a column are numbers alone, as a rule."""
    return isinstance(coding, NumberCoding) and not coding.boolean


def read_numbers(coding: Coding, cells: Any) -> np.ndarray:
    """Cells of a column of numbers, truths or dates: float64 (B,), dates in seconds since 1970, NaN for missing.

    Raises:
        ValueError, TypeError, OverflowError: for cells that are none.
    """
    if isinstance(cells, pa.ChunkedArray):
        return _as_floats(coding.read(plain_column(cells)))
    if isinstance(coding, NumberCoding) and coding.boolean:
        try:
            return np.array([_TRUTHS[cell] for cell in cells])
        except (KeyError, TypeError):
            pass
    _check_cells(cells)
    texts = np.array([isinstance(cell, str) for cell in cells])
    if texts.all():
        return _read_array(coding, pa.array(cells, pa.string()))
    others = _read_array(coding, _numbers_of([None if isinstance(cell, str) else cell for cell in cells]))
    if not texts.any():
        return others
    written = pa.array([cell if isinstance(cell, str) else None for cell in cells], pa.string())
    return np.where(texts, _read_array(coding, written), others)


def _read_array(coding: Coding, array: pa.Array) -> np.ndarray:
    return _as_floats(coding.read(plain_column(pa.chunked_array([array]))))


def _numbers_of(cells: list[Any]) -> pa.Array:
    """Whole numbers stay whole where they are small enough; those beyond 64 bits are floats."""
    if all(cell is None or (isinstance(cell, int) and abs(cell) < 1 << 63) for cell in cells):
        return pa.array(cells)
    return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())


def _read_words(vocabulary: Vocabulary, column: int) -> Callable[[Coding, Any], list[int] | np.ndarray]:
    """What reads a column of words as codes."""

    def read(coding: Coding, cells: Any) -> list[int] | np.ndarray:
        if isinstance(cells, pa.ChunkedArray):
            read_cells: Any = coding.read(plain_column(cells))
            words = read_cells.combine_chunks().dictionary_encode()
            codes = np.array([*vocabulary.codes(column, words.dictionary.to_pylist()), 0], np.int32)
            found = codes[words.indices.fill_null(-1).to_numpy()]
            if words.null_count:
                found[words.is_null().to_numpy(zero_copy_only=False)] = vocabulary.codes(column, [None])[0]
            return found
        try:
            return vocabulary.known(column, cells)
        except (KeyError, TypeError):
            return vocabulary.codes(column, _words_of(cells))

    return read


def _words_of(cells: Sequence[Any]) -> list[str | None]:
    """Numbers and truths among words, as words."""
    _check_cells(cells)
    if all(cell is None or isinstance(cell, str) for cell in cells):
        pa.array(cells, pa.string())  # no text where it cannot be written in UTF-8
        return list(cells)
    others = pa.array([None if isinstance(cell, str) else cell for cell in cells])
    words = category_words(plain_column(pa.chunked_array([others]))).to_pylist()
    return [cell if isinstance(cell, str) else word for cell, word in zip(cells, words, strict=True)]


def _check_cells(cells: Sequence[Any]) -> None:
    for cell in cells:
        if not isinstance(cell, _CELLS) or (isinstance(cell, float) and not isfinite(cell)):
            raise _UnreadableError


def _has_odd_floats(cells: Sequence[Sequence[Any]]) -> bool:
    return any(isinstance(cell, float) and not isfinite(cell) for column in cells for cell in column)


def _unreadable(read: Callable[[Any], Any], cells: Any, first: int, most: int) -> list[int]:
    """Rows whose cells cannot be read, by halving, the first `most` of them: whether one can hangs on itself alone."""
    if most <= 0:
        return []
    try:
        read(cells)
        return []
    except _FAILURES:
        if len(cells) == 1:
            return [first]
    middle = len(cells) // 2
    found = _unreadable(read, cells[:middle], first, most)
    return found + _unreadable(read, cells[middle:], first + middle, most - len(found))


def _as_floats(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "M":
        return values
    return np.where(np.isnat(values), np.nan, values.astype("datetime64[s]").astype(np.int64))


def _as_read(coding: Coding, values: np.ndarray) -> np.ndarray:
    """Numbers as they are, seconds as dates."""
    if not isinstance(coding, DateCoding):
        return values
    whole = np.where(np.isnan(values), 0, values).astype(np.int64).astype("datetime64[s]")
    return np.where(np.isnan(values), np.datetime64("NaT", "s"), whole)


def _arrow(cells: Any) -> Any:
    return pa.array(cells) if isinstance(cells, np.ndarray) else cells


def expected(coding: Coding) -> str:
    """What the cells of a column are to be, in words."""
    if isinstance(coding, NumberCoding):
        if coding.boolean:
            return "true, false, yes, no or null"
        written = f", or text written like {coding.number_format!r}," if coding.number_format else ""
        return f"a finite number{written} or null"
    if isinstance(coding, DateCoding):
        written = (
            "2024-12-31 08:30" if coding.date_format in (None, "iso") else f"2024-12-31 or as {coding.date_format}"
        )
        return f"a date written like {written}, or null"
    return "text, a number, true, false or null"


def joined(pairs: Sequence[tuple[Reading, np.ndarray]]) -> list[tuple[Reading, np.ndarray]]:
    """Readings with one array a reading, each its rows: all of one vocabulary as one."""
    found = []
    for vocabulary in {id(reading.vocabulary): reading.vocabulary for reading, _ in pairs}.values():
        own = [(reading, array) for reading, array in pairs if reading.vocabulary is vocabulary]
        numbers = np.concatenate([reading.numbers for reading, _ in own], axis=1)
        codes = np.concatenate([reading.codes for reading, _ in own], axis=1)
        whole = Reading(numbers, codes, vocabulary, numbers.shape[1])
        found.append((whole, np.concatenate([array for _, array in own])))
    return found
