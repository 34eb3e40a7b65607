"""The table of a run: read, looked at, cut into three parts, and recognised again on resume."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data import Preprocessing, Schema, Split, inspect_table, read_table, rows_with_target, split_rows
from qloom.data.cells import numbers, plain_column
from qloom.data.columns import require_columns
from qloom.data.leaks import find_leaks
from qloom.data.pretrained.folders import model_digest, model_folder
from qloom.data.queries import queried_columns
from qloom.errors import DataError
from qloom.models.tables.weights import check_weights
from qloom.training.configuration import Configuration
from qloom.training.demonstrations import PREFIX, demonstration_table
from qloom.training.memory import HowHeld, how_held

if TYPE_CHECKING:
    from qloom.training.streaming import Streamed

TEXT_CACHE = "text-features"
"""What text models made of texts, beside the runs."""


@dataclass(frozen=True)
class RunTable:
    """A table before anything is learnt from it.

    Attributes:
        table: all rows, or those of a stream that are held in memory.
        weights: of the rows, (B,); None for equal ones.
        streamed: the rows that lie on disk, and what was learnt from them; None where the table is all there is.
    """

    table: pa.Table
    schema: Schema
    split: Split
    weights: np.ndarray | None = None
    streamed: Streamed | None = None

    @property
    def n_rows(self) -> int:
        """Of the whole table."""
        return self.table.num_rows if self.streamed is None else self.streamed.stream.n_rows

    def fingerprint(self) -> str:
        """Changes where the table does."""
        return fingerprint(self.table) if self.streamed is None else self.streamed.stream.fingerprint()


def load_table(configuration: Configuration, held: HowHeld | None = None) -> RunTable:
    """Read the table, find out what it holds, and cut it; one that does not fit into memory stays on disk.

    Args:
        held: how it is held, where another worker has decided that.

    Raises:
        DataError: for a table, column or target that cannot be learnt from.
        ConfigError: for one that does not fit and may not be streamed.
    """
    section = configuration.data
    if (held := held or how_held(configuration)).is_streamed:
        from qloom.training.streaming import load_stream

        return load_stream(configuration, held)
    notes = (held.note,) if held.note else ()
    table = read_source(section.source, section.query, kinds=section.kinds)
    check_one_target(table, section.target)
    weights, table = weighted_rows_of(table, section.weight, section.target)
    options = section.model_dump(include={"time", "drop", "task", "drop_missing_target"})
    group = checked_group(table, section.group, section.target)
    options["drop"] = (*options["drop"], *group, *([section.weight] if section.weight else []))
    schema = inspect_table(table, section.target, kinds=_kinds_of_result(table, section.kinds), **options)
    if section.drop_missing_target:
        table, weights = _with_target(table, section.target, weights)
    schema = schema.grouped_by(*group) if group else schema
    split = cut(table, schema, configuration, configuration.seed)
    leaks = find_leaks(table, schema, split.kind)
    schema = replace(schema, notes=(*notes, *schema.notes), warnings=(*schema.warnings, *leaks))
    return RunTable(table, schema, split, weights)


def fresh_preprocessing(configuration: Configuration) -> Preprocessing:
    """What is to learn from training rows; runs in one folder share what a text model makes of their texts."""
    model = configuration.data.text_model
    return Preprocessing(
        text_model=model, text_cache=None if model is None else str(Path(configuration.output) / TEXT_CACHE)
    )


def text_model_digest(configuration: Configuration) -> str | None:
    """The sha256 of the model that codes texts; None without one.

    Raises:
        ArtifactError: for a folder that holds none.
    """
    model = configuration.data.text_model
    return None if model is None else model_digest(model_folder(model))


def check_one_target(table: pa.Table, target: str) -> None:
    """Raise DataError for names of several columns in one."""
    names = [name.strip() for name in target.split(",")]
    if target not in table.column_names and len(names) > 1 and set(names) <= set(table.column_names):
        raise DataError(
            f"target {target!r} names {len(names)} columns, expected one: a run predicts one target; start several "
            "and drop the other columns"
        )


def weighted_rows_of(table: pa.Table, column: str | None, target: str) -> tuple[np.ndarray | None, pa.Table]:
    """How much each row counts, and the rows that count at all.

    Raises:
        DataError: for a column that is not there, is the target, or holds other than numbers from 0 on.
    """
    if column is None:
        return None, table
    require_columns(table, [column], "to weight rows")
    if column == target:
        raise DataError(f"weight column {column!r} is the target, expected another column; leave it out")
    cells = plain_column(table[column])
    if cells.null_count:
        raise DataError(f"weight column {column!r} is empty in {cells.null_count} rows, expected a number in every row")
    weights = check_weights(numbers(cells, column), table.num_rows)
    kept = np.flatnonzero(weights)
    return weights[kept], table.take(pa.array(kept))


def _with_target(table: pa.Table, target: str, weights: np.ndarray | None) -> tuple[pa.Table, np.ndarray | None]:
    present = pc.is_valid(plain_column(table[target])).to_numpy()
    return rows_with_target(table, target), None if weights is None else weights[present]


def checked_group(table: pa.Table, group: str | None, target: str) -> tuple[str, ...]:
    """The column that says which rows belong together, if there is one: it is there, and not the target."""
    if group is None:
        return ()
    require_columns(table, [group], "to keep rows together")
    if group == target:
        raise DataError(f"group column {group!r} is the target, expected another column; leave it out")
    return (group,)


def cut(
    table: pa.Table, schema: Schema, configuration: Configuration, seed: int, **shares: float
) -> Split:  # fmt: skip
    """The rows cut as the configuration says, with other shares of validation and test rows if they are given."""
    return split_rows(table, schema, seed=seed, **{**configuration.split.model_dump(), **shares})


def _kinds_of_result(table: pa.Table, kinds: Mapping[str, str]) -> dict[str, str]:
    """The kinds but for those of columns that only a query saw."""
    seen = {column.name for column in queried_columns(table) or ()} - set(table.column_names)
    return {name: kind for name, kind in kinds.items() if name not in seen}


def read_source(source: str, query: str | None = None, **options: Any) -> pa.Table:
    """The table of a path or a demonstration; the options are those of `read_table`."""
    return read_table(demonstration_table(source) if source.startswith(PREFIX) else source, query, **options)


def fingerprint(table: pa.Table) -> str:
    """The sha256 of a table's names, types and cells."""
    plain = table.combine_chunks().replace_schema_metadata(None)
    digest = hashlib.sha256(plain.schema.serialize())
    for batch in plain.to_batches():
        digest.update(batch.serialize())
    return digest.hexdigest()
