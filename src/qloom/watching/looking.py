"""What new rows say of a run's model: drift of inputs, of predictions and of loss, and whether it matters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data import rows_with_target
from qloom.data.drift import PREDICTION, LossSummary, Reference, find_drift
from qloom.data.splits import time_order
from qloom.errors import DataError
from qloom.models.tables.served import Predictor
from qloom.training.configuration import Configuration, WatchSection
from qloom.training.evaluation import open_model, score_model
from qloom.training.folder import RunFolder
from qloom.training.reference import read_reference, row_losses
from qloom.training.table import read_source
from qloom.training.versions import Ledger
from qloom.watching.loss_over_time import watch_losses
from qloom.watching.old_rows import OldRows, find_old_rows
from qloom.watching.telling_apart import tell_apart


@dataclass(frozen=True)
class Watched:
    """A run with new rows beside it.

    Attributes:
        folder, configuration, ledger: of the run.
        model: the version in force.
        reference: of that model.
        source: of the new rows, as it was given.
        table: all new rows, in order of time where the run has a column for it.
        old: training rows, or why there are none.
    """

    folder: RunFolder
    configuration: Configuration
    ledger: Ledger
    model: Predictor
    reference: Reference
    source: str
    table: pa.Table
    old: OldRows | str

    @property
    def section(self) -> WatchSection:
        """What the configuration says of watching."""
        return self.configuration.watch

    @property
    def target(self) -> str:
        """The column that is predicted."""
        return self.model.coding_.name

    @property
    def labelled(self) -> pa.Table | None:
        """The rows with a target, None where there are none."""
        if self.target not in self.table.column_names:
            return None
        known = rows_with_target(self.table, self.target)
        return known if known.num_rows else None


def open_watched(run: Path, data: str, query: str | None = None, changes: Any = None) -> Watched:
    """A run and new rows, checked.

    Args:
        run: the run folder.
        data: table with the training columns; with the target losses are watched too.
        query: SQL on it.
        changes: the configuration with other values of the section `watch`; None as it was trained with.

    Raises:
        QloomError: for a folder, table or column that cannot be used, and for no rows.
    """
    folder = RunFolder(run)
    folder.metrics()  # a run that is not finished, or no run, is refused here
    configuration = folder.configuration()
    configuration = configuration if changes is None else changes(configuration)
    ledger = Ledger(run)
    model = open_model(run, None)
    reference = read_reference(ledger.current, model)
    table = read_source(data, query, known=model.preprocessing_.queried)
    if table.num_rows == 0:
        raise DataError(f"{data} has no rows, expected at least one to compare with those of the training")
    if (time := configuration.data.time) is not None and time in table.column_names:
        table = table.take(pa.array(time_order(table, time, table.num_rows)))
    old = find_old_rows(folder, configuration)
    return Watched(folder, configuration, ledger, model, reference, data, table, old)


def look(watched: Watched) -> dict[str, Any]:
    """What the new rows say, as plain JSON values.

    Returns:
        run, version, source, n_rows; columns: a `ColumnDrift` each, predictions among them; telling_apart: see
        `tell_apart`; loss: see `watch_losses`, with scores, or None without a target; drifted, risen, matters;
        reasons in words; novelties.
    """
    section, model, table = watched.section, watched.model, watched.table
    predictions = model.predict_table(table)
    counts = watched.reference.counts(table, predictions)
    columns = find_drift(watched.reference, counts, psi=section.psi, level=section.level)
    apart = _apart(watched)
    loss = _loss(watched)
    moved = [each.column for each in columns if each.matters]
    reasons = [f"{_named(name)} moved" for name in moved]
    if apart.get("auc") and apart["auc"][1] > section.auc:
        reasons.append(f"a classifier tells new rows from old ones (AUC {apart['auc'][0]:.3f})")
    drifted = bool(reasons)
    risen = loss is not None and loss["risen"]
    reasons += _loss_reasons(loss)
    return {
        "run": str(watched.folder.path), "version": watched.ledger.number, "source": watched.source,
        "n_rows": table.num_rows, "n_training_rows": watched.reference.counted.n_rows, "target": watched.target,
        "columns": [each.to_json() for each in columns], "telling_apart": apart, "loss": loss,
        "drifted": drifted, "risen": risen, "when": section.when,
        "matters": {"drift": drifted, "loss": risen, "either": drifted or risen, "always": True, "never": False}[
            section.when
        ],
        "reasons": reasons, "novelties": _novelties(watched),
    }  # fmt: skip


def _named(column: str) -> str:
    return "predictions have" if column == PREDICTION else f"{column!r} has"


def _apart(watched: Watched) -> dict[str, Any]:
    if isinstance(watched.old, str):
        return {"undefined": watched.old}
    seed = watched.configuration.seed
    return tell_apart(watched.model.preprocessing_, watched.old.table, watched.table, seed)


def _loss(watched: Watched) -> dict[str, Any] | None:
    table = watched.labelled
    if table is None:
        return None
    model, held_out = watched.model, watched.reference.losses
    predictions, truth = model.predict_table(table), model.coding_.truth(table)
    losses = row_losses(model.coding_, truth, predictions)
    missed = missed_rows(model, truth, predictions, losses, held_out)
    found = watch_losses(losses, missed, held_out, watched.section.level)
    scores = score_model(model, table, watched.configuration.seed)["scores"]
    metric = next(iter(scores))
    before = watched.folder.metrics()["models"]["hybrid"]["test"].get(metric) if watched.ledger.number == 0 else None
    return {**found, "n_rows": table.num_rows, "scores": scores, "metric": metric, "metric_in_test": before}


def missed_rows(
    model: Predictor, truth: np.ndarray, predictions: np.ndarray, losses: np.ndarray, held_out: LossSummary | None
) -> np.ndarray:
    """Wrong classes; of numbers those whose loss is above the mean of the held-out rows. Shapes: -> bool (B,)."""
    if predictions.ndim == 1:
        return losses > (float(np.median(losses)) if held_out is None else held_out.mean)
    if predictions.shape[1] == 2:
        return (predictions[:, 1] > model.readout_.threshold) != truth
    return predictions.argmax(axis=1) != truth


def _loss_reasons(loss: dict[str, Any] | None) -> list[str]:
    if loss is None:
        return []
    reasons = []
    if loss["rise"] is not None and loss["rise"][1] > 0:
        reasons.append(f"the loss has risen from {loss['held_out']:.3f} on held-out rows to {loss['mean']:.3f}")
    rises = [each["row"] for each in loss["adwin"] if each["after"] > each["before"]]
    if rises:
        reasons.append(f"ADWIN sees the loss rise at row {first_rows(rises)}")
    return reasons


def first_rows(rows: list[int]) -> str:
    """Some of the rows, in words."""
    more = f" and {len(rows) - 4} more" if len(rows) > 4 else ""
    return ", ".join(f"{row:,}" for row in rows[:4]) + more


def _novelties(watched: Watched) -> list[str]:
    found = watched.model.preprocessing_.novelties(watched.table)
    return [] if found is None else list(found.summary[:8])
