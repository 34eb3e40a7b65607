"""Runs on rows that stay on disk: what is learnt from them in one pass, samples in memory, windows to train on.

Networks see every training row. What needs rows at once gets a sample of them, drawn by a hash of their numbers:
baselines of the training rows, scores of the test rows, early stopping of the validation rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from qloom.data import Preprocessing, Schema, Split
from qloom.data.columns import require_columns
from qloom.data.copies import equal_rows
from qloom.data.leaks import find_leaks
from qloom.data.row_keys import mixed_keys
from qloom.data.streams import RowStream, hash_parts, learn_stream, open_stream, time_parts
from qloom.data.streams.freed import give_back_memory
from qloom.data.streams.learning import Parts, PartsWithTarget
from qloom.errors import ArtifactError, ConfigError, DataError
from qloom.files import read_json, replace_by, write_json
from qloom.training.configuration import Configuration
from qloom.training.demonstrations import PREFIX, demonstration_table
from qloom.training.folder import RunFolder
from qloom.training.memory import HowHeld
from qloom.training.table import RunTable, check_one_target, checked_group, fresh_preprocessing, weighted_rows_of

PARTS = ("train", "validation", "test")
# Of the rows of a part that are sampled, those to validate: they are judged after every window.
VALIDATION_SHARE = 1 / 6
KEPT = 1
_PART = "part of the run"
# Pieces of a sample that are joined: of many rows few are taken a block, and small pieces take more than their rows.
_PIECES = 64
# Rows that are coded as Parquet at once.
_GROUP = 65_536
LEARNT, HELD, ROWS = "learnt.json", "held.parquet", "rows"
HEADING = {"format": "qloom.stream", "version": 1}


@dataclass(frozen=True)
class Streamed:
    """The rows of a run on disk, as one round cuts them.

    Attributes:
        stream: all rows.
        parts: a block's rows and the number of the first -> 0 to train, 1 to validate, 2 to test.
        schema: of them.
        preprocessing: learnt from all training rows.
        n_rows: of each part.
        weight: the column of weights; None for equal ones.
    """

    stream: RowStream
    parts: Parts
    schema: Schema
    preprocessing: Preprocessing
    n_rows: dict[str, int]
    weight: str | None = None

    @cached_property
    def _columns(self) -> list[str]:
        names = [coding.name for coding in self.preprocessing.codings]
        weight = [] if self.weight is None else [self.weight]
        return list(dict.fromkeys([*names, self.schema.target, *weight, *self.parts.columns]))

    def read(self, block: int, part: int = 0) -> tuple[np.ndarray | None, pa.Table]:
        """Weights and rows of one part in a block, of the columns that are learnt from; no weights for equal ones."""
        table = self.stream.read(block, self._columns)
        wanted = self.parts(table, self.stream.blocks[block].first) == part
        return weighted_rows_of(table.filter(pa.array(wanted)), self.weight, self.schema.target)


def load_stream(configuration: Configuration, held: HowHeld) -> RunTable:
    """The table of a run whose rows stay on disk, as round 1 cuts them.

    Raises:
        DataError: for rows that cannot be learnt from.
        ConfigError: for what takes all rows at once.
    """
    _check_streamable(configuration)
    stream = _opened(configuration)
    return _round(configuration, stream, KEPT, configuration.seed, (held.note, f"read from {stream.description}"))


def again(configuration: Configuration, loaded: RunTable, number: int, seed: int) -> RunTable:
    """The same rows as another round cuts them, and what they teach then."""
    streamed = loaded.streamed
    assert streamed is not None
    return _round(configuration, streamed.stream, number, seed, ())


def keep(loaded: RunTable, folder: RunFolder, number: int) -> None:
    """Write down what was learnt and held for a round, so that a resumed run has the same."""
    streamed = loaded.streamed
    if streamed is None:
        return
    place = _place(folder, number)
    place.mkdir(parents=True, exist_ok=True)
    parts = np.empty(loaded.table.num_rows, np.int8)
    for k, rows in enumerate(loaded.split):
        parts[rows] = k
    table = loaded.table.append_column(_PART, pa.array(parts))
    replace_by(place / HELD, lambda file: parquet.write_table(table, file, row_group_size=_GROUP))
    record = {
        "fingerprint": streamed.stream.fingerprint(), "schema": streamed.schema.to_json(),
        "preprocessing": streamed.preprocessing.to_json(), "n_rows": streamed.n_rows,
    }  # fmt: skip
    write_json(place / LEARNT, {**HEADING, **record})


def is_kept(configuration: Configuration, number: int) -> bool:
    """Whether what was learnt for a round of a run that is begun is written down."""
    folder = RunFolder(configuration.folder)
    return folder.is_begun and (_place(folder, number) / LEARNT).is_file()


def _check_streamable(configuration: Configuration) -> None:
    if configuration.comparison.folds is not None:
        raise ConfigError(
            "comparison.folds deals all rows at once, got rows that stay on disk; use comparison.seeds, each with a "
            "split of its own"
        )


def _opened(configuration: Configuration) -> RowStream:
    section = configuration.data
    source = demonstration_table(section.source) if section.source.startswith(PREFIX) else section.source
    return open_stream(source, section.query, spool=RunFolder(configuration.folder).stream / ROWS, kinds=section.kinds)


def _place(folder: RunFolder, number: int) -> Path:
    return folder.stream / f"round-{number}"


def _round(configuration: Configuration, stream: RowStream, number: int, seed: int, notes: tuple[str, ...]) -> RunTable:
    """Read back what was kept for a round, or learn it."""
    parts = _parts(configuration, stream, seed)
    if is_kept(configuration, number):
        return _restored(configuration, stream, parts, _place(RunFolder(configuration.folder), number))
    return _learnt(configuration, stream, parts, seed, notes)


def _parts(configuration: Configuration, stream: RowStream, seed: int) -> Parts:
    """How the configuration cuts rows, as a function of a block."""
    section, split = configuration.data, configuration.split
    shares: Any = {"validation": split.validation, "test": split.test}
    first = stream.read(0)
    check_one_target(first, section.target)
    require_columns(first, [section.target], "as the target")
    group = checked_group(first, section.group, section.target)
    if split.kind == "time" or (split.kind == "auto" and section.time is not None):
        parts: Parts = time_parts(stream, section.time, **shares)
    elif group and split.kind in ("auto", "group"):
        parts = hash_parts(**shares, seed=seed, group=group[0])
    else:
        parts = hash_parts(**shares, seed=seed, copies=_copied_columns(configuration, first))
    return parts


def _copied_columns(configuration: Configuration, first: pa.Table) -> tuple[str, ...]:
    """The columns that rows are told from copies of themselves by, where the first block has copies."""
    section = configuration.data
    left_out = {section.target, section.weight, *section.drop}
    names = tuple(name for name in first.column_names if name not in left_out)
    if configuration.split.copies == "anywhere" or not equal_rows(first.select(names)).are_copies:
        return ()
    return names


def _learnt(
    configuration: Configuration, stream: RowStream, parts: Parts, seed: int, notes: tuple[str, ...]
) -> RunTable:
    """What one or two passes over the rows find, and the sample of them that is held."""
    section = configuration.data
    drop = (*section.drop, *([section.weight] if section.weight else []))
    options = section.model_dump(include={"time", "group", "task", "drop_missing_target", "kinds"})
    options["preprocessing"] = fresh_preprocessing(configuration)
    learnt = learn_stream(stream, section.target, parts=parts, drop=drop, seed=seed, **options)
    give_back_memory()
    n_rows = dict(zip(PARTS, learnt.n_rows, strict=True))
    streamed = Streamed(stream, learnt.parts, learnt.schema, learnt.preprocessing, n_rows, section.weight)
    table, split, weights = _hold(streamed, section.sample, seed, _kind(configuration))
    give_back_memory()
    leaks = find_leaks(table, learnt.schema, split.kind)
    told = (*notes, *learnt.notes, _held_note(n_rows, split), *learnt.schema.notes)
    schema = replace(learnt.schema, notes=told, warnings=(*learnt.schema.warnings, *leaks))
    return RunTable(table, schema, split, weights, replace(streamed, schema=schema))


def _held_note(n_rows: dict[str, int], split: Split) -> str:
    shown = ", ".join(f"{len(held):,} of {n_rows[part]:,} {part}" for part, held in zip(PARTS, split, strict=True))
    return (
        f"rows held in memory, drawn evenly: {shown} rows; networks learn from all training rows, baselines from those "
        "held; scores are of the test rows held"
    )


def _kind(configuration: Configuration) -> str:
    section, kind = configuration.data, configuration.split.kind
    if kind == "time" or (kind == "auto" and section.time is not None):
        return "time"
    return "group" if section.group and kind in ("auto", "group") else "hash"


def _hold(streamed: Streamed, sample: int, seed: int, kind: str) -> tuple[pa.Table, Split, np.ndarray | None]:
    """A sample of every part, those whose hash is below its share: one part after the other, each in the order of the
    rows, so that coded parts are slices of one array."""
    wanted = [sample, int(sample * VALIDATION_SHARE), sample]
    counts = [streamed.n_rows[part] for part in PARTS]
    shares = np.array([*(min(1.0, most / max(n, 1)) for most, n in zip(wanted, counts, strict=True)), 0.0])
    tables: tuple[list[pa.Table], ...] = ([], [], [])
    for block, rows in enumerate(streamed.stream.blocks):
        table = streamed.stream.read(block)
        part = streamed.parts(table, rows.first)
        numbers_ = np.arange(rows.first, rows.first + table.num_rows, dtype=np.uint64)
        drawn = mixed_keys(numbers_ ^ mixed_keys(np.array([seed], np.uint64) + np.uint64(1))) / 2.0**64
        chosen = np.where(drawn < shares[part], part, len(PARTS))
        for k, own in enumerate(tables):
            own.append(table.filter(pa.array(chosen == k)))
            if len(own) == _PIECES:
                own[:] = [pa.concat_tables(own).combine_chunks()]
    table = pa.concat_tables([each for own in tables for each in own]).combine_chunks()
    part = np.repeat(np.arange(len(PARTS)), [sum(each.num_rows for each in own) for own in tables])
    weights = None
    if streamed.weight is not None:
        table = table.append_column(_PART, pa.array(part))
        weights, table = weighted_rows_of(table, streamed.weight, streamed.schema.target)
        table, part = table.drop_columns([_PART]), np.asarray(table[_PART].to_numpy())
    return table, _split(part, kind), weights


def _split(part: np.ndarray, kind: str) -> Split:
    train, validation, test = (np.flatnonzero(part == k) for k in range(3))
    for name, rows in zip(PARTS, (train, validation, test), strict=True):
        if not len(rows):
            raise DataError(f"no {name} rows among those held, expected some; raise data.sample or the part's share")
    return Split(train, validation, test, kind)


def _restored(configuration: Configuration, stream: RowStream, parts: Parts, place: Path) -> RunTable:
    """A round as `keep` wrote it down."""
    found = read_record(place / LEARNT)
    if found["fingerprint"] != stream.fingerprint():
        raise ArtifactError(
            f"{configuration.data.source} has changed since {configuration.folder} was begun, expected the same rows; "
            "put them back or start a run with another name"
        )
    schema, table = Schema.from_json(found["schema"]), parquet.read_table(place / HELD)
    part, table = table[_PART].to_numpy(), table.drop_columns([_PART])
    weight = configuration.data.weight
    weights = None if weight is None else weighted_rows_of(table, weight, schema.target)[0]
    preprocessing = Preprocessing.from_json(found["preprocessing"])
    if configuration.data.drop_missing_target:
        parts = PartsWithTarget(parts, schema.target)
    streamed = Streamed(stream, parts, schema, preprocessing, found["n_rows"], weight)
    return RunTable(table, schema, _split(part, _kind(configuration)), weights, streamed)


def read_record(path: Path) -> dict[str, Any]:
    """What was kept for a round.

    Raises:
        ArtifactError: for a damaged file, or one of another version.
    """
    found = dict(read_json(path))
    if {name: found.get(name) for name in HEADING} != HEADING:
        raise ArtifactError(f"{path} is of another version, expected {HEADING['version']}; train with another name")
    return found
