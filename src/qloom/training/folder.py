"""The files of a run folder: each is written and read here, whole, and what older versions wrote as that of today."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from qloom.engines.choice import choose_engine
from qloom.errors import ArtifactError
from qloom.files import read_json, replace_file, write_json
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST, place_of
from qloom.models.tables.scores import METRICS
from qloom.training.configuration import ComparisonSection, Configuration, load_configuration
from qloom.training.leaderboard import leaderboard_csv
from qloom.training.rendering import render_configuration
from qloom.training.versions import Ledger, version_in_force

CONFIG, ENVIRONMENT, METRICS_FILE = "config.yaml", "environment.json", "metrics.json"
PREDICTIONS, IMPORTANCE, LEADERBOARD = "predictions.parquet", "importance.json", "leaderboard.csv"
# How many rounds each group had and how long it took: a resumed run ends after as many as it would have had.
CHECKPOINTS, GROUPS = "checkpoints", "rounds.json"
# What `qloom noise` found of the run on devices.
UNDER_NOISE = "noise.json"
# Copies of the networks that a run begins with, so that it can go on without the earlier run.
START = "start"
REFINED = "refined"
# By what folders are known that hold no run: those of qloom tune and qloom solve.
TRIALS, SOLUTION = "trials.json", "solution.json"
STREAM = "stream"
# Formats of metrics.json and importance.json. Runs of version 1 trained every model once.
FORMAT, VERSIONS, VERSION = "qloom.run", (1, 2), 2
IMPORTANCE_HEADING = {"format": "qloom.importance", "version": 1}
UNDER_NOISE_HEADING = {"format": "qloom.under_noise", "version": 1}


class RunFolder:
    """The folder of a run, finished or not.

    Args:
        path: of the folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    @property
    def is_begun(self) -> bool:
        """Whether it is a run's: the configuration is the last that a run begins with."""
        return (self.path / CONFIG).is_file()

    def model(self, key: str) -> Path:
        """The folder of a model."""
        return self.path / COMPETITORS[key].place

    def start(self, layer: str) -> Path:
        """The folder of a network that the run begins with, by the kind of its middle layer."""
        return place_of(self.path / START, layer)

    def checkpoint(self, key: str, number: int) -> Path:
        """Where the state of a training is kept; that of round 1 where runs of one round had it."""
        folder = self.path / CHECKPOINTS
        return (folder if number == 1 else folder / f"round-{number}") / f"{key}.safetensors"

    def refinement(self, number: int) -> Path:
        """Where what came of a stage of refinement is kept, from 0."""
        return self.path / CHECKPOINTS / f"refinement-{number + 1}.safetensors"

    @property
    def stream(self) -> Path:
        """The folder of what a run on rows from disk keeps: rows of other formats, samples, what was learnt."""
        return self.path / STREAM

    @property
    def refined(self) -> Path:
        """The folder of the model after all stages of refinement."""
        return self.path / REFINED

    def outcome(self, key: str, number: int) -> Path:
        """Where what came of a training is kept."""
        return self.checkpoint(key, number).with_suffix(".outcome.safetensors")

    # -- what a run begins with

    def write_configuration(self, configuration: Configuration) -> None:
        """The last file of those that a run begins with."""
        replace_file(self.path / CONFIG, render_configuration(configuration))

    def configuration(self) -> Configuration:
        """The configuration, wherever the folder is now."""
        if not self.is_begun:
            raise ArtifactError(
                f"{self.path} has no {CONFIG}, expected a run folder to resume; start one with qloom train"
            )
        place = {"output": str(self.path.parent), "name": self.path.resolve().name}
        configuration = load_configuration(self.path / CONFIG)
        # Runs were of one round before their configurations said how many.
        older = {} if "comparison" in configuration.model_fields_set else {"comparison": ComparisonSection(seeds=1)}
        return configuration.model_copy(update={**place, **older})

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """What the run is made with, and the table's sha256."""
        write_json(self.path / ENVIRONMENT, environment)

    def environment(self) -> dict[str, Any]:
        """The same; empty where a folder has none."""
        path = self.path / ENVIRONMENT
        return dict(read_json(path)) if path.is_file() else {}

    def text(self, name: str) -> str | None:
        """A file as text, None where it is missing."""
        path = self.path / name
        return path.read_text("utf-8", errors="replace") if path.is_file() else None

    def write_groups(self, groups: list[dict[str, Any]]) -> None:
        """Sizes and seconds of the groups of rounds that are done."""
        write_json(self.path / CHECKPOINTS / GROUPS, groups)

    def groups(self) -> list[dict[str, Any]]:
        """The same."""
        path = self.path / CHECKPOINTS / GROUPS
        return list(read_json(path)) if path.exists() else []

    # -- what comes of it

    def write_results(self, metrics: Mapping[str, Any], predictions: Mapping[str, Any], importance: Any) -> None:
        """All that a finished run leaves behind; the metrics last, as only they make it one.

        Args:
            predictions: columns by name.
            importance: what the models hang on; None where that was not asked.
        """
        buffer = pa.BufferOutputStream()
        parquet.write_table(pa.table(dict(predictions)), buffer)
        if importance is not None:
            write_json(self.path / IMPORTANCE, {**IMPORTANCE_HEADING, **importance})
        replace_file(self.path / PREDICTIONS, buffer.getvalue().to_pybytes())
        replace_file(self.path / LEADERBOARD, leaderboard_csv(metrics))
        self.write_metrics(metrics)

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """The record of a finished run."""
        write_json(self.path / METRICS_FILE, {"format": FORMAT, "version": VERSION, **metrics})

    def metrics(self) -> dict[str, Any]:
        """The record of a finished run, with entries that older ones lack.

        Raises:
            ArtifactError: if the folder is no finished run, or its record is damaged or of another version.
        """
        path = self.path / METRICS_FILE
        if not path.is_file():
            state = f"has no {METRICS_FILE}" if self.path.is_dir() else "is not a folder"
            raise ArtifactError(f"{self.path} {state}, expected the folder of a finished run such as runs/NAME")
        found = read_json(path)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ArtifactError(f"{path} is not the record of a run, expected JSON with format {FORMAT!r}")
        if found.get("version") not in VERSIONS:
            known = " or ".join(map(str, VERSIONS))
            raise ArtifactError(f"{path} has version {found.get('version')!r}, expected {known}; update qloom")
        try:
            return _as_today(found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(path, error) from None

    def predictions(self) -> pa.Table:
        """What every model predicts for the test rows of the round that is kept.

        Raises:
            ArtifactError: for a missing or damaged file.
        """
        path = self.path / PREDICTIONS
        if not path.is_file():
            raise ArtifactError(f"{path} is missing, expected the predictions of the run; train again")
        try:
            return parquet.read_table(path)
        except (pa.ArrowException, OSError) as error:
            first_line = str(error).splitlines()[0]
            raise ArtifactError(f"{path} is damaged ({first_line}), expected Parquet; train again") from None

    def write_under_noise(self, found: Mapping[str, Any]) -> None:
        """What `qloom noise` found; what it found before is replaced."""
        write_json(self.path / UNDER_NOISE, {**UNDER_NOISE_HEADING, **found})

    def under_noise(self) -> dict[str, Any] | None:
        """The same; None where it was not asked.

        Raises:
            ArtifactError: for a damaged file, or one of another version.
        """
        path = self.path / UNDER_NOISE
        return _headed(path, UNDER_NOISE_HEADING, "devices", "qloom noise") if path.is_file() else None

    def importance(self) -> dict[str, Any] | None:
        """What models hang on; None of a run that is older than the file.

        Raises:
            ArtifactError: for a damaged file, or one of another version.
        """
        path = self.path / IMPORTANCE
        return _headed(path, IMPORTANCE_HEADING, "models", "qloom train") if path.is_file() else None


def _headed(path: Path, heading: Mapping[str, Any], content: str, writer: str) -> dict[str, Any]:
    """A file with this heading and content that is not empty."""
    try:
        found = dict(read_json(path))
        is_known = {name: found[name] for name in heading} == heading and found[content]
    except (ArtifactError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} is damaged ({error}), expected what {writer} wrote; delete it") from None
    if not is_known:
        raise ArtifactError(f"{path} is of another version, expected {heading['version']}; update qloom or delete it")
    return found


def damaged(path: Path, error: Exception) -> ArtifactError:
    """What is said of a file whose entries are not what they should be."""
    return ArtifactError(
        f"{path} is damaged ({type(error).__name__}: {error}), expected what qloom train wrote; train again"
    )


def _as_today(found: dict[str, Any]) -> dict[str, Any]:
    unknown = {"layer": None, "explanation": "", "against": None}
    models = {
        key: {**(COMPETITORS[key].record() if key in COMPETITORS else unknown), "engine": None, **model}
        for key, model in found["models"].items()
    }
    older: dict[str, Any] = {"columns": [], "split": None, "engine": choose_engine().values(), "refinement": None}
    if found["version"] == 1:
        older |= {"margin": None, "unjudged": None, "rounds": None}
    return {**older, **found, "models": models}


# -- models by name

BEST = "best"
# As they may be asked for.
NAMES = (*(each.name for each in COMPETITORS.values()), BEST)
MODEL_HELP = (
    f"Which model of a run: {', '.join(NAMES)}; by default hybrid, as qloom watch last updated it. "
    f"{BEST}: the first of the leaderboard, so chosen by its test scores; {REFINED}: after the stages of refinement."
)


def find_model(path: Path, name: str | None) -> Path:
    """The folder of a run's model by its name, "best" for the first of the leaderboard; without one, of a run that
    was updated that of the version in force, else as given.

    Raises:
        ArtifactError: for a name that is none, or a folder that is no run or has no such model.
    """
    if name is None:
        return path if version_in_force(path) is None else Ledger(path).current
    run = RunFolder(path)
    known = {each.name: key for key, each in COMPETITORS.items()} | {key: key for key in COMPETITORS}
    if name == REFINED and run.refined.is_dir():
        return run.refined
    key = best_model(run.metrics()) if name == BEST else known.get(name)
    if key is None:
        raise ArtifactError(f"no model {name!r}, expected one of {', '.join(NAMES)}; choose one of them")
    if not run.model(key).is_dir():
        raise ArtifactError(
            f"{path} holds no {name} model in {COMPETITORS[key].place}, expected a run folder with it; train the run "
            "again"
        )
    return run.model(key)


def best_model(metrics: Mapping[str, Any]) -> str:
    """The key of the model with the best main score."""
    metric = metrics["metric"]
    sign = METRICS[metric].sign
    scores = {key: model["test"].get(metric) for key, model in metrics["models"].items()}
    judged = {key: sign * value for key, value in scores.items() if value is not None}
    return max(judged, key=lambda key: judged[key]) if judged else UNDER_TEST
