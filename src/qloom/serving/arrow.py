"""Arrow streams from outside: nothing in them is believed before it is checked."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from qloom.serving.refusals import RequestError

_PLAIN = (
    pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_string, pa.types.is_large_string,
    pa.types.is_date, pa.types.is_timestamp, pa.types.is_time, pa.types.is_duration, pa.types.is_decimal,
    pa.types.is_null,
)  # fmt: skip


def read_stream(body: bytes, most_bytes: int, check_size: Callable[[int], None]) -> pa.Table:
    """The table of an Arrow IPC stream.

    Args:
        most_bytes: that cells may take once they are unpacked.
        check_size: refuses a number of rows.

    Raises:
        RequestError: 400 for what is none or damaged, 415 for compressed buffers and nested types, 413 for too much.
    """
    try:
        _refuse_compressed(body)
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            _check_types(stream.schema)
            batches, n_rows = [], 0
            for batch in stream:
                n_rows += batch.num_rows
                if n_rows:
                    check_size(n_rows)
                batch.validate(full=True)
                batches.append(batch)
            check_size(n_rows)
            table = pa.Table.from_batches(batches, stream.schema)
    except (pa.ArrowException, ValueError, OSError, IndexError, MemoryError) as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise RequestError(400, "malformed", f"the body is no Arrow IPC stream ({first}), expected one") from None
    for column in table.columns:
        _check_unpacked(column, most_bytes)
    return table


def _check_types(schema: pa.Schema) -> None:
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not any(is_kind(kind) for is_kind in _PLAIN):
            line = f"column {field.name[:60]!r} is of type {field.type}, expected numbers, text, dates or truths"
            raise RequestError(415, "malformed", line)


def _check_unpacked(column: pa.ChunkedArray, most_bytes: int) -> None:
    """A text of a dictionary may stand in every row."""
    for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
        if pa.types.is_string(chunk.dictionary.type) or pa.types.is_large_string(chunk.dictionary.type):
            longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
            if longest * len(chunk) > most_bytes:
                raise RequestError(
                    413, "too-large", f"texts may take {longest * len(chunk)} bytes, expected at most {most_bytes}"
                )


def _refuse_compressed(body: bytes) -> None:
    """A compressed buffer says itself how much memory it takes."""
    for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(body)):
        if _is_compressed(message.type, message.metadata.to_pybytes()):
            raise RequestError(
                415, "malformed", "compressed Arrow buffers, expected plain ones; write with compression=None"
            )


def _is_compressed(kind: str, metadata: bytes) -> bool:
    """Whether the RecordBatch in a message has its field `compression`.

    Metadata are flatbuffers: a table begins with how far before it its vtable is, which has the places of its fields.
    `header` is field 2 of Message, `data` field 1 of DictionaryBatch, `compression` field 3 of RecordBatch.
    """

    def number(at: int, size: int) -> int:
        return int.from_bytes(metadata[at : at + size], "little", signed=size == 4)

    def field(table: int, k: int) -> int:
        """Where a field is; 0 where it is left out."""
        vtable = table - number(table, 4)
        place = number(vtable + 4 + 2 * k, 2) if 4 + 2 * k < number(vtable, 2) else 0
        return place and table + place

    if kind not in ("record batch", "dictionary"):
        return False
    table = number(0, 4)
    for k in (2,) if kind == "record batch" else (2, 1):
        place = field(table, k)
        table = place + number(place, 4)
    return field(table, 3) != 0
