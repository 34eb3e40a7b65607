"""What the rows of a run looked like, kept in its model folders, so that new rows can be compared with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from qloom.data import TargetCoding
from qloom.data.drift import LossSummary, Reference
from qloom.errors import ArtifactError
from qloom.files import read_json, write_json
from qloom.models.artifact import DESCRIPTION
from qloom.models.tables.competitors import COMPETITORS
from qloom.models.tables.served import Predictor, read_served
from qloom.training.folder import REFINED

if TYPE_CHECKING:  # both load torch, which a server that reads references does without
    from qloom.models.tables.preparation import PreparedTable
    from qloom.models.tables.rows import Rows

FILE = "drift.json"
LEAST_PROBABILITY = 1e-12


def keep_references(folder: Path, train: pa.Table, data: PreparedTable) -> None:
    """Write the references of all models of a run or version folder.

    Predictions are of rows held out from training, as those of new rows will be.

    Args:
        train: the rows learnt from.
        data: of the same round.
    """
    inputs = Reference.learn(data.preprocessing, data.coding, train)
    places = [Path(REFINED), *(each.place for each in COMPETITORS.values())]
    for place in (folder / each for each in places):
        if (place / DESCRIPTION).is_file():
            write_reference(place, referring(inputs, read_served(place), data.held_out))


def referring(inputs: Reference, model: Predictor, held_out: Rows) -> Reference:
    """The reference of a model: columns, and its predictions and losses of rows held out."""
    predictions = model.predict_features(held_out.x.numpy())
    losses = LossSummary.of(row_losses(model.coding_, held_out.truth, predictions))
    return replace(inputs.with_predictions(predictions), losses=losses)


def row_losses(coding: TargetCoding, truth: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """What each prediction costs: of classes -ln of the true one's probability, of numbers the squared error, in units
    of the training target's deviation where it was not transformed.

    Shapes: truth (B,), predictions (B, C) or (B,) -> (B,).
    """
    if predictions.ndim == 2:
        return -np.log(np.maximum(predictions[np.arange(len(truth)), truth], LEAST_PROBABILITY))
    unit = coding.scale if coding.transformation.kind == "none" else 1.0
    return ((truth - predictions) / unit) ** 2


def write_reference(model: Path, reference: Reference) -> Path:
    """Keep a reference in a model folder."""
    return write_json(model / FILE, reference.to_json())


def read_reference(model: Path, loaded: Predictor) -> Reference:
    """The reference in a model folder, of the model that was loaded from it.

    Raises:
        ArtifactError: for a model that was saved without one, or a damaged file.
    """
    if not (model / FILE).is_file():
        raise ArtifactError(
            f"{model} has no {FILE}, expected what its training rows looked like; train again, as this model was "
            "saved by an older qloom"
        )
    return Reference.from_json(read_json(model / FILE), loaded.preprocessing_, loaded.coding_)
