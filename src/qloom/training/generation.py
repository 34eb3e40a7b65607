"""From a table to synthetic rows: a model and its controls are trained on the same rows, drawn from and measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.checks import is_integer, is_real
from qloom.data import split_rows
from qloom.data.bit_coding import BitCoding
from qloom.data.coded_column import why_left_out
from qloom.data.columns import require_columns
from qloom.data.recognition import find_columns
from qloom.data.schema import Column
from qloom.errors import ArtifactError, ConfigError, DataError
from qloom.models.generative.competitors import COMPETITORS, USUAL, Competitor, controls_of, find_competitor
from qloom.training.cell_features import CellFeatures
from qloom.training.environment import describe_machine
from qloom.training.fidelity import Fidelity, FidelityMeasure
from qloom.training.generation_folder import GenerationFolder
from qloom.training.generation_pictures import pictures_of
from qloom.training.lock import locked
from qloom.training.table import fingerprint, read_source
from qloom.training.usefulness import Target

HELD_OUT = 0.25
FEWEST_ROWS = 40
REAL = "real rows"


@dataclass(frozen=True)
class Generation:
    """What is asked for.

    Attributes:
        source: path of a table, or a demonstration.
        rows: to write.
        model: name of one of `COMPETITORS`; None for the first of `USUAL` that can draw rows of so many bits.
        columns: of the table that are learnt; empty for all.
        kinds: column -> kind, where another was found, as `inspect_table` takes it.
        target: a column that models of synthetic rows are to predict; None for no such score.
        coding: settings of `BitCoding`.
        query: SQL on the source.
        time_limit: seconds for the training of each model that is trained by steps; None for all of its steps.
        seed: of everything random.
    """

    source: str
    rows: int = 10_000
    model: str | None = None
    columns: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    target: str | None = None
    coding: tuple[tuple[str, Any], ...] = ()
    query: str | None = None
    seed: int = 0
    time_limit: float | None = None

    def __post_init__(self) -> None:
        for name, value, least in (("rows", self.rows, 1), ("seed", self.seed, 0)):
            if not is_integer(value) or value < least:
                raise ConfigError(f"{name}={value!r}, expected an integer of at least {least}")
        if self.time_limit is not None and not (is_real(self.time_limit) and self.time_limit > 0):
            raise ConfigError(f"time_limit={self.time_limit!r}, expected seconds above 0")
        if self.model is not None:
            find_competitor(self.model)


@dataclass(frozen=True)
class Learnt:
    """A table that models learn, cut in two.

    Attributes:
        columns: those that are coded and vary, as they were found.
    """

    columns: tuple[Column, ...]
    training: pa.Table
    held_out: pa.Table
    coding: BitCoding
    bits: np.ndarray


@dataclass(frozen=True)
class Drawn:
    """A trained model, what it drew and how near that is to real rows.

    Attributes:
        repaired: the share of cells whose bits were no pattern that training had.
    """

    model: Any
    rows: pa.Table
    seconds: float
    repaired: float
    fidelity: Fidelity


def generate(asked: Generation, folder: Path, tell: Callable[[str], None] = lambda text: None) -> pa.Table:
    """Train, draw and measure; a run folder with models and numbers, and the rows of the model that was asked for.

    Raises:
        QloomError: for a table, model or folder that cannot be used.
    """
    kept = GenerationFolder(folder)
    with locked(folder):
        if kept.is_finished:
            raise ArtifactError(f"run folder {folder} exists already, expected a new one; choose another name")
        table = _table_of(asked)
        columns = [column for column, _ in find_columns(table, None, (), dict(asked.kinds))]
        target = _target_of(asked, columns)
        learnt = _learn(asked, table, columns)
        for note in learnt.coding.notes:
            tell(note)
        chosen = _choose(asked, learnt, tell)
        measure = _measure_of(asked, learnt, target)
        n_rows = learnt.training.num_rows, learnt.held_out.num_rows
        tell(f"{n_rows[0]} training rows and {n_rows[1]} held out, {learnt.bits.shape[1]} bits")
        drawn = {each.name: _draw(each, asked, learnt, measure, tell) for each in (chosen, *controls_of(chosen.name))}
        kept.write_models({name: found.model for name, found in drawn.items()}, learnt.coding, chosen.name)
        record = _record(asked, learnt, chosen, drawn, measure, folder.resolve().name)
        kept.write_results(record | {"table_sha256": fingerprint(table)}, describe_machine())
    return drawn[chosen.name].rows.slice(0, asked.rows)


def _table_of(asked: Generation) -> pa.Table:
    table = read_source(asked.source, asked.query, kinds=dict(asked.kinds))
    require_columns(table, asked.columns, "to be learnt")
    if table.num_rows < FEWEST_ROWS:
        raise DataError(
            f"{asked.source} has {table.num_rows} rows, expected at least {FEWEST_ROWS}: a quarter of them is held out "
            "to measure by"
        )
    return table.select(list(asked.columns)) if asked.columns else table


def _target_of(asked: Generation, columns: Sequence[Column]) -> Column | None:
    """The column to predict.

    Raises:
        DataError: if the table has none such, or it does not come back.
    """
    if asked.target is None:
        return None
    found = {column.name: column for column in columns}
    require_columns(pa.table({name: pa.array([], pa.null()) for name in found}), [asked.target], "as the target")
    column = found[asked.target]
    if why := why_left_out(column):
        raise DataError(
            f"target {asked.target!r} does not come back in synthetic rows ({why}), expected another column"
        )
    return column


def _learn(asked: Generation, table: pa.Table, columns: Sequence[Column]) -> Learnt:
    split = split_rows(table.num_rows, kind="random", validation=0.0, test=HELD_OUT, seed=asked.seed)
    training, held_out = (table.take(pa.array(rows)) for rows in (split.train, split.test))
    coding = BitCoding(**dict(asked.coding)).fit(training, columns)
    varying = {column.name for column in coding.columns if column.book.n_bits}
    kept = tuple(column for column in columns if column.name in varying)
    return Learnt(kept, training, held_out, coding, coding.encode(training))


def _choose(asked: Generation, learnt: Learnt, tell: Callable[[str], None]) -> Competitor:
    """The model that was asked for, or a usual one.

    Raises:
        ConfigError: if it cannot draw rows of so many bits.
    """
    n_bits, names = learnt.bits.shape[1], (asked.model,) if asked.model else USUAL
    fitting = [each for each in map(find_competitor, names) if each.most_bits is None or n_bits <= each.most_bits]
    if asked.model and not fitting:
        raise ConfigError(f"{_too_many(find_competitor(asked.model), learnt)}, or take another model such as chow-liu")
    if fitting[0].name != names[0]:
        tell(f"{fitting[0].title} is taken: {_too_many(find_competitor(names[0]), learnt)}")
    return fitting[0]


def _too_many(competitor: Competitor, learnt: Learnt) -> str:
    """How many bits there are, and what needs fewer."""
    most, n_bits = competitor.most_bits or 0, learnt.bits.shape[1]
    given = f"{len(learnt.columns)} columns are {n_bits} bits, expected at most {most} for rows of {competitor.name}"
    less = learnt.coding.smaller(learnt.training, learnt.columns, most)
    if less is None:
        return f"{given}; take fewer columns with columns=..."
    coarser = [f"bins={less.bins}"] if less.bins != learnt.coding.bins else []
    coarser += [f"categories={less.categories!r}"] if less.categories != learnt.coding.categories else []
    coarser += [f"max_levels={less.max_levels}"] if less.max_levels != learnt.coding.max_levels else []
    return f"{given}; {less.n_bits} are enough with {' '.join(coarser)}, or take fewer columns with columns=..."


def _measure_of(asked: Generation, learnt: Learnt, target: Column | None) -> FidelityMeasure:
    features = CellFeatures(learnt.training, learnt.columns)
    wanted = None if target is None else Target(learnt.training, target)
    return FidelityMeasure(features, learnt.training, learnt.held_out, wanted, asked.seed)


def _draw(
    competitor: Competitor, asked: Generation, learnt: Learnt, measure: FidelityMeasure, tell: Callable[[str], None]
) -> Drawn:
    """Train a model and draw as many rows as it learnt from, or as are asked for if that is more."""
    start = time.perf_counter()
    model, is_stopped = competitor.fit(learnt.bits, asked.seed, asked.time_limit)
    seconds = time.perf_counter() - start
    n_measured = learnt.training.num_rows
    bits = model.sample(max(asked.rows, n_measured), random_state=asked.seed)
    rows = learnt.coding.decode(bits, asked.seed)
    tell(f"{competitor.title}: trained in {seconds:.1f} s" + ", as long as it had, not to its end" * is_stopped)
    repaired = sum(learnt.coding.repaired(bits).values()) / len(learnt.columns)
    return Drawn(model, rows, seconds, repaired, measure(rows.slice(0, n_measured)))


def _record(
    asked: Generation, learnt: Learnt, chosen: Competitor, drawn: dict[str, Drawn], measure: FidelityMeasure, name: str
) -> dict[str, Any]:
    """What a run leaves in metrics.json, as plain JSON values."""
    models = {key: _model_record(COMPETITORS[key], found, key == chosen.name) for key, found in drawn.items()}
    real = {"title": REAL, "role": "real", "explanation": "The training rows in their place: what can be reached."}
    target = measure.target
    return {
        "name": name,
        "asked": asdict(asked),
        "chosen": chosen.name,
        "n_rows": {"training": learnt.training.num_rows, "held out": learnt.held_out.num_rows, "written": asked.rows},
        "n_bits": learnt.bits.shape[1],
        "columns": [{"name": c.name, "kind": c.kind, "becomes": c.became} for c in learnt.coding.columns],
        "notes": list(learnt.coding.notes),
        "target": None if target is None else target.column.name,
        "metric": None if target is None else target.metric,
        "models": models | {"real": {**real, "seconds": None, "repaired": None, **measure.of_real_rows().record()}},
        "pictures": pictures_of(measure, {key: found.rows for key, found in drawn.items()}, chosen.name),
    }


def _model_record(competitor: Competitor, found: Drawn, is_chosen: bool) -> dict[str, Any]:
    return {
        "title": competitor.title,
        "role": "asked for" if is_chosen else "control",
        "explanation": competitor.explanation,
        "seconds": found.seconds,
        "repaired": found.repaired,
        **found.fidelity.record(),
    }
