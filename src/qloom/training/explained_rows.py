"""Rows that are to be explained, and the training rows that they are seen against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from qloom.errors import ArtifactError, ConfigError, DataError, QloomError
from qloom.models.tables.served import Predictor
from qloom.training.folder import RunFolder
from qloom.training.rounds import KEPT, Plan
from qloom.training.table import RunTable, load_table, read_source


@dataclass(frozen=True)
class Sources:
    """Where rows come from; what is not given is the run's own table.

    Attributes:
        data: table of the rows to explain.
        query: SQL on it.
        background: table of the rows to see them against.
    """

    data: str | None = None
    query: str | None = None
    background: str | None = None


@dataclass(frozen=True)
class ExplainedRows:
    """A table to take rows from, and rows to see them against.

    Attributes:
        source: of the table, for people.
        background: some rows.
        of: which these are, for people.
        parts: part of the run -> numbers of its rows in the table; empty for rows of another table.
    """

    table: pa.Table
    source: str
    background: pa.Table
    of: str
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)

    def part_of(self, number: int) -> str | None:
        """Which part of the run a row was in."""
        return next((part for part, numbers in self.parts.items() if number in numbers), None)

    def check(self, number: int) -> None:
        """Raise DataError for a row that is not there."""
        n_rows = self.table.num_rows
        if not 0 <= number < n_rows:
            raise DataError(
                f"no row {number} in {self.source}, which has {n_rows:,} rows, expected a number from 0 to "
                f"{n_rows - 1:,}; rows are counted as in the column `row` of qloom predict"
            )


def read_rows(path: Path, model: Predictor, sources: Sources, n_background: int, seed: int) -> ExplainedRows:
    """The rows, and at most `n_background` drawn to see them against.

    Args:
        path: run folder, or a model folder where all sources are given.
        model: that predicts.
        seed: of the draw.

    Raises:
        QloomError: for a table or folder that cannot be used.
    """
    if sources.query is not None and sources.data is None:
        raise ConfigError("query asks a table, got none; give data with it")
    known = model.preprocessing_.queried
    given = None if sources.data is None else read_source(sources.data, sources.query, known=known)
    others = None if sources.background is None else read_source(sources.background, known=known)
    run = None if given is not None and others is not None else _own_table(path)
    if others is None:
        assert run is not None
        others, of = run.table.take(pa.array(run.split.train)), f"training rows of round {KEPT} of {path}"
    else:
        of = f"rows of {sources.background}"
    if not others.num_rows:
        raise DataError(f"{sources.background} has no rows, expected some to see predictions against")
    drawn = others.take(pa.array(np.sort(np.random.default_rng(seed).permutation(others.num_rows)[:n_background])))
    if given is not None:
        return ExplainedRows(given, str(sources.data), drawn, of)
    assert run is not None
    if run.streamed is not None:
        raise DataError(f"the rows of {path} stay on disk, expected a table; give data=... with those to explain")
    parts = {part: getattr(run.split, part) for part in ("train", "validation", "test")}
    return ExplainedRows(run.table, str(RunFolder(path).configuration().data.source), drawn, of, parts)


def read_run_table(path: Path) -> RunTable:
    """The table of a run as it was trained on, cut as in the round that is kept.

    Raises:
        QloomError: for a folder that is no run, or a table that is gone or has changed since.
    """
    folder = RunFolder(path)
    configuration = folder.configuration()
    loaded = load_table(configuration)
    if folder.environment().get("table_sha256") not in (None, loaded.fingerprint()):
        raise ArtifactError(f"{configuration.data.source} has changed since {path} was begun, expected the same table")
    return replace(loaded, split=Plan(configuration, loaded).round(KEPT).split)


def _own_table(path: Path) -> RunTable:
    """The same; what is wrong comes with what to do."""
    if not RunFolder(path).is_begun:
        raise ArtifactError(f"{path} is no run folder, expected one; or give data=... and background=... with a model")
    try:
        return read_run_table(path)
    except QloomError as error:
        raise ArtifactError(f"the run's own table: {error}; or give data=... and background=...") from None
