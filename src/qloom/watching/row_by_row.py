"""Prequential evaluation: every row of a stream is predicted first and learnt from then, by ours and by others."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from qloom.data import Preprocessing, TargetCoding, rows_with_target
from qloom.data.splits import time_order
from qloom.errors import DataError
from qloom.models.saving import load_model
from qloom.models.tables.competitors import COMPETITORS
from qloom.models.threads import numeric_threads
from qloom.training.competitors import goal_of
from qloom.watching.learners import Block, LastTarget, Learner, Network, Tracked, UpdatedNetwork, Usual
from qloom.watching.looking import Watched
from qloom.watching.old_rows import load_source
from qloom.watching.resampling import difference_interval
from qloom.watching.river_learners import RiverLearner, check_river

_POINTS = 200
MOST_BEFORE = 50_000
CONTROL = "classical layer of equal size"


@dataclass(frozen=True)
class Stream:
    """Rows in order of time, coded as a model reads them.

    Attributes:
        coding: of the target.
    """

    coding: TargetCoding
    x: torch.Tensor
    y: torch.Tensor
    truth: np.ndarray
    cells: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, preprocessing: Preprocessing, coding: TargetCoding, table: pa.Table) -> Stream:
        """The rows of a table with a target in each, in the order they stand in."""
        x = torch.from_numpy(preprocessing.transform(table))
        y, truth = torch.from_numpy(coding.encode(table)), coding.truth(table)
        return cls(coding, x, y, truth, _row_cells(preprocessing, table))

    def block(self, first: int, last: int) -> Block:
        """Some of the rows."""
        part = slice(first, last)
        return Block(self.x[part], self.y[part], self.truth[part], self.cells[part])

    def blocks(self, size: int) -> Iterator[Block]:
        """All rows, so many at a time."""
        for first in range(0, len(self.truth), size):
            yield self.block(first, first + size)


def _row_cells(preprocessing: Preprocessing, table: pa.Table) -> list[dict[str, Any]]:
    """A dictionary a row: numbers, dates as seconds, words; missing cells are left out."""
    rows: list[dict[str, Any]] = [{} for _ in range(table.num_rows)]
    for name, cells in preprocessing.cells(table).items():
        if isinstance(cells, np.ndarray):
            absent = np.isnat(cells) if cells.dtype.kind == "M" else np.isnan(cells)
            values: list[Any] = cells.astype(np.int64 if cells.dtype.kind == "M" else np.float64).tolist()
            for row, value, missing in zip(rows, values, absent.tolist(), strict=True):
                if not missing:
                    row[name] = float(value)
        else:
            for row, value in zip(rows, cells.to_pylist(), strict=True):
                if value is not None:
                    row[name] = value
    return rows


def prequential(
    watched: Watched, river: tuple[str, ...] = ("forest", "tree"), say: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Run all learners over the labelled new rows in their order, as plain JSON values.

    Returns:
        run, version, source, target, n_rows, every, window; metric; learners: of each title, role, score with its
        interval, seconds, curve of the score in windows of the stream, `beyond`: difference to the frozen model with
        its interval; notes.

    Raises:
        QloomError: for rows without target or of unknown classes, and names that river's models do not have.
    """
    check_river(river)
    model, configuration = watched.model, watched.configuration
    table = watched.labelled
    if table is None:
        raise DataError(f"{watched.source} has no row with a target {watched.target!r}, expected one in every row")
    stream = Stream.of(model.preprocessing_, model.coding_, table)
    before, notes = _rows_before(watched)
    learners = make_learners(watched, river)
    runs = []
    with numeric_threads(configuration.threads):
        for learner in learners:
            errors, seconds = run_learner(learner, stream, before, configuration.watch.every)
            runs.append((learner, errors, seconds))
            say(f"{learner.title}: {score_of(stream.coding, errors):.4f}, {seconds:.1f} s")
    frozen = next(errors for learner, errors, _ in runs if learner.role == "frozen")
    return {
        "run": str(watched.folder.path), "version": watched.ledger.number, "source": watched.source,
        "target": watched.target, "n_rows": len(stream.truth), "every": configuration.watch.every,
        "window": configuration.watch.window, "notes": notes,
        "metric": "mean absolute error" if stream.coding.task == "regression" else "accuracy",
        "learners": [_record(stream.coding, *run, frozen, configuration.seed) for run in runs],
    }  # fmt: skip


