"""Run folders of every task, made from numbers drawn at random, for the tests of reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qloom.circuits import Circuit
from qloom.reports.record import label

TITLES = {
    "hybrid": "Hybrid",
    "hybrid_separable": "Hybrid, separable",
    "hybrid_classical": "Hybrid, classical layer",
    "linear": "Linear model",
    "boosting": "Gradient boosting",
}
ROLES = dict(zip(TITLES, ("hybrid", "control", "control", "baseline", "baseline"), strict=True))
SKILL = dict(zip(TITLES, (1.6, 1.3, 1.5, 1.0, 1.7), strict=True))


def layered_circuit(n_qubits: int = 4, n_layers: int = 2) -> Circuit:
    """Input rotations, then layers of trainable rotations and a ring of CX."""
    circuit = Circuit(n_qubits)
    x, w = circuit.inputs(n_qubits), circuit.weights(n_layers, n_qubits, 3)
    for layer in range(n_layers):
        for q in range(n_qubits):
            circuit.ry(x[q], q).rot(*w[layer, q], q)
        for q in range(n_qubits):
            circuit.cx(q, (q + 1) % n_qubits)
    return circuit


def make_run(folder: Path, classes: list[Any] | None, n_rows: int = 400, /, **changes: Any) -> Path:
    """Write a run folder; a regression if `classes` is None; `changes` replace entries of metrics.json."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    columns = _regression(rng, n_rows) if classes is None else _classification(rng, n_rows, classes)
    pq.write_table(pa.table({"row": list(range(n_rows))} | columns), folder / "predictions.parquet")
    document = _document(rng, folder.name, classes, n_rows) | changes
    (folder / "metrics.json").write_text(json.dumps(document), "utf-8")
    (folder / "config.yaml").write_text("data: table.csv\ntarget: outcome\nseed: 0\n", "utf-8")
    (folder / "environment.json").write_text('{"python": "3.11", "qloom": "0.1.0"}', "utf-8")
    return folder


def _classification(rng: np.random.Generator, n_rows: int, classes: list[Any]) -> dict[str, Any]:
    truth = rng.integers(0, len(classes), n_rows)
    columns: dict[str, Any] = {"target": [classes[k] for k in truth]}
    for key, skill in SKILL.items():
        scores = rng.normal(size=(n_rows, len(classes))) + skill * np.eye(len(classes))[truth]
        shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        columns[f"{key}:prediction"] = [classes[k] for k in shares.argmax(axis=1)]
        columns |= {f"{key}:probability:{label(name)}": shares[:, k] for k, name in enumerate(classes)}
    return columns


def _regression(rng: np.random.Generator, n_rows: int) -> dict[str, Any]:
    truth = rng.gamma(2.0, 60.0, n_rows)
    noise = {f"{key}:prediction": truth + rng.normal(0, 60 / skill, n_rows) for key, skill in SKILL.items()}
    return {"target": truth} | noise


def _document(rng: np.random.Generator, name: str, classes: list[Any] | None, n_rows: int) -> dict[str, Any]:
    metric = "r2" if classes is None else "roc_auc" if len(classes) == 2 else "accuracy"
    best = 0.5 + SKILL["hybrid"] / 5
    return {
        "format": "qloom.run",
        "version": 1,
        "name": name,
        "task": "regression" if classes is None else "classification",
        "target": "outcome",
        "classes": classes,
        "metric": metric,
        "n_rows": {"train": 1600, "validation": 400, "test": n_rows},
        "split": "stratified",
        "features": [f"feature_{k}" for k in range(23)],
        "notes": ["column 'id' was dropped: an identifier", "column 'PAY_0' alone reaches ROC AUC 0.71"],
        "circuit": layered_circuit().to_json(),
        "models": {key: _model(rng, key, metric, 0.5 + skill / 5) for key, skill in SKILL.items()},
        "comparison": {
            key: {"difference": d, "low": d - 0.015, "high": d + 0.015}
            for key, d in ((key, best - 0.5 - skill / 5) for key, skill in SKILL.items() if key != "hybrid")
        },
        "verdict": "The quantum layer did not help: it does not differ from its classical twin.",
    }


def _model(rng: np.random.Generator, key: str, metric: str, score: float) -> dict[str, Any]:
    trained = ROLES[key] != "baseline"
    return {
        "title": TITLES[key],
        "role": ROLES[key],
        "n_parameters": 1234 if trained else 24,
        "n_quantum_parameters": 24 if key in ("hybrid", "hybrid_separable") else 0,
        "seconds_training": 83.21 if trained else 0.42,
        "seconds_prediction": 0.0123,
        "best_epoch": 12 if trained else None,
        "test": {metric: score, "log_loss": 1 - score},
        "interval": [score - 0.02, score + 0.018],
        "history": [_epoch(rng, k, score) for k in range(1, 16)] if trained else [],
    }


def _epoch(rng: np.random.Generator, epoch: int, score: float) -> dict[str, float]:
    progress = 1 - np.exp(-epoch / 4)
    return {
        "epoch": epoch,
        "train_loss": 0.7 - 0.3 * progress * score,
        "validation_loss": 0.7 - 0.27 * progress * score + 0.01 * rng.normal(),
        "validation_metric": 0.5 + (score - 0.5) * progress + 0.005 * rng.normal(),
        "seconds": 5.4,
    }


def as_rounds(document: dict[str, Any], n_rounds: int = 5, unjudged: str | None = None, margin: float = 0.01) -> None:
    """Make the record of a run of one training each one of several rounds, as version 2 has it."""
    metric = document["metric"]
    judged = unjudged is None
    for model in document["models"].values():
        one = {"test": model["test"], "best_epoch": model["best_epoch"], "seconds_training": 1.0,
               "seconds_prediction": 0.1}  # fmt: skip
        model |= {"deviation": {metric: 0.0123, "log_loss": None}, "rounds": [one] * n_rounds}
        model |= {} if judged else {"interval": None}
    for difference in document["comparison"].values():
        low, high = difference["low"], difference["high"]
        outcome = "better" if low > 0 else "worse" if high < 0 else "undecided"
        difference |= {"outcome": outcome} if judged else {"outcome": None, "low": None, "high": None}
    each = [{"number": k + 1, "seed": k, "n_rows": document["n_rows"], "split_sha256": f"{k}"} for k in range(n_rounds)]
    document |= {
        "version": 2, "margin": margin, "unjudged": unjudged,
        "rounds": {"n": n_rounds, "kind": "random splits", "kept": 1, "wanted": 5, "seconds": 9.0, "each": each,
                   "time_limit": None if n_rounds == 5 else 60.0},
    }  # fmt: skip


def make_run_of_rounds(folder: Path, classes: list[Any] | None, /, **options: Any) -> Path:
    """Write a run folder of several rounds."""
    make_run(folder, classes)
    document = json.loads((folder / "metrics.json").read_text("utf-8"))
    as_rounds(document, **options)
    (folder / "metrics.json").write_text(json.dumps(document), "utf-8")
    return folder
