"""Results of MaxCompute queries by its own client, Arrow batch by Arrow batch.

Never run against the service: written to the client's interface (pyodps 0.13), tested as far as goes without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from qloom.data.streams.spooling import Batches
from qloom.errors import DataError
from qloom.extras import package

_NAMES = ("ODPS_ENDPOINT", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
_NEEDED = f"{_NAMES[0]}, {_NAMES[1]} and {_NAMES[2]}"


def maxcompute_batches(address: str, query: str | None) -> Batches:
    """The rows of a query, all of them: the client's own limit of rows is off.

    Args:
        address: odps://project; who asks, and where, is in the environment as the client reads it.
        query: SQL.

    Raises:
        DataError: for no project or query, no credentials in the environment, or a query that fails.
    """
    odps = package("odps", "a MaxCompute source", "maxcompute", brought_by="pyodps")
    parts = urlsplit(address)
    project = parts.hostname
    if not project or parts.username or parts.password:
        raise DataError(
            f"a MaxCompute address is without a project or with credentials, expected odps://project; put {_NEEDED} "
            "into the environment"
        )
    if not query:
        raise DataError(f"{address} is given without a query, expected SQL that says which rows; give one")
    entry = _entry(odps, address, project)
    with _failing(odps, address):
        reader = _opened(entry, query)
        first = reader.read_next_batch()
    schema = first.schema if first is not None else pa.schema([])
    return Batches(f"the query of {address}", schema, _read(odps, address, first, reader))


def _entry(odps: Any, address: str, project: str) -> Any:
    """The service as the environment says it: a pair of keys, or what the client itself finds there."""
    endpoint, key, secret = (os.environ.get(name) for name in _NAMES)
    account = None if key and secret else odps.accounts.from_environments()
    if not endpoint or not ((key and secret) or account):
        raise DataError(f"{address} needs credentials, expected {_NEEDED} in the environment; set them")
    return odps.ODPS(key, secret, project=project, endpoint=endpoint, account=account)


def _opened(entry: Any, query: str) -> Any:
    """The reader of a query's whole result; without its tunnel, results would end at 10,000 rows unsaid."""
    return entry.execute_sql(query).open_reader(tunnel=True, limit=False, arrow=True)


def _read(odps: Any, address: str, batch: pa.RecordBatch | None, reader: Any) -> Iterator[pa.RecordBatch]:
    while batch is not None:
        yield batch
        with _failing(odps, address):
            batch = reader.read_next_batch()


class _failing:  # noqa: N801 - used as a statement
    """Errors of the client and of the way to the service in one line."""

    def __init__(self, odps: Any, told: str) -> None:
        self._kinds, self._told = (odps.errors.BaseODPSError, OSError, pa.ArrowException), told

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, self._kinds):
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise DataError(f"the query of {self._told} fails: {first}; correct it or see to the service") from None
