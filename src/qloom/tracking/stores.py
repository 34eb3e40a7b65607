"""Where MLflow keeps runs: a database file, a server; checked before a training begins, asked by nobody else.

MLflow is set up by variables of the environment. Those that are not set there have values of our own while we call it:
it reports its use to nobody, and a server that does not answer is given up after a minute, one that is not there at
once, instead of after many minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qloom.errors import ConfigError
from qloom.extras import package

SCHEMES = ("sqlite", "postgresql", "mysql", "mssql", "http", "https", "file", "databricks", "databricks-uc", "uc")
_LOCAL = ("sqlite", "file")
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
EXAMPLE = "sqlite:///mlflow.db"


@contextmanager
def quietly() -> Iterator[Any]:
    """MLflow's client module, with our values where the environment has none.

    Raises:
        ExtraError: where MLflow is not installed.
    """
    ours = {name: value for name, value in _DEFAULTS.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield package("mlflow.tracking", "logging to MLflow", "mlflow", brought_by="mlflow-skinny")
    finally:
        for name in ours:
            os.environ.pop(name, None)


def scheme_of(store: str) -> str:
    """What kind of store an address is of.

    Raises:
        ConfigError: for one that MLflow has no client for, a bare path among them.
    """
    scheme = store if store in SCHEMES else urlsplit(store).scheme.partition("+")[0]
    if scheme not in SCHEMES:
        raise ConfigError(
            f"{store!r} is no address of an MLflow store, expected one such as {EXAMPLE} or http://localhost:5000"
        )
    return scheme


def check_store(store: str) -> None:
    """Open a store of this machine, or look at the address of another one.

    A server that does not answer now may do so when there is something to log.

    Raises:
        ConfigError: for an address that is none, or a file that cannot be one.
        ExtraError: where MLflow is not installed.
    """
    scheme = scheme_of(store)
    with quietly() as tracking:
        if scheme in _LOCAL:
            with reaching(store):
                tracking.MlflowClient(tracking_uri=store).search_experiments(max_results=1)


@contextmanager
def reaching(store: str) -> Iterator[None]:
    """Make whatever goes wrong with a store, in its client or below, a ConfigError of one line."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # of databases, of the network, of the client: all are the store's
        first, hint = (str(error).strip().splitlines() or [type(error).__name__])[0], "check it"
        if "MLFLOW_ALLOW_FILE_STORE" in first:
            first, hint = "MLflow keeps no runs in plain files any more", f"use {EXAMPLE}, which is a file too"
        elif "unsupported URI" in first and scheme_of(store) == "sqlite":
            first, hint = "SQLAlchemy is missing", "install it with: pip install 'qloom[mlflow]'"
        raise ConfigError(f"the MLflow store {store} cannot be used ({_cut(first)}); {hint}") from error


def _cut(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + "…"


def artifact_place(store: str) -> str | None:
    """Where files of a new experiment go: beside a database file; None where the store says.

    MLflow itself would put them below the folder that a program happens to be in.
    """
    if scheme_of(store) != "sqlite":
        return None
    database = Path(store.partition(":///")[2] or "mlflow.db").absolute()
    return (database.parent / f"{database.stem}-files").as_uri()
