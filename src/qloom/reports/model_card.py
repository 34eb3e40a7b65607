"""The model card of a run, Markdown: what was learnt from what, how good it is beside its controls, its limits."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from qloom.circuits.drawing import draw_text
from qloom.files import replace_file
from qloom.models.tables.scores import METRICS
from qloom.reports.record import ModelRecord, RunRecord, read_run
from qloom.reports.wording import metric_heading, metric_title, score_text, signed_text

CARD = "MODEL_CARD.md"
# Sections of the configuration that say how a model came about.
_TRAINED_BY = ("model", "training", "comparison", "engine", "refinement")
_FILES = ("noise", "journal", "start_from")
_OUTCOMES = {
    "better": "hybrid better", "worse": "hybrid worse", "equal": "no difference that matters", "undecided": "undecided",
}  # fmt: skip
LIMITS = (
    "No quantum model has a proven advantage on classical data like this table, and none is claimed here. The circuit "
    "is simulated; small ones are ordinary functions that `qloom export --to surrogate` writes out.",
    "Scores are those of rows from the same table. Where rows come from another place or time, they need not hold: "
    "`qloom evaluate` scores the model on newer rows, and `qloom predict` names cells that training had not seen.",
    "Probabilities are the network's own and were not calibrated on other rows. Whether the model treats groups of "
    "people alike was not examined.",
)


def write_model_card(run_folder: str | Path) -> Path:
    """Write MODEL_CARD.md into the folder of a finished run; an earlier one is replaced.

    Raises:
        ArtifactError: if the folder is not a run, or a file of it is missing or damaged.
    """
    folder = Path(run_folder)
    return replace_file(folder / CARD, model_card(folder))


def model_card(run_folder: str | Path) -> str:
    """The card as Markdown, with a heading in YAML as model hubs read it."""
    record = read_run(Path(run_folder))
    sections = (
        ("Data", _data(record)), ("Model", _model(record)), ("Training", _training(record)),
        ("Scores", _scores(record)), ("Limits", _listed(LIMITS)), ("How to run it", _use(record)),
        ("Versions", _versions(record)),
    )  # fmt: skip
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections)
    return f"---\n{_heading(record)}---\n\n# {record.name}\n\n{_summary(record)}\n\n{body}\n"


def _heading(record: RunRecord) -> str:
    hybrid, kind = record.models["hybrid"], f"tabular-{record.task}"
    scores = [
        {"type": name, "value": round(value, 6), "name": metric_title(name)}
        for name, value in hybrid.test.items() if math.isfinite(value)
    ]  # fmt: skip
    result = {"task": {"type": kind}, "dataset": {"type": "table", "name": record.name}, "metrics": scores}
    fields = {
        "library_name": "qloom", "pipeline_tag": kind, "tags": ["quantum-machine-learning", "tabular", "hybrid"],
        "model-index": [{"name": record.name, "results": [result]}],
    }  # fmt: skip
    return str(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True))


def _summary(record: RunRecord) -> str:
    what = f"the classes {', '.join(record.classes)} of" if record.classes else "the number"
    first = record.verdict.split(". ")[0].rstrip(".")
    return f"Predicts {what} `{record.target}` by a hybrid of classical layers and a quantum circuit. {first}."


# -- sections


def _data(record: RunRecord) -> str:
    rows = ", ".join(f"{n:,} {part}" for part, n in record.n_rows.items())
    cut = "" if record.split is None else f", cut {record.split}"
    known = _environment(record).get("table_sha256")
    lines = [
        f"{sum(record.n_rows.values()):,} rows: {rows}{cut}. {len(record.features)} features.",
        *([f"Fingerprint of the table (sha256): `{known}`."] if known else []),
        _table(("column", "kind", "values", "missing", "becomes"), _columns(record)) if record.columns else "",
        _listed(record.notes),
    ]
    return _paragraphs(lines)


def _columns(record: RunRecord) -> Iterator[Sequence[Any]]:
    for column in record.columns:
        yield tuple(column.get(name, "") for name in ("name", "kind", "levels", "missing", "becomes"))


def _model(record: RunRecord) -> str:
    circuit, hybrid = record.circuit, record.models["hybrid"]
    if circuit is None or record.adapted is not None:
        return _adapted(record)
    gates = ", ".join(f"{n} {name}" for name, n in circuit.gate_counts().items())
    engine = record.engine or "exact values"
    return _paragraphs([
        "A perceptron makes an angle a qubit of the features, the circuit turns the qubits, and a second perceptron "
        "reads its expectation values.",
        f"{_count(hybrid.n_parameters)} parameters, {_count(hybrid.n_quantum_parameters)} of them in the circuit: "
        f"{circuit.n_qubits} qubits, depth {circuit.depth()}, {gates}. Run with {engine}.",
        f"```text\n{draw_text(circuit, 110)}\n```",
    ])  # fmt: skip


def _adapted(record: RunRecord) -> str:
    """Of a pretrained model with an adapter."""
    adapted, hybrid = record.adapted or {}, record.models["hybrid"]
    drawn = [] if record.circuit is None else [f"```text\n{draw_text(record.circuit, 110)}\n```"]
    return _paragraphs([
        f"The pretrained model in `{adapted.get('model')}` (sha256 `{adapted.get('sha256')}`) with the adapter "
        f"{adapted.get('adapter')}, and a linear head. {_count(hybrid.n_parameters)} parameters are trained, "
        f"{_count(hybrid.n_quantum_parameters)} of them the adapter's.",
        *drawn,
    ])  # fmt: skip


def _training(record: RunRecord) -> str:
    hybrid, rounds = record.models["hybrid"], record.rounds
    best = "" if hybrid.best_epoch is None else f" The weights are those of {record.unit} {hybrid.best_epoch}."
    times = "once" if rounds.n == 1 else f"{rounds.n} times, by {rounds.kind}; kept is round {rounds.kept}"
    started = "" if hybrid.started_from is None else f" It began with the weights of {hybrid.started_from}."
    return _paragraphs([f"Every model was trained {times}.{best}{started}", _configuration(record)])


def _configuration(record: RunRecord) -> str:
    try:
        given = yaml.safe_load(record.config or "") or {}
    except yaml.YAMLError:
        return ""
    kept = {name: _without_places(given[name]) for name in _TRAINED_BY if given.get(name)}
    return f"```yaml\n{yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)}```" if kept else ""


def _without_places(value: Any) -> Any:
    """Values of a section that were given; of files their names alone, as a card goes to others."""
    if isinstance(value, list):
        return [_without_places(each) for each in value]
    if not isinstance(value, dict):
        return value
    given = {name: _without_places(each) for name, each in value.items() if each is not None}
    return {name: Path(each).name if name in _FILES and isinstance(each, str) else each for name, each in given.items()}


def _scores(record: RunRecord) -> str:
    metric = record.metric
    sign = METRICS[metric].sign if metric in METRICS else 1
    models = sorted(
        record.models.values(), key=lambda m: -sign * m.test[metric] if math.isfinite(m.test[metric]) else math.inf
    )
    names = [name for name in record.models["hybrid"].test if name != metric]
    titles = (
        "model",
        metric_heading(metric),
        "± between rounds",
        "95% interval",
        *map(metric_heading, names),
        "parameters",
    )
    rounds = "" if record.rounds.n == 1 else f", means of {record.rounds.n} rounds"
    return _paragraphs([
        f"On test rows{rounds}, best first.",
        _table(titles, (_score_row(model, metric, names) for model in models)),
        "The hybrid model less each other one:" if record.comparison else "",
        _table(("less", "difference", "95% interval", "reading"), _differences(record)) if record.comparison else "",
        record.verdict,
    ])  # fmt: skip


def _score_row(model: ModelRecord, metric: str, names: Iterable[str]) -> Sequence[Any]:
    interval = "–" if model.interval is None else f"{score_text(model.interval[0])} to {score_text(model.interval[1])}"
    others = (score_text(model.test.get(name, math.nan)) for name in names)
    deviation = score_text(model.deviation.get(metric, math.nan))
    return (model.title, score_text(model.test[metric]), deviation, interval, *others, _count(model.n_parameters))


def _differences(record: RunRecord) -> Iterator[Sequence[Any]]:
    for key, found in record.comparison.items():
        has_ends = math.isfinite(found.low)
        interval = f"{signed_text(found.low)} to {signed_text(found.high)}" if has_ends else "–"
        yield (
            record.models[key].title,
            signed_text(found.value),
            interval,
            _OUTCOMES.get(found.outcome or "", "no verdict"),
        )


def _use(record: RunRecord) -> str:
    return _paragraphs([
        "```sh\npip install qloom\nqloom predict RUN new_rows.csv --output predictions.csv\n"
        "qloom export RUN --to onnx\n```",
        '```python\nfrom qloom.models import load_model\nmodel = load_model("RUN")\n'
        "predictions = model.predict_table(table)  # an Arrow table with the training columns\n```",
        "RUN is the folder of the run.",
    ])  # fmt: skip


def _versions(record: RunRecord) -> str:
    environment = _environment(record)
    packages = {"python": environment.get("python"), **(environment.get("packages") or {})}
    known = {name: version for name, version in packages.items() if version}
    return ", ".join(f"{name} {version}" for name, version in known.items()) or "Not recorded."


# -- Markdown


def _environment(record: RunRecord) -> dict[str, Any]:
    try:
        found = json.loads(record.environment or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: Any) -> str:
    """Text that stays within its cell, whatever a column of somebody's table is called."""
    return " ".join(str(value).split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {' '.join(line.split())}" for line in lines)


def _paragraphs(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
