"""What a query's result keeps of the table it was asked of: how its columns are written, as metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa

from qloom.data.recognition import NOTE, WRITTEN
from qloom.data.schema import Column

QUERIED = "qloom.queried"


def described_result(result: pa.Table, columns: Sequence[Column], notes: Sequence[str]) -> pa.Table:
    """A query's result; columns that it passes on are known by the form they were written in.

    Args:
        result: of the query.
        columns: of the table that the query saw.
        notes: on those, one line each; those about columns that the query does not pass on among them.
    """
    forms = {column.name: column.number_format or column.date_format for column in columns}
    fields = []
    for field in result.schema:
        form = forms.get(field.name)
        fields.append(field.with_metadata({WRITTEN: form}) if form else field)
    said = {QUERIED: json.dumps([_facts(column) for column in columns])}
    if notes:
        said[NOTE] = "\n".join(notes)
    return result.cast(pa.schema(fields)).replace_schema_metadata(said)


def queried_columns(table: pa.Table) -> tuple[Column, ...] | None:
    """The columns that the query behind a table saw; None where there was no query."""
    said = (table.schema.metadata or {}).get(QUERIED.encode())
    return None if said is None else tuple(Column(**facts) for facts in json.loads(said))


def _facts(column: Column) -> dict[str, str | None]:
    forms = {"number_format": column.number_format, "date_format": column.date_format}
    return {"name": column.name, "kind": column.kind, **forms}
