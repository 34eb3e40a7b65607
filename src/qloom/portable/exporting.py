"""A model of a run into a folder that others can use: made, checked on held-out rows, and only then written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qloom.errors import ArtifactError, ConfigError, DataError
from qloom.files import strict
from qloom.portable.formats import find_format
from qloom.portable.made import PARTS, Made, Options
from qloom.portable.original import Original, Rows, model_hash, open_original, rows_for, versions
from qloom.portable.readme import readme

RECORD, README, PREPROCESSING, CARD = "export.json", "README.md", "preprocessing.json", "MODEL_CARD.md"
HEADING = {"format": "qloom.export", "version": 1}
MOST_ROWS = 10_000


def export_run(
    run: str | Path, to: str, output: str | Path | None = None, *, model: str | None = None, part: str = "whole",
    cut: float | None = None, data: str | None = None, rows: int = MOST_ROWS,
) -> tuple[Path, dict[str, Any]]:  # fmt: skip
    """Export a model of a run.

    Args:
        run: folder of a finished run, or of a model.
        to: one of `FORMATS`.
        output: a new folder; None for export/FORMAT in the run's, or export/FORMAT-MODEL for another model than the
            hybrid one.
        model: its name in the run; None for the hybrid model.
        part: "whole" or "classical": encoder and head without the circuit.
        cut: of a propagated surrogate; None for an exact polynomial.
        data: a table whose rows to check on; None for the run's test rows.
        rows: to check on at most.

    Returns:
        The folder, and what export.json in it holds.

    Raises:
        QloomError: for what cannot be exported so, a folder that is there, and a deviation beyond its bound; nothing is
            written then.
    """
    run, make = Path(run), find_format(to)
    options = _checked_options(part, cut)
    original = open_original(run, model)
    folder = _new_folder(run, to, output, model)
    held_out = rows_for(original, data, rows)
    made = make(original, held_out, options)
    record = _record(original, held_out, to, options, made)
    _write(folder, _files(original, made, record))
    return folder, record


def _checked_options(part: str, cut: float | None) -> Options:
    if part not in PARTS:
        raise ConfigError(f"part {part!r}, expected {' or '.join(PARTS)}")
    if cut is not None and not 0 <= cut < 1:
        raise ConfigError(f"cut {cut:g}, expected a number from 0 to below 1, such as 1e-3")
    return Options(part, cut)


def _new_folder(run: Path, to: str, output: str | Path | None, model: str | None) -> Path:
    name = to if model in (None, "hybrid") else f"{to}-{model}"
    folder = run / "export" / name if output is None else Path(output)
    if folder.exists():
        raise ArtifactError(f"{folder} is there already, expected a new folder; delete it, or give another output")
    return folder


# -- the check


def _record(original: Original, rows: Rows, to: str, options: Options, made: Made) -> dict[str, Any]:
    """What export.json holds; DataError where a deviation is beyond its bound."""
    truth = original.predictor.predict_features(rows.features)
    measured = {name: _measured(name, found, truth, made.bound) for name, found in made.predictions.items()}
    coding, readout = original.predictor.coding_, original.predictor.readout_
    return {
        **HEADING,
        "to": to,
        "part": options.part,
        "model": original.name,
        "versions": versions(),
        "model_sha256": model_hash(original.folder),
        "files_sha256": {name: hashlib.sha256(content).hexdigest() for name, content in made.files.items()},
        "task": coding.task,
        "target": coding.name,
        "classes": list(coding.classes) or None,
        "threshold": readout.threshold if len(coding.classes) == 2 else None,
        "features": original.feature_names,
        "predictions": "probabilities of the classes" if coding.classes else "numbers in the target's unit",
        "runs_with": made.runs_with,
        "engine_of_the_run": original.engine,
        "execution": original.execution,
        **made.details,
        "checked": {
            "rows": rows.source,
            "n_rows": len(rows.features),
            "largest_deviation": max(entry["largest_deviation"] for entry in measured.values()),
            "bound": float(made.bound.max()),
            "of": "class probabilities" if coding.classes else "predictions, in the target's unit",
            "files": measured,
            "how_measured": "predictions of the files as they were read back, against the original's, row by row",
            "how_bounded": f"{made.how}; the bound is the largest of all rows, and every row is within its own",
        },
        "notes": [*made.lines, *_vacuous(original, made)],
    }


def _vacuous(original: Original, made: Made) -> list[str]:
    if original.predictor.coding_.task != "classification" or made.bound.max() < 1:
        return []
    return ["A bound of 1 says nothing of a probability: read the measured deviation, and halve the cut."]


def _measured(name: str, found: np.ndarray, truth: np.ndarray, bound: np.ndarray) -> dict[str, float]:
    away = np.abs(found.astype(np.float64) - truth)
    wrong = ~(away <= bound)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise DataError(
            f"{name} is {float(np.max(away[row])):.3g} off the original in row {row}, expected at most "
            f"{float(np.max(bound[row])):.3g}; nothing was written, please report it"
        )
    return {"largest_deviation": float(away.max()), "mean_deviation": float(away.mean())}


# -- files


def _files(original: Original, made: Made, record: Mapping[str, Any]) -> dict[str, bytes]:
    preprocessing = original.predictor.preprocessing_.to_json()
    files = {
        **made.files,
        RECORD: _json(record),
        PREPROCESSING: _json(preprocessing),
        README: readme(record, sorted(made.files)).encode(),
    }
    if original.run is not None:
        from qloom.reports.model_card import model_card  # what draws takes a second to be there

        files[CARD] = model_card(original.run.path).encode()
    return files


def _json(value: Any) -> bytes:
    plain = strict(json.loads(json.dumps(value, default=np.generic.item)))
    return (json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """A new folder, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    part.mkdir()
    try:
        for name, content in files.items():
            (part / name).write_bytes(content)
        os.rename(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
