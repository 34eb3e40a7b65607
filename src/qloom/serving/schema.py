"""What a model takes and gives, for people and programs: columns, what their cells may be, usual values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from qloom.data.category_coding import CategoryCoding
from qloom.data.date_coding import DateCoding
from qloom.data.embedding_coding import EmbeddingCoding
from qloom.data.level_means import LevelMeans
from qloom.data.number_coding import NumberCoding
from qloom.data.preprocessing import Coding
from qloom.data.target import class_text
from qloom.errors import ArtifactError
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST
from qloom.models.tables.scores import TITLES
from qloom.models.tables.served import Predictor
from qloom.serving.reading import expected
from qloom.training.evaluation import CONTROL
from qloom.training.folder import METRICS_FILE, REFINED, RunFolder, best_model

_MOST_LEVELS = 200


def example_row(model: Predictor) -> dict[str, Any]:
    """A row of usual values: medians, most frequent levels."""
    return {coding.name: usual(coding) for coding in reversed(model.preprocessing_.codings)}


def usual(coding: Coding) -> Any:
    """The median, to 15 digits, or the most frequent level of a column, as JSON has it."""
    if isinstance(coding, NumberCoding):
        if coding.boolean:
            return coding.fill >= 0.5
        median = float(f"{coding.fill:.15g}")  # half of the sum of two may end in 0000000004
        return int(median) if median.is_integer() and abs(median) < 1 << 53 else median
    if isinstance(coding, DateCoding):
        return str(np.datetime64(coding.fill, "s")).removesuffix("T00:00:00").replace("T", " ")
    if isinstance(coding, (CategoryCoding, LevelMeans)):
        return coding.levels[0] if coding.levels else None
    return "some words" if isinstance(coding, EmbeddingCoding) else " ".join(coding.words[:3])


def describe_model(
    model: Predictor, control: Predictor | None, version: str, run: Path, name: str | None
) -> dict[str, Any]:  # fmt: skip
    """What `/schema` answers, as plain JSON values."""
    coding, example = model.coding_, example_row(model)
    return {
        "run": run.resolve().name,
        "model": title_of_model(run, name),
        "version": version,
        "task": coding.task,
        "target": coding.name,
        "classes": [class_text(label) for label in coding.classes],
        "threshold": model.readout_.threshold if len(coding.classes) == 2 else None,
        "columns": [{**_describe(model, name), "usual": value} for name, value in reversed(example.items())],
        "ignored": sorted(ignored_columns(model, run)),
        "is_quantum": model.engine_ is not None,
        "control": control is not None,
        "scores": scores(run, name),
    }


def _describe(model: Predictor, name: str) -> dict[str, Any]:
    codings = [coding for coding in model.preprocessing_.codings if coding.name == name]
    seen = next((column for column in model.preprocessing_.seen or () if column.name == name), None)
    found: dict[str, Any] = {"name": name, "kind": _kind(codings[0]), "expected": expected(codings[0])}
    if seen is not None and seen.levels is not None:
        frequent = [level for coding in codings if isinstance(coding, CategoryCoding) for level in coding.levels]
        levels = list(dict.fromkeys([*frequent, *seen.levels]))
        found |= {"levels": levels[:_MOST_LEVELS], "n_levels": len(levels)}
    elif seen is not None and not seen.is_date:
        found |= {"low": seen.low, "high": seen.high}
    if seen is not None:
        found["missing_in_training"] = seen.missing
    return found


def _kind(coding: Coding) -> str:
    if isinstance(coding, NumberCoding):
        return "truth" if coding.boolean else "number"
    if isinstance(coding, DateCoding):
        return "date"
    return "category" if isinstance(coding, (CategoryCoding, LevelMeans)) else "text"


def ignored_columns(model: Predictor, run: Path) -> set[str]:
    """Columns that rows may have and that nothing is made of: the target, and what training left out."""
    known = {model.coding_.name, *(column.name for column in model.preprocessing_.queried or ())}
    if (run / METRICS_FILE).is_file():
        known |= {column["name"] for column in RunFolder(run).metrics()["columns"]}
    return known - {coding.name for coding in model.preprocessing_.codings}


def key_of_model(run: Path, name: str | None) -> str:
    """The model's key among those of a run."""
    if name in (None, REFINED):
        return UNDER_TEST
    if name == "best":
        return best_model(RunFolder(run).metrics())
    return next((key for key, each in COMPETITORS.items() if name in (each.name, key)), UNDER_TEST)


def title_of_model(run: Path, name: str | None) -> str:
    """What it is called."""
    return COMPETITORS[key_of_model(run, name)].title + (", refined" if name == REFINED else "")


def scores(run: Path, name: str | None) -> dict[str, Any] | None:
    """Main score of the run's model on its test rows, and of its classical control; None of a folder without scores."""
    if not (run / METRICS_FILE).is_file() or name == REFINED:
        return None
    try:
        metrics = RunFolder(run).metrics()
        metric, models = metrics["metric"], metrics["models"]
        own, control = (models[key]["test"].get(metric) for key in (key_of_model(run, name), CONTROL.key))
    except (ArtifactError, KeyError):
        return None
    return {"metric": metric, "title": TITLES[metric], "model": own, "control": control}
