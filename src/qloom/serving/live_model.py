"""A model as it is served: the version in force, its classical control, how rows are read, what training saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qloom.data.drift import Reference
from qloom.errors import ArtifactError, DataError
from qloom.files import read_json
from qloom.models.artifact import DESCRIPTION, find_model_folder
from qloom.models.tables.served import Predictor, read_served
from qloom.serving.reading import Reader, Reading
from qloom.serving.schema import describe_model, example_row
from qloom.training.evaluation import CONTROL
from qloom.training.folder import METRICS_FILE, RunFolder, find_model
from qloom.training.predictions import prediction_columns
from qloom.training.reference import FILE as REFERENCE
from qloom.training.reference import read_reference
from qloom.training.versions import LEDGER, VERSIONS, Ledger, version_in_force

Mark = tuple[Any, ...]


class LiveModel:
    """A model that was loaded and has predicted.

    Args:
        run: run or model folder.
        name: of the model in the run; None for the version in force.

    Attributes:
        version: "0" of the run's own model, the number of an updated one, then the beginning of the weights' hash.
        control: the classical layer in place of the circuit; None where the folder has none, or it is the model itself.
        merges: whether rows of several requests may be predicted together; what measures would give them other numbers.
        reference: what training rows looked like; None where that was not kept.

    Raises:
        QloomError: for a folder that is no finished run or model, of another version, damaged, or that cannot predict.
    """

    def __init__(self, run: str | Path, name: str | None = None):
        run = Path(run)
        check_finished(run)
        self.mark = mark_of(run, name)
        self.folder = find_model_folder(find_model(run, name))
        self.predictor = read_served(self.folder)
        self.reader = Reader(self.predictor.preprocessing_)
        self.control = self._read_control(run, name)
        self.reference = self._read_reference()
        number = version_in_force(run, name) or 0
        self.version = f"{number}-{fingerprint(self.folder)}"
        self.schema = describe_model(self.predictor, self.control, self.version, run, name)
        self.merges = is_exact(self.predictor)
        self._check()

    def _read_control(self, run: Path, name: str | None) -> Predictor | None:
        folder = (Ledger(run).folder if name is None else run) / CONTROL.place
        if not folder.is_dir() or folder == self.folder:
            return None
        return read_served(folder)

    def _read_reference(self) -> Reference | None:
        return read_reference(self.folder, self.predictor) if (self.folder / REFERENCE).is_file() else None

    def _check(self) -> None:
        """Predict one row, so that a model that cannot is not put in force."""
        reading = self.reader.read({name: [cell] for name, cell in example_row(self.predictor).items()}, 1)
        for model in (self.predictor, self.control):
            if model is not None and not np.isfinite(self.predict([reading], model)).all():
                raise DataError(
                    f"the model in {self.folder} predicts no number for a row of usual values; train it again"
                )

    def predict(self, readings: Sequence[Reading], model: Predictor | None = None) -> np.ndarray:
        """Predictions for the rows of several requests, one after the other, each as `qloom predict` has it.

        Args:
            model: `control`, for its predictions; None for the model's own.

        Shapes: -> class probabilities (B, C), or values (B,).
        """
        model = model or self.predictor
        if not (self.merges if model is self.predictor else is_exact(model)):
            model = model.with_engine({})  # random numbers from the first on, as of a model that was just read
        return model.predict_features(self._features(model, readings))

    def _features(self, model: Predictor, readings: Sequence[Reading]) -> np.ndarray:
        if model is self.predictor or model.preprocessing_.to_json() == self.predictor.preprocessing_.to_json():
            return self.reader.features(readings)
        return model.preprocessing_.transform(self.reader.table(readings[0]))

    def columns(self, predictions: np.ndarray, model: Predictor | None = None) -> dict[str, np.ndarray]:
        """Predictions as `qloom predict` writes them: `prediction`, and `probability:CLASS` of each class."""
        model = model or self.predictor
        return prediction_columns(model.coding_, predictions, threshold=model.readout_.threshold)


def check_finished(run: Path) -> None:
    """Refuse a run that is still being trained.

    Raises:
        ArtifactError: for one.
    """
    if RunFolder(run).is_begun and not (run / METRICS_FILE).is_file():
        raise ArtifactError(
            f"run {run} is not finished, expected one with {METRICS_FILE}; go on with qloom train --resume {run}"
        )
    if not run.exists():
        raise ArtifactError(f"{run} does not exist, expected a run or model folder; make one with qloom train")


def is_exact(model: Predictor) -> bool:
    """Whether a row has the same prediction whenever it is asked for."""
    return model.engine_ is None or model.engine_.is_exact


def mark_of(run: Path, name: str | None) -> Mark:
    """What changes when another version is put in force, or a model is written anew; a few looks at files."""
    files = [run / VERSIONS / LEDGER] if name is None else []
    files.append(find_model_folder(find_model(run, name)) / DESCRIPTION)
    return tuple((str(file), _state(file)) for file in files)


def _state(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def fingerprint(folder: Path) -> str:
    """The first letters of the weights' hash."""
    return str(read_json(folder / DESCRIPTION).get("weights_sha256", ""))[:12]
