"""Rows that a run learnt from, for comparison, replay and elastic weights: a sample kept in the run folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from qloom.errors import ArtifactError, QloomError
from qloom.files import replace_file
from qloom.training.configuration import Configuration
from qloom.training.folder import RunFolder
from qloom.training.table import RunTable, load_table
from qloom.training.versions import VERSIONS

FILE = "old_rows.parquet"
_STREAM = 0x01D


class OldRows(NamedTuple):
    """A sample of the rows that the model in force learnt from.

    Attributes:
        table: those rows, as the source has them.
        n_rows: of which they are a sample.
    """

    table: pa.Table
    n_rows: int


def find_old_rows(folder: RunFolder, configuration: Configuration) -> OldRows | str:
    """The sample in the run folder, else one drawn from the run's source; why there is none, in words.

    The source is that of the run's configuration, `data.source`, which must be the table of the training still.
    """
    most = configuration.watch.old_rows
    if not most:
        return "watch.old_rows is 0: no training row is kept"
    if (path := folder.path / VERSIONS / FILE).is_file():
        return _read(path)
    loaded = load_source(folder, configuration)
    if isinstance(loaded, str):
        return loaded
    train = loaded.split.train
    random = np.random.default_rng([configuration.seed, _STREAM])
    drawn = np.sort(random.choice(train, min(most, len(train)), replace=False))
    return OldRows(loaded.table.take(pa.array(drawn)), len(train))


def load_source(folder: RunFolder, configuration: Configuration) -> RunTable | str:
    """The run's table, which must be that of the training still; why there is none, in words."""
    try:
        loaded = load_table(configuration)
    except (QloomError, OSError) as error:
        return f"the run's source {configuration.data.source} cannot be read any more ({error})"
    if loaded.fingerprint() != folder.environment().get("table_sha256"):
        return f"the run's source {configuration.data.source} is not the table of the training any more"
    return loaded


def keep_old_rows(folder: RunFolder, configuration: Configuration, old: OldRows, learnt: pa.Table) -> None:
    """Keep a sample of the old rows and of those that were learnt from now, each by its share of all."""
    most, n_all = configuration.watch.old_rows, old.n_rows + learnt.num_rows
    random = np.random.default_rng([configuration.seed, _STREAM, n_all])
    n_new = min(round(min(most, n_all) * learnt.num_rows / n_all), learnt.num_rows)
    n_old = min(most - n_new, old.table.num_rows)
    names = [name for name in old.table.column_names if name in learnt.column_names]
    parts = [_drawn(random, old.table, n_old), _drawn(random, learnt, n_new).select(names)]
    sample = pa.concat_tables([parts[0].select(names), _as_before(parts[1], parts[0].select(names).schema)])
    buffer = pa.BufferOutputStream()
    told = {b"n_rows": str(n_all).encode()}
    parquet.write_table(sample.replace_schema_metadata(told), buffer)
    replace_file(folder.path / VERSIONS / FILE, buffer.getvalue().to_pybytes())


def _drawn(random: np.random.Generator, table: pa.Table, n: int) -> pa.Table:
    return table.take(pa.array(np.sort(random.choice(table.num_rows, n, replace=False))))


def _as_before(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns in the types of old rows; where one does not go into its own, both would be text, which is refused.

    Raises:
        ArtifactError: for a column of another type.
    """
    try:
        return table.cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ArtifactError(
            f"a column of the new rows does not go into the kept old rows ({error}), expected the same types; set "
            "watch.old_rows=0 or convert it"
        ) from None


def _read(path: Path) -> OldRows:
    try:
        table = parquet.read_table(path)
        return OldRows(table, int((table.schema.metadata or {})[b"n_rows"]))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise ArtifactError(f"{path} is damaged ({first}), expected a sample of training rows; delete it") from None
