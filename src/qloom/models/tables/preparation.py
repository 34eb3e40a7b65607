"""From a table to rows of numbers: preprocessing and target coding, learnt on the training rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import torch

from qloom.data import Preprocessing, Schema, Split, TargetCoding
from qloom.models.tables.goals import Goal
from qloom.models.tables.losses import Loss
from qloom.models.tables.rows import Rows
from qloom.models.tables.starting import Start
from qloom.models.tables.target_choice import code_target
from qloom.models.tables.weights import check_weights
from qloom.models.tables.windows import Windows


@dataclass(frozen=True)
class PreparedTable:
    """A table ready for any model: all five of a run see the same.

    Attributes:
        preprocessing: fitted on the training rows.
        coding: fitted on the training rows.
        train, validation, test: the three parts; any but the first may be empty.
        goal: what all models are fitted for.
        notes: what was found out about the target, one line each.
        windows: where all training rows are read, if `train` is only a sample of them; None where it is all.
    """

    preprocessing: Preprocessing
    coding: TargetCoding
    train: Rows
    validation: Rows
    test: Rows
    goal: Goal = field(default_factory=Goal)
    notes: tuple[str, ...] = ()
    windows: Windows | None = None

    @property
    def task(self) -> str:
        """ "classification" or "regression"."""
        return self.coding.task

    @property
    def loss(self) -> Loss:
        """What all models are fitted for."""
        return self.goal.make_loss(self.task)

    @property
    def score_names(self) -> tuple[str, ...]:
        """The scores that are reported, the main one first."""
        return self.goal.score_names(self.task, len(self.coding.classes))

    @property
    def held_out(self) -> Rows:
        """The validation rows, or the training rows where there are none."""
        return self.validation if len(self.validation.y) else self.train

    @property
    def n_features(self) -> int:
        """F."""
        return int(self.train.x.shape[1])

    @property
    def n_train(self) -> int:
        """Training rows, those of windows included."""
        return len(self.train.y) if self.windows is None else self.windows.n_rows


def prepare_table(
    table: pa.Table,
    schema: Schema,
    split: Split,
    start: Start | None = None,
    goal: Goal | None = None,
    weights: np.ndarray | None = None,
    preprocessing: Preprocessing | None = None,
) -> PreparedTable:
    """Fit preprocessing and target coding on the training rows, or take those of a start, and code every part.

    Args:
        table, schema, split: the rows.
        start: an earlier model to go on from.
        goal: what is to be fitted; by default as the task usually is.
        weights: of the rows, (B,); equal ones if None.
        preprocessing: learnt before, from more rows than these, or options of one that has learnt nothing yet and is
            fitted to the training rows; None for the usual ones.

    Raises:
        ArtifactError: for a start that predicts from the target.
        QloomError: for a goal that the target does not allow.
    """
    goal = goal or Goal()
    loss = goal.make_loss(schema.task)
    goal.check_threshold(len(schema.classes))
    goal.score_names(schema.task, len(schema.classes))
    weights = None if weights is None else check_weights(weights, table.num_rows)
    notes: tuple[str, ...] = ()
    if start is None:
        preprocessing = preprocessing or Preprocessing()
        if preprocessing.is_fitted:
            x = preprocessing.transform(table)
        else:
            x = preprocessing.fit_transform(table, schema, split.train)
        coding, notes = code_target(table, schema, split, goal, loss, x)
    else:
        start.check_target(schema.target)
        start.check_text_model(None if preprocessing is None else preprocessing.text_model)
        preprocessing, coding = start.preprocessing, replace(start.coding, name=schema.target)
        x = preprocessing.transform(table)
    y, truth = coding.encode(table), coding.truth(table)
    of_classes = goal.weights_of_classes(coding, y[split.train])
    parts = (split.train, split.validation, split.test)
    train, validation, test = (
        _take(x, y, truth, weights, of_classes if k < 2 else None, part) for k, part in enumerate(parts)
    )
    return PreparedTable(preprocessing, coding, train, validation, test, goal, notes)


def coding_of_rows(data: PreparedTable, weights: np.ndarray | None) -> Callable[[np.ndarray | None, pa.Table], Rows]:
    """How further training rows of plain columns, with their weights, become numbers: as those prepared did.

    Args:
        data: with a sample of the training rows.
        weights: of the rows of its table; None for equal ones.
    """
    of_classes = data.goal.weights_of_classes(data.coding, data.train.y.numpy())
    own = np.ones(1) if weights is None else weights
    mean = float(own.mean() * (1.0 if of_classes is None else of_classes[data.train.y.numpy()].mean()))

    def code(weights: np.ndarray | None, table: pa.Table) -> Rows:
        x, y = data.preprocessing.transform(table, is_plain=True), data.coding.encode(table)
        if weights is None and of_classes is None:
            return Rows(torch.from_numpy(x), torch.from_numpy(y))
        own = np.full(len(y), 1 / mean) if weights is None else weights / mean
        shares = (own if of_classes is None else own * of_classes[y]).astype(np.float32)
        return Rows(torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(shares))

    return code


def _take(
    x: np.ndarray,
    y: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray | None,
    of_classes: np.ndarray | None,
    rows: np.ndarray,
) -> Rows:
    """One part; its weights, of rows times of classes, are brought to mean 1."""
    own = None if weights is None else weights[rows]
    if of_classes is not None:
        own = of_classes[y[rows]] * (1.0 if own is None else own)
    shares = None if own is None else torch.from_numpy((own * len(own) / (own.sum() or 1.0)).astype(np.float32))
    first = int(rows[0]) if len(rows) else 0
    following = slice(first, first + len(rows))  # is no copy
    place = following if np.array_equal(rows, np.arange(first, first + len(rows))) else rows
    return Rows(torch.from_numpy(x[place]), torch.from_numpy(y[place]), shares, truth[place])
