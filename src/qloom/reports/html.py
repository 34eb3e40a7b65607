"""The HTML page of a run: one file that asks for nothing outside itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from qloom.circuits.drawing import draw_text
from qloom.files import replace_file
from qloom.models.tables.scores import METRICS
from qloom.reports import figures
from qloom.reports.curves import class_scores, confusion
from qloom.reports.importance import importance_pictures
from qloom.reports.pages import REPORT, page
from qloom.reports.record import Difference, ModelRecord, RoundsRecord, RunRecord, read_run
from qloom.reports.refinement import refinement_section
from qloom.reports.stages import trained_when
from qloom.reports.under_noise import under_noise_section
from qloom.reports.whiskers import scale_of, whisker
from qloom.reports.wording import (
    metric_heading,
    metric_title,
    score_text,
    seconds_text,
    signed_text,
)

_READINGS = {
    "better": "hybrid better", "worse": "hybrid worse", "equal": "no difference that matters", "undecided": "undecided",
}  # fmt: skip
_ROLES = {"hybrid": "under test", "control": "control", "baseline": "baseline"}


def write_report(run_folder: Path) -> Path:
    """Write report.html into the folder of a finished run, from the files in it alone.

    Args:
        run_folder: of the run.

    Returns:
        The path of the page; an earlier one is replaced only when the new one is complete.

    Raises:
        ArtifactError: if the folder is not a run, or a file of it is missing, damaged or of another version.
    """
    folder = Path(run_folder)
    return replace_file(folder / REPORT, render(read_run(folder)))


def render(record: RunRecord) -> str:
    """The page as text."""
    return page(
        "report.html.jinja",
        run=record,
        metric=metric_title(record.metric),
        rounds_sentence=_rounds_sentence(record),
        better="lower" if _sign(record.metric) < 0 else "higher",
        leaderboard=_leaderboard(record),
        comparison=_comparison(record),
        test_metrics=_test_metrics(record),
        learning_curves=figures.learning_curves(record),
        stages=trained_when(record),
        importance=importance_pictures(record.importance, _titles(record), record.circuit),
        refinement=refinement_section(record.refinement),
        under_noise=under_noise_section(record.under_noise),
        **_predictions(record),
        **_circuit(record),
    )


def _titles(record: RunRecord) -> dict[str, str]:
    return {key: model.title for key, model in record.models.items()}


def _leaderboard(record: RunRecord) -> dict[str, Any]:
    """Rows, best score first, and the ends of the scale their intervals are drawn on."""
    sign = _sign(record.metric)
    models = sorted(record.models.values(), key=lambda model: _place(sign * model.test[record.metric]))
    scale = scale_of(value for m in models for value in (m.test[record.metric], *(m.interval or ())))
    rows = [_model_row(model, record.metric) for model in models]
    for row, model in zip(rows, models, strict=True):
        row["whisker"] = whisker(scale, model.test[record.metric], model.interval)
    return {"rows": rows, "low": scale.low, "high": scale.high, "has_spread": record.rounds.n > 1}


def _sign(metric: str) -> int:
    """1 where more is better, -1 where less is."""
    return METRICS[metric].sign if metric in METRICS else 1


def _place(score: float) -> float:
    """Best first, undefined scores last."""
    return math.inf if math.isnan(score) else -score


def _model_row(model: ModelRecord, metric: str) -> dict[str, Any]:
    interval = model.interval and f"{score_text(model.interval[0])} to {score_text(model.interval[1])}"
    return {
        "model": model,
        "role": ", ".join(filter(None, (_ROLES.get(model.role, model.role), model.engine))),
        "explanation": model.explanation,
        "score": score_text(model.test[metric]),
        "spread": score_text(model.deviation.get(metric, math.nan)),
        "interval": interval or "–",
        "training": seconds_text(model.seconds_training),
        "prediction": seconds_text(model.seconds_prediction),
    }


def _comparison(record: RunRecord) -> dict[str, Any]:
    """Hybrid minus each other model, and the places of zero and of the margin on the scale."""
    differences = record.comparison
    margin = record.margin if record.margin and record.unjudged is None else None
    marks = [0.0] if margin is None else [0.0, -margin, margin]
    scale = scale_of([*marks, *(v for d in differences.values() for v in (d.value, d.low, d.high))])
    rows = [
        {
            "title": record.models[key].title,
            "difference": signed_text(difference.value),
            "interval": _interval_text(difference),
            "reading": _reading(difference, record.rounds),
            "whisker": whisker(scale, difference.value, _ends(difference)),
        }
        for key, difference in differences.items()
    ]
    band = None if margin is None else (scale.place(-margin), scale.place(margin))
    ends = {"low": signed_text(scale.low), "high": signed_text(scale.high)}
    return {"rows": rows, "zero": scale.place(0.0), "band": band, "margin": margin, **ends}


def _ends(difference: Difference) -> tuple[float, float] | None:
    return None if math.isnan(difference.low) else (difference.low, difference.high)


def _interval_text(difference: Difference) -> str:
    ends = _ends(difference)
    return "–" if ends is None else f"{signed_text(ends[0])} to {signed_text(ends[1])}"


def _reading(difference: Difference, rounds: RoundsRecord) -> str:
    if rounds.kind is not None:
        return _READINGS.get(difference.outcome or "", "no verdict")
    if difference.low > 0:
        return "hybrid better"
    return "hybrid worse" if difference.high < 0 else "no difference measured"


def _rounds_sentence(record: RunRecord) -> str:
    """How many rounds there were, how they cut the rows, and which of them is kept."""
    rounds = record.rounds
    if rounds.kind is None or rounds.n == 1:
        return "Every model was trained once."
    kinds = {"random splits": "on a new random split each time", "folds": "with another fold as test rows each time",
             "rolling origins": "each time to predict another block of the last rows from those before it"}  # fmt: skip
    text = f"Every model was trained {rounds.n} times, {kinds.get(rounds.kind, rounds.kind)}."
    if rounds.time_limit is not None:
        wanted = "" if rounds.wanted is None else f" of {rounds.wanted}"
        text += f" The time limit of {rounds.time_limit:g} s ended them after {rounds.n}{wanted}."
    return f"{text} Networks, curves and predictions shown are those of round {rounds.kept}."


def _test_metrics(record: RunRecord) -> dict[str, Any] | None:
    """Every metric of every model on the test rows; None if there is only the one of the leaderboard."""
    names = list(dict.fromkeys(name for model in record.models.values() for name in model.test))
    if len(names) < 2:
        return None
    rows = [(m.title, [score_text(m.test.get(name, float("nan"))) for name in names]) for m in record.models.values()]
    return {"titles": [metric_heading(name) for name in names], "rows": rows}


def _predictions(record: RunRecord) -> dict[str, Any]:
    """The figures and tables that look at single predictions; which ones depends on the task."""
    out: dict[str, Any] = dict.fromkeys(("roc", "calibration", "confusion", "class_table", "residuals"))
    if record.task == "regression":
        return out | {"residuals": figures.residuals(record)}
    counts = confusion(record.targets, record.predictions["hybrid"], len(record.classes))
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1)
    out["confusion"] = list(zip(record.classes, counts.tolist(), shares.tolist(), strict=True))
    if len(record.classes) == 2:
        return out | {"roc": figures.roc_curves(record), "calibration": figures.calibration(record)}
    scores = [[score_text(v) for v in row] for row in class_scores(counts)]
    out["class_table"] = list(zip(record.classes, scores, counts.sum(axis=1).tolist(), strict=True))
    return out


def _circuit(record: RunRecord) -> dict[str, Any]:
    circuit = record.circuit
    if circuit is None:
        return {"circuit_drawing": None, "circuit_text": None, "circuit_summary": None}
    gates = ", ".join(f"{n} {name}" for name, n in circuit.gate_counts().items()) or "none"
    summary = (
        f"{circuit.n_qubits} qubits, {circuit.n_inputs} inputs, {circuit.n_weights} weights, "
        f"depth {circuit.depth()}; gates: {gates}."
    )
    drawing = figures.circuit_drawing(circuit)
    text = None if drawing is None else draw_text(circuit, 110)
    return {"circuit_drawing": drawing, "circuit_text": text, "circuit_summary": summary}
