"""What the rows of a run looked like, kept in its model folders, so that new rows can be compared with them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from qloom.data.drift import Reference
from qloom.errors import ArtifactError
from qloom.files import read_json, write_json
from qloom.models.artifact import DESCRIPTION
from qloom.models.tables.competitors import COMPETITORS
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.served import Predictor, read_served
from qloom.training.folder import REFINED

FILE = "drift.json"


def keep_references(folder: Path, train: pa.Table, data: PreparedTable) -> None:
    """Write the references of all models of a run or version folder.

    Predictions are of rows held out from training, as those of new rows will be.

    Args:
        train: the rows learnt from.
        data: of the same round.
    """
    rows = data.held_out.x.numpy()
    inputs = Reference.learn(data.preprocessing, data.coding, train)
    for place in (folder / each for each in (*(competitor.place for competitor in COMPETITORS.values()), REFINED)):
        if (place / DESCRIPTION).is_file():
            write_reference(place, inputs.with_predictions(read_served(place).predict_features(rows)))


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
