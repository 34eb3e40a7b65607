"""What a model's training rows and its predictions looked like, to compare new rows with: counts in bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.columns import require_columns
from qloom.data.drift.bins import Bins, Cells, learn_bins, read_bins
from qloom.data.embedding_coding import EmbeddingCoding
from qloom.data.preprocessing import Preprocessing
from qloom.data.schema import read_record
from qloom.data.target import TargetCoding, class_text
from qloom.data.text_coding import TextCoding
from qloom.errors import ArtifactError

FORMAT = "qloom-drift"
PREDICTION = "(prediction)"
"""What predictions are called among the columns."""


@dataclass(frozen=True)
class Counts:
    """How many cells fell into each bin; counts of further rows are added with `+`.

    Attributes:
        columns: by column, int64 (n_bins,); predictions under `PREDICTION`, where there were any.
        n_rows: that were counted.
    """

    columns: Mapping[str, np.ndarray]
    n_rows: int

    def __add__(self, other: Counts) -> Counts:
        names = dict.fromkeys([*self.columns, *other.columns])
        sums = {name: self.columns.get(name, 0) + other.columns.get(name, 0) for name in names}
        return Counts({name: np.asarray(value) for name, value in sums.items()}, self.n_rows + other.n_rows)


@dataclass(frozen=True)
class LossSummary:
    """Losses of rows held out from training.

    Attributes:
        n: rows.
        mean, deviation: of their losses.
    """

    n: int
    mean: float
    deviation: float

    @classmethod
    def of(cls, losses: np.ndarray) -> LossSummary:
        """Shapes: losses (B,)."""
        return cls(len(losses), float(losses.mean()), float(losses.std()))


@dataclass(frozen=True)
class Reference:
    """The rows that a model learnt from, and predictions for rows held out from them, as counts in bins.

    Attributes:
        preprocessing: how the model reads cells.
        coding: of its target.
        bins: by column.
        counted: those rows.
        losses: of the rows held out, where they were kept.
    """

    preprocessing: Preprocessing
    coding: TargetCoding
    bins: Mapping[str, Bins]
    counted: Counts
    losses: LossSummary | None = None

    @classmethod
    def learn(
        cls, preprocessing: Preprocessing, coding: TargetCoding, table: pa.Table, predictions: np.ndarray | None = None
    ) -> Reference:
        """Bins of the rows of a table, and of predictions for these or other rows.

        Shapes: predictions (B', C) or (B',).
        """
        cells = _cells(preprocessing, table)
        bins = {name: learn_bins(values) for name, values in cells.items()}
        counts = {name: bins[name].count(values) for name, values in cells.items()}
        found = cls(preprocessing, coding, bins, Counts(counts, table.num_rows))
        return found if predictions is None else found.with_predictions(predictions)

    def with_predictions(self, predictions: np.ndarray) -> Reference:
        """The same with predictions, for these or other rows.

        Shapes: predictions (B', C) or (B',).
        """
        cells = _predicted(self.coding, predictions)
        bins = learn_bins(cells)
        counted = {**self.counted.columns, PREDICTION: bins.count(cells)}
        return replace(self, bins={**self.bins, PREDICTION: bins}, counted=Counts(counted, self.counted.n_rows))

    def counts(self, table: pa.Table, predictions: np.ndarray | None = None) -> Counts:
        """New rows in the same bins.

        Args:
            table: has the training columns, in any order, among others.
            predictions: of the model for its rows; None leaves them out.

        Shapes: predictions (B, C) or (B,).

        Raises:
            DataError: for a missing column or cells of another kind than in training.
        """
        cells = _cells(self.preprocessing, table)
        if predictions is not None and PREDICTION in self.bins:
            cells[PREDICTION] = _predicted(self.coding, predictions)
        return Counts({name: self.bins[name].count(values) for name, values in cells.items()}, table.num_rows)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, versioned; preprocessing and coding are the model's and not among them."""
        columns = [
            {"name": name, **bins.to_json(), "counts": self.counted.columns[name].tolist()}
            for name, bins in self.bins.items()
        ]
        return {"format": FORMAT, "version": 1, "n_rows": self.counted.n_rows, "columns": columns,
                "losses": None if self.losses is None else asdict(self.losses)}  # fmt: skip

    @classmethod
    def from_json(cls, record: Mapping[str, Any], preprocessing: Preprocessing, coding: TargetCoding) -> Reference:
        """What `to_json` wrote, of a model with that preprocessing and coding.

        Raises:
            ArtifactError: for a record that is damaged, foreign, of another version or of another model.
        """
        fields = read_record(record, FORMAT)
        try:
            bins = {entry["name"]: read_bins(entry) for entry in fields["columns"]}
            counts = {entry["name"]: np.asarray(entry["counts"], dtype=np.int64) for entry in fields["columns"]}
            n_rows = int(fields["n_rows"])
            losses = None if fields.get("losses") is None else LossSummary(**fields["losses"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"the record of drift is damaged ({error}), expected version 1; train again") from None
        odd = [name for name in bins if counts[name].shape != (bins[name].n_bins,)]
        if odd or set(bins) - {PREDICTION} != {coding.name for coding in preprocessing.codings}:
            raise ArtifactError(
                "the record of drift is damaged or of another model, expected the columns that it reads; train again"
            )
        return cls(preprocessing, coding, bins, Counts(counts, n_rows), losses)


def _cells(preprocessing: Preprocessing, table: pa.Table) -> dict[str, Cells]:
    """Cells by column as the model reads them; of free text how many words there are."""
    require_columns(table, [coding.name for coding in preprocessing.codings], "by the model")
    cells = preprocessing.cells(table)
    for coding in preprocessing.codings:
        if isinstance(coding, TextCoding | EmbeddingCoding):
            words = pc.list_value_length(pc.utf8_split_whitespace(cells[coding.name]))
            cells[coding.name] = np.asarray(words, dtype=np.float64)
    return cells


def _predicted(coding: TargetCoding, predictions: np.ndarray) -> Cells:
    """Predictions as one column: numbers, the second of two classes' probability, or the likeliest of more classes."""
    predictions = np.asarray(predictions, dtype=np.float64)
    if predictions.ndim == 1:
        return predictions
    if predictions.shape[1] == 2:
        return predictions[:, 1]
    labels = [class_text(label) for label in coding.classes]
    return pa.chunked_array([pa.array([labels[code] for code in predictions.argmax(axis=1)], pa.string())])
