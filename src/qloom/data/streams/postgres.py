"""Results of PostgreSQL queries, as the server sends them: COPY in the server's text form, read by Arrow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.csv as arrow_csv

from qloom.data.streams.spooling import Batches
from qloom.errors import DataError
from qloom.extras import package

# By the number that PostgreSQL has for a type; all others come as text.
_TYPES = {
    16: pa.bool_(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64(), 26: pa.int64(), 700: pa.float64(),
    701: pa.float64(), 1700: pa.float64(), 1082: pa.date32(), 1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}  # fmt: skip
_BLOCK = 4 << 20


def postgres_batches(address: str, query: str | None) -> Batches:
    """The rows of a query, which is run as its batches are read, in one transaction that only reads.

    Args:
        address: postgresql://user@host:port/database, without a password: that is in PGPASSWORD or ~/.pgpass.
        query: SQL.

    Raises:
        DataError: for a password in the address, no query, a server that is not reached or a query that fails; from the
            batches where the connection breaks off.
    """
    psycopg = package("psycopg", "a PostgreSQL source", "postgres")
    told = _told(address)
    if not query:
        raise DataError(f"{told} is given without a query, expected SQL that says which rows; give one")
    query = query.strip().rstrip(";")
    with _failing(psycopg, told), psycopg.connect(address) as connection:
        columns = connection.execute(f"SELECT * FROM ({query}) AS q LIMIT 0").description or []
    schema = pa.schema([(each.name, _TYPES.get(each.type_code, pa.string())) for each in columns])
    return Batches(f"the query of {told}", schema, _read(psycopg, address, query, schema))


def _told(address: str) -> str:
    """The address without what is nobody's business."""
    parts = urlsplit(address)
    if parts.password:
        raise DataError(
            "the PostgreSQL address has a password in it, expected none, since it is kept with the run; put it into "
            "PGPASSWORD or ~/.pgpass"
        )
    return f"{parts.scheme}://{parts.hostname or 'localhost'}{parts.path}"


def _read(psycopg: Any, address: str, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with _failing(psycopg, _told(address)), psycopg.connect(address) as connection:
        connection.read_only = True
        connection.execute("SET TIME ZONE 'UTC'")
        with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copied:
            yield from _parse(io.BufferedReader(_Sent(copied), _BLOCK), schema)


def _parse(sent: io.BufferedReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    if not sent.peek(1):
        return
    reader = arrow_csv.open_csv(
        sent,
        read_options=arrow_csv.ReadOptions(column_names=schema.names, block_size=_BLOCK, use_threads=False),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=schema,
            null_values=["", "NaN"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    with reader:
        yield from reader


class _Sent(io.RawIOBase):
    """What a server sends, as a file."""

    def __init__(self, copied: Any) -> None:
        self._pieces = iter(copied)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as what has been sent goes."""
        wanted, done = memoryview(buffer), 0
        while done < len(wanted):
            if not self._left:
                self._left = memoryview(next(self._pieces, b""))
            if not self._left:
                break
            n = min(len(wanted) - done, len(self._left))
            wanted[done : done + n] = self._left[:n]
            self._left, done = self._left[n:], done + n
        return done


class _failing:  # noqa: N801 - used as a statement
    """Errors of the server and of its text in one line."""

    def __init__(self, psycopg: Any, told: str) -> None:
        self._psycopg, self._told = psycopg, told

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, self._psycopg.Error | pa.ArrowException):
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise DataError(f"the query of {self._told} fails: {first}; correct it or see to the server") from None
