"""The rows of a fine-tuning: what the pretrained model reads, and its frozen features as the table of the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.adapters.inputs import ImageInputs, Inputs, TextInputs
from qloom.backbones import Backbone
from qloom.data import inspect_table
from qloom.data.cells import plain_column
from qloom.data.columns import require_columns
from qloom.errors import ConfigError, DataError
from qloom.training.configuration import Configuration, FinetuneSection
from qloom.training.table import (
    TEXT_CACHE,
    RunTable,
    check_one_target,
    checked_group,
    cut,
    fingerprint,
    read_source,
    weighted_rows_of,
)


@dataclass(frozen=True)
class FinetuneRows:
    """Rows as the model takes them.

    Attributes:
        backbone: the pretrained model, frozen.
        cells: texts or paths of images, N of them.
        features: of the frozen model, (N, F).
        loaded: the table of the run, whose columns are the features and the target: what linear models and boosting
            learn from.
        sha256: of the table as it was read.
    """

    backbone: Backbone
    cells: list[str]
    features: np.ndarray
    loaded: RunTable
    sha256: str

    @cached_property
    def inputs(self) -> Inputs:
        folder = self.backbone.folder
        if self.backbone.takes == "texts":
            return TextInputs.of(folder, self.backbone.model, self.cells, self.backbone.max_length)
        return ImageInputs.of(folder, self.cells)


def load_rows(configuration: Configuration, section: FinetuneSection) -> FinetuneRows:
    """Read the table and the model.

    Raises:
        DataError: for a column that is no text, or names no images.
        ArtifactError: for a folder without model, tokenizer or processor.
        ConfigError: for a model of the other kind.
    """
    data = configuration.data
    if data.weight is not None or data.time is not None:
        raise ConfigError("data.weight and data.time in a fine-tuning, expected neither; leave them out")
    table = read_source(data.source, data.query, kinds={})
    check_one_target(table, data.target)
    require_columns(table, [section.column], "to fine-tune on")
    if section.column == data.target:
        raise DataError(f"column {section.column!r} is the target too, expected another one for the model to read")
    _, table = weighted_rows_of(table, None, data.target)
    if data.drop_missing_target:
        table = table.filter(plain_column(table[data.target]).is_valid())
    backbone = Backbone(
        section.model, pooling=section.pooling, max_length=section.max_length,
        cache=Path(configuration.output) / TEXT_CACHE,
    )  # fmt: skip
    cells = _cells(table, section, backbone, Path(data.source).parent)
    features = backbone.features(cells).numpy()
    return FinetuneRows(backbone, cells, features, _run_table(configuration, table, features), fingerprint(table))


def _cells(table: pa.Table, section: FinetuneSection, backbone: Backbone, folder: Path) -> list[str]:
    wanted = "texts" if section.text is not None else "images"
    if backbone.takes != wanted:
        raise ConfigError(
            f"finetune.{'text' if wanted == 'texts' else 'image'}={section.column!r} with a model of "
            f"{backbone.takes}, expected one of {wanted}; name the other kind of column, or another model"
        )
    cells = read_cells(table, section.column, wanted, folder)
    if wanted == "texts":
        _check_words(section.column, cells)
    return cells


def read_cells(table: pa.Table, name: str, takes: str, folder: Path) -> list[str]:
    """Texts, an empty one where there is none, or paths of images from a folder on.

    Raises:
        DataError: for a column of another type, or a row without a path.
    """
    column = plain_column(table[name])
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        kind = "texts" if takes == "texts" else "paths"
        raise DataError(f"column {name!r} holds {column.type}, expected {kind}; name another column")
    values: list[Any] = column.to_pylist()
    if takes == "texts":
        return [value or "" for value in values]
    empty = next((row for row, value in enumerate(values) if not value), None)
    if empty is not None:
        raise DataError(f"column {name!r} is empty in row {empty}, expected the path of an image in every row")
    return [str(folder / value) for value in values]


def _check_words(name: str, values: list[Any]) -> None:
    """Refuse a column of numbers that a file spells as text."""
    filled = [value for value in values[:1000] if value]
    if not filled:
        raise DataError(f"column {name!r} is empty, expected texts; name another column")
    if all(value.strip().replace(".", "", 1).lstrip("+-").isdigit() for value in filled):
        raise DataError(f"column {name!r} holds numbers such as {filled[0]!r}, expected texts; name another column")


def _run_table(configuration: Configuration, table: pa.Table, features: np.ndarray) -> RunTable:
    data = configuration.data
    group = checked_group(table, data.group, data.target)
    title = "feature"
    while any(name.startswith(title) for name in (data.target, *group)):
        title += "_"
    columns = {f"{title} {k + 1}": values for k, values in enumerate(np.ascontiguousarray(features.T))}
    kept = {name: table[name] for name in (data.target, *group)}
    whole = pa.table({**kept, **columns})
    kinds = dict.fromkeys(columns, "number")
    schema = inspect_table(whole, data.target, kinds=kinds, task=data.task, drop=group)
    schema = schema.grouped_by(*group) if group else schema
    split = cut(whole, schema, configuration, configuration.seed)
    return RunTable(whole, replace(schema, notes=(), warnings=()), split)