def run_learner(learner: Learner, stream: Stream, before: Stream | None, every: int) -> tuple[np.ndarray, float]:
    """Errors of a learner over a stream, (B,): 1 for a wrong class, or how far numbers are off; and seconds."""
    began = time.perf_counter()
    if before is not None:
        learner.begin(before.block(0, len(before.truth)))
    predicted = np.concatenate([learner.step(block) for block in stream.blocks(every)])
    errors = np.abs(predicted - stream.truth)
    if stream.coding.task == "classification":
        errors = (errors > 0).astype(np.float64)
    return errors, time.perf_counter() - began


def make_learners(watched: Watched, river: Sequence[str]) -> list[Learner]:
    """The model in force as it is and in two ways updated, its controls likewise, guesses, models of river."""
    configuration, coding = watched.configuration, watched.model.coding_
    loss = goal_of(configuration).make_loss(coding.task)
    control = watched.ledger.folder / COMPETITORS["hybrid_classical"].place
    own, has_control = watched.ledger.current, control.is_dir()
    learners: list[Learner] = [Tracked("hybrid, readout follows", "ours", coding, load_model(own))]
    if has_control:
        learners.append(Tracked(f"{CONTROL}, readout follows", "control", coding, load_model(control)))
    learners.append(Tracked("linear model of the same inputs, follows", "control", coding))
    learners.append(UpdatedNetwork("hybrid, retrained", "retrained", load_model(own), loss, configuration))
    if has_control:
        learners.append(UpdatedNetwork(f"{CONTROL}, retrained", "control", load_model(control), loss, configuration))
    learners += [Network("hybrid, frozen", "frozen", load_model(own)), LastTarget(), Usual(coding)]
    return learners + [RiverLearner(name, coding, configuration.seed) for name in river]


def _rows_before(watched: Watched) -> tuple[Stream | None, list[str]]:
    """The run's own rows in their order, the last of them, for what learns as it goes."""
    model, loaded = watched.model, load_source(watched.folder, watched.configuration)
    if isinstance(loaded, str):
        return None, [f"nothing was learnt from before the stream: {loaded}"]
    time_column, table = watched.configuration.data.time, loaded.table
    if time_column is not None:
        table = table.take(pa.array(time_order(table, time_column, table.num_rows)))
    table = rows_with_target(table.slice(max(0, table.num_rows - MOST_BEFORE)), watched.target)
    notes = [f"what learns row by row began with the last {table.num_rows:,} rows of the run's own table"]
    return Stream.of(model.preprocessing_, model.coding_, table), notes


def score_of(coding: TargetCoding, errors: np.ndarray) -> float:
    """Accuracy, or the mean absolute error."""
    mean = float(errors.mean())
    return mean if coding.task == "regression" else 1 - mean


def _record(
    coding: TargetCoding, learner: Learner, errors: np.ndarray, seconds: float, frozen: np.ndarray, seed: int
) -> dict[str, Any]:
    sign = -1.0 if coding.task == "classification" else 1.0
    offset = 1.0 if coding.task == "classification" else 0.0
    low, high = sorted(offset + sign * end for end in difference_interval(errors, seed, in_order=True))
    gained = frozen - errors  # positive where the frozen model is worse
    width = max(1, math.ceil(len(errors) / _POINTS))
    cuts = range(0, len(errors), width)
    curve = [[first + len(errors[first : first + width]) / 2, score_of(coding, errors[first : first + width])]
             for first in cuts]  # fmt: skip
    return {
        "title": learner.title, "role": learner.role, "score": [score_of(coding, errors), low, high],
        "beyond": [float(gained.mean()), *difference_interval(gained, seed, in_order=True)],
        "seconds": seconds, "curve": curve,
    }  # fmt: skip
