"""The files of a run that learnt a table to generate rows: models with their coding, numbers, environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qloom.data.bit_coding import BitCoding
from qloom.errors import ArtifactError
from qloom.files import read_json, write_json
from qloom.models.artifact import find_model_folder
from qloom.models.generative.competitors import COMPETITORS
from qloom.training.folder import CONFIG, ENVIRONMENT, METRICS_FILE, damaged

CODING = "coding.json"
FORMAT, VERSION = "qloom.generation", 1


class GenerationFolder:
    """The folder of a run: `model` is the model that was asked for, `controls` has the others by name.

    Args:
        path: of the folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    @property
    def is_finished(self) -> bool:
        """Whether it holds a run's numbers, which are written last, or another kind of run."""
        return (self.path / METRICS_FILE).exists() or (self.path / CONFIG).exists()

    def model(self, name: str, chosen: str) -> Path:
        """The folder of a model."""
        return self.path / "model" if name == chosen else self.path / "controls" / name

    def write_models(self, models: Mapping[str, Any], coding: BitCoding, chosen: str) -> None:
        """Fitted models, each with the coding that its bits have."""
        for name, model in models.items():
            model.save(self.model(name, chosen))
            write_json(self.model(name, chosen) / CODING, coding.to_json())

    def write_results(self, metrics: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
        """What was measured; the numbers last, as only they make it a finished run."""
        write_json(self.path / ENVIRONMENT, environment)
        write_json(self.path / METRICS_FILE, {"format": FORMAT, "version": VERSION, **metrics})

    def metrics(self) -> dict[str, Any]:
        """The record of a finished run.

        Raises:
            ArtifactError: if the folder holds none, or one that is damaged or of another version.
        """
        path = self.path / METRICS_FILE
        found = read_json(path)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ArtifactError(f"{path} is not the record of generated rows, expected JSON with format {FORMAT!r}")
        if found.get("version") != VERSION:
            raise ArtifactError(f"{path} has version {found.get('version')!r}, expected {VERSION}; update qloom")
        return found


def is_generation(path: Path) -> bool:
    """Whether a folder holds the record of generated rows."""
    file = path / METRICS_FILE
    found = read_json(file) if file.is_file() else None
    return isinstance(found, dict) and found.get("format") == FORMAT


def find_model(path: Path, name: str | None) -> Path:
    """The folder of a run's model by its name, without one of that asked for; or a model folder as it is.

    Raises:
        ArtifactError: for a name that the run has no model of, or a folder without a model.
    """
    if name is None:
        return find_model_folder(path)
    folder = GenerationFolder(path)
    chosen = folder.metrics()["chosen"]
    if not folder.model(name, chosen).is_dir():
        known = [each for each in COMPETITORS if folder.model(each, chosen).is_dir()]
        raise ArtifactError(f"{path} has no model {name!r}, expected one of {', '.join(known)}; choose one of them")
    return folder.model(name, chosen)


def read_coding(model: Path) -> BitCoding:
    """The coding that a model's bits have.

    Raises:
        ArtifactError: if there is none, or it is damaged.
    """
    path = model / CODING
    if not path.is_file():
        raise ArtifactError(f"{model} has no {CODING}, expected a model that qloom generate wrote; give its run folder")
    try:
        return BitCoding.from_json(read_json(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from None
