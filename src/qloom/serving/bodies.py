"""The bodies of requests: rows or columns in JSON, or an Arrow stream, as columns of cells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pyarrow as pa
from pydantic_core import from_json

from qloom.data.columns import nearest_name
from qloom.serving.arrow import read_stream
from qloom.serving.refusals import Problem, RequestError, invalid, spoken

JSON, ARROW = "application/json", "application/vnd.apache.arrow.stream"
_FORMS = '{"rows": [{"COLUMN": value, ...}, ...]} or {"columns": {"COLUMN": [value, ...], ...}}'


@dataclass(frozen=True)
class Columns:
    """What came in a body.

    Attributes:
        cells: by column, those that the model reads.
        n_rows: B.
        form: "rows", "columns" or "arrow".
    """

    cells: Mapping[str, Sequence[Any] | pa.ChunkedArray]
    n_rows: int
    form: str


@dataclass(frozen=True)
class Wanted:
    """What a body is to hold.

    Attributes:
        names: of the columns that the model reads.
        others: columns that may come along and are not looked at: the target, what training left out.
        most_rows: of a request.
        most_bytes: that its cells may take.
    """

    names: Sequence[str]
    others: frozenset[str]
    most_rows: int
    most_bytes: int

    def check_size(self, n_rows: int) -> None:
        """Refuse no rows and too many."""
        if n_rows > self.most_rows:
            line = f"{n_rows} rows in one request, expected at most {self.most_rows}; send them in several"
            raise RequestError(413, "too-large", line)
        if n_rows == 0:
            raise RequestError(422, "invalid", "no rows, expected at least one")

    def check_names(self, given: Sequence[str], row: int | None = None) -> list[Problem]:
        """Columns that are missing, and those that nothing is known of, with the nearest known one."""
        present, known = set(given), {*self.names, *self.others}
        unknown = [name[:60] for name in given if name not in known]
        return [
            *(
                Problem(row, name, "unknown column", f"a known one; {nearest_name(name, self.names)}")
                for name in unknown
            ),
            *(Problem(row, name, "missing", "a value or null") for name in self.names if name not in present),
        ]


def read_body(body: bytes, kind: str, wanted: Wanted) -> Columns:
    """The columns of a body.

    Raises:
        RequestError: 400 for what is no JSON or Arrow, 413 for too many rows, 415 for another content type, 422 for
            columns that are not the model's.
    """
    if kind == ARROW:
        return _columns_of_table(read_stream(body, wanted.most_bytes, wanted.check_size), wanted)
    if kind != JSON:
        line = f"content type {spoken(kind)}, expected {JSON} or {ARROW}; with curl: -H 'content-type: {JSON}'"
        raise RequestError(415, "malformed", line)
    content = _parse(body)
    if isinstance(content, dict) and isinstance(content.get("rows"), list):
        return _columns_of_rows(content["rows"], wanted)
    if isinstance(content, dict) and isinstance(content.get("columns"), dict):
        return _columns_of_lists(content["columns"], wanted)
    found = f"the keys {spoken(list(content)[:6])}" if isinstance(content, dict) else f"a {type(content).__name__}"
    raise RequestError(422, "invalid", f"the body holds {found}, expected {_FORMS}")


def _parse(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        try:  # NaN and Infinity are no JSON, but their cells can be named.
            return json.loads(body)
        except (ValueError, RecursionError):
            raise RequestError(400, "malformed", f"the body is not JSON ({error}), expected {_FORMS}") from None


def _columns_of_rows(rows: list[Any], wanted: Wanted) -> Columns:
    wanted.check_size(len(rows))
    allowed = {*wanted.names, *wanted.others}
    try:
        cells = list(zip(*map(itemgetter(*wanted.names, wanted.names[0]), rows), strict=True))
        if all(row.keys() <= allowed for row in rows):
            return Columns(dict(zip(wanted.names, cells, strict=False)), len(rows), "rows")
    except (KeyError, TypeError, IndexError, AttributeError):
        pass
    raise invalid(_problems_of_rows(rows, wanted))


def _problems_of_rows(rows: list[Any], wanted: Wanted) -> list[Problem]:
    problems: list[Problem] = []
    for k, row in enumerate(rows):
        if not isinstance(row, dict):
            problems.append(Problem(k, None, f"got {spoken(row)}", "an object of values by column"))
        elif len(problems) < _ENOUGH:
            problems += wanted.check_names(list(row), k)
    return problems


def _columns_of_lists(columns: dict[str, Any], wanted: Wanted) -> Columns:
    problems = wanted.check_names(list(columns))
    cells = {name: columns[name] for name in wanted.names if name in columns}
    problems += [
        Problem(None, name, f"got {spoken(each)}", "a list of values")
        for name, each in cells.items()
        if not isinstance(each, list)
    ]
    if problems:
        raise invalid(problems)
    sizes = {name: len(each) for name, each in cells.items()}
    n_rows = sizes[wanted.names[0]]
    wanted.check_size(max(sizes.values()))
    odd = [
        Problem(None, name, f"{size} values", f"{n_rows}, as of {wanted.names[0]!r}")
        for name, size in sizes.items()
        if size != n_rows
    ]
    if odd:
        raise invalid(odd)
    return Columns(cells, n_rows, "columns")


def _columns_of_table(table: pa.Table, wanted: Wanted) -> Columns:
    problems = wanted.check_names(table.column_names)
    twice = {name for name in table.column_names if table.column_names.count(name) > 1}
    problems += [Problem(None, name, "stands twice", "distinct names") for name in sorted(twice & set(wanted.names))]
    if problems:
        raise invalid(problems)
    return Columns({name: table[name] for name in wanted.names}, table.num_rows, "arrow")


_ENOUGH = 101
