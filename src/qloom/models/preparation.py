"""From a table to rows of numbers: preprocessing and target coding, learnt on the training rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import torch

from qloom.data import Preprocessing, Schema, Split, TargetCoding
from qloom.models.fitting import Rows
from qloom.models.starting import Start


@dataclass(frozen=True)
class PreparedTable:
    """A table ready for any model: all five of a run see the same.

    Attributes:
        preprocessing: fitted on the training rows.
        coding: fitted on the training rows.
        train, validation, test: the three parts; any but the first may be empty.
    """

    preprocessing: Preprocessing
    coding: TargetCoding
    train: Rows
    validation: Rows
    test: Rows

    @property
    def task(self) -> str:
        """ "classification" or "regression"."""
        return self.coding.task

    @property
    def n_features(self) -> int:
        """F."""
        return int(self.train.x.shape[1])


def prepare_table(table: pa.Table, schema: Schema, split: Split, start: Start | None = None) -> PreparedTable:
    """Fit preprocessing and target coding on the training rows, or take those of a start, and code every part.

    Raises:
        ArtifactError: for a start that predicts from the target.
    """
    if start is None:
        preprocessing = Preprocessing()
        x = preprocessing.fit_transform(table, schema, split.train)
        coding = TargetCoding.fit(table, schema, split.train)
    else:
        start.check_target(schema.target)
        preprocessing, coding = start.preprocessing, replace(start.coding, name=schema.target)
        x = preprocessing.transform(table)
    y = coding.encode(table)
    train, validation, test = (_take(x, y, rows) for rows in (split.train, split.validation, split.test))
    return PreparedTable(preprocessing, coding, train, validation, test)


def _take(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> Rows:
    return Rows(torch.from_numpy(x[rows]), torch.from_numpy(y[rows]))
