"""Finding a column by its name, and saying which name was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import pyarrow as pa

from qloom.errors import DataError

SIMILAR = 0.6
"""Likeness of two names, of at most 1, from which one may be meant by the other."""


def nearest_name(name: str, names: Sequence[str]) -> str:
    """The end of an error line: the most similar known name, or the first few names where none is similar."""
    lowered = {known.lower(): known for known in reversed(names)}
    close = difflib.get_close_matches(str(name).lower(), list(lowered), n=1, cutoff=SIMILAR)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    shown = ", ".join(repr(known) for known in names[:6])
    return f"the columns are {shown}" + (", ..." if len(names) > 6 else "")


def require_columns(table: pa.Table, names: Iterable[str], purpose: str = "") -> None:
    """Raise DataError for the first of `names` that `table` lacks, naming the nearest one it has."""
    for name in names:
        if name not in table.column_names:
            wanted = f", needed {purpose}" if purpose else ""
            raise DataError(
                f"no column {name!r} in the table of {table.num_columns} columns{wanted}; "
                f"{nearest_name(name, table.column_names)}"
            )


def require_distinct(names: Sequence[str], source: str) -> None:
    """Raise DataError if a name stands twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(
                f"column name {name!r} stands twice in {source}, expected distinct names; rename one of them"
            )
        seen.add(name)
