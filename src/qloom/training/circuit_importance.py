"""By how much a score falls without the parts of a trained model's circuit, on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data import rows_with_target
from qloom.errors import ConfigError, DataError, UnsupportedError
from qloom.models.explanations.ablation import Ablation, Part
from qloom.models.tables.competitors import COMPETITORS
from qloom.models.tables.scores import METRICS, score_names
from qloom.models.tables.served import Predictor, Served, read_served
from qloom.training.bootstrap import bootstrap_scores, interval_of
from qloom.training.evaluation import open_model, score_model
from qloom.training.explained_rows import read_run_table
from qloom.training.folder import RunFolder
from qloom.training.intervals import plain
from qloom.training.table import read_source
from qloom.training.versions import Ledger

# Held-out rows that parts are judged on: in a report, and where it is asked.
MOST_ROWS, MOST_ROWS_ASKED = 300, 1000
# Amplitudes times gates that a report goes through without being asked: a few seconds.
CHEAP = 1e10
LEVELS = ("outputs", "groups", "gates", "all")
N_DRAWS = 300
_STEPS: dict[str, tuple[Callable[[Ablation], Iterator[tuple[Part, np.ndarray]]], ...]] = {
    "outputs": (Ablation.without_outputs,),
    "groups": (Ablation.without_outputs, Ablation.without_groups),
    "gates": (Ablation.without_outputs, Ablation.without_groups, Ablation.without_gates),
    "all": (Ablation.without_outputs, Ablation.without_groups, Ablation.without_inputs, Ablation.without_gates),
}


def describe_circuit(
    model: Predictor, table: pa.Table, truth: np.ndarray, metric: str, seed: int, level: str = "all",
    most_rows: int = MOST_ROWS,
) -> dict[str, Any]:  # fmt: skip
    """What is lost without each part of a model's circuit, largest first within its kind, as plain JSON values.

    Args:
        model: with a circuit.
        table: rows that it was not trained on; at most `most_rows` of them are used.
        truth: their class codes or numbers, (B,).
        metric: one of METRICS.
        seed: of the rows and of the bootstrap.
        level: "outputs", what is measured held at its means; "groups", and layers taken out; "gates", and each gate;
            "all", and each angle of the encoder and each of its hidden units.

    Returns:
        metric, score, n_rows, level, exact (whether the model itself runs so), and parts with kind, name, place, loss
        (positive where the part does good), low and high, the 95% interval for the rows drawn.

    Raises:
        UnsupportedError: for a model without a circuit.
    """
    if not isinstance(model, Served) or model.engine_ is None:
        raise UnsupportedError("this model has no circuit, expected one that has; give another model")
    chosen = drawn_rows(len(truth), seed, most_rows)
    opened = Ablation(model, model.preprocessing_.transform(table.take(pa.array(chosen))))
    found = [(part, predictions) for step in _STEPS[level] for part, predictions in step(opened)]
    without, readout = [predictions for _, predictions in found], model.readout_
    judged = _Judged(metric, truth[chosen], opened.predictions(), without, seed, readout.level)
    parts = [{**vars(part), **judged.loss(k)} for k, (part, _) in enumerate(found)]
    return {
        "metric": metric, "score": plain(judged.score), "n_rows": len(chosen), "level": level,
        "exact": model.engine_.is_exact, "parts": _ordered(parts),
    }  # fmt: skip


def drawn_rows(n_rows: int, seed: int, most: int) -> np.ndarray:
    """Numbers of at most so many rows, in order."""
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:most])


class _Judged:
    """Scores of predictions beside that of the whole model, on the same redraws of the rows."""

    def __init__(
        self, metric: str, truth: np.ndarray, whole: np.ndarray, others: list[np.ndarray], seed: int, level: float
    ):
        rows, by_key = np.ones((1, len(truth))), {"whole": whole} | {str(k): each for k, each in enumerate(others)}
        self._sign = METRICS[metric].sign
        self._scores = {key: METRICS[metric](truth, each, rows, level)[0] for key, each in by_key.items()}
        self._draws = bootstrap_scores(metric, truth, by_key, seed, N_DRAWS, level)
        self.score = self._scores["whole"]

    def loss(self, k: int) -> dict[str, float | None]:
        """What is lost by the k-th of the others."""
        loss = self._sign * (self.score - self._scores[str(k)])
        if not np.isfinite(loss):
            return dict.fromkeys(("loss", "low", "high"))
        low, high = interval_of(self._sign * (self._draws["whole"] - self._draws[str(k)]))
        return {"loss": plain(loss), "low": plain(low), "high": plain(high)}


def _ordered(parts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """By kind as they came, largest loss first."""
    parts = list(parts)
    kinds = list(dict.fromkeys(part["kind"] for part in parts))
    return sorted(parts, key=lambda part: (kinds.index(part["kind"]), -(part["loss"] or 0.0)))


def cheap_level(model: Served, n_rows: int) -> str:
    """The most that can be done in a few seconds; found from sizes alone, so that a run ends in the same file."""
    circuit, choice = model.circuit_, model.engine_
    if choice is None or choice.name != "statevector":
        return LEVELS[0]
    work = 2.0**circuit.n_qubits * len(circuit) * min(n_rows, MOST_ROWS)
    n_layers = len(circuit.weight_slots) and max((block.shape or (1,))[0] for block in circuit.weight_slots)
    if work * len(circuit) <= CHEAP:
        return "gates"
    return "groups" if work * (n_layers + 2) <= CHEAP else "outputs"


def explain_circuit(
    path: str | Path, *, data: str | None = None, query: str | None = None, model: str | None = None,
    engine: Mapping[str, Any] | None = None, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """What the parts of the circuit of a model of a run do, on its test rows or on others with a target.

    Returns:
        What `describe_circuit` does at level "all", and run, source, circuit as JSON text, and beside: the scores of
        the run's controls on the same rows, by title.

    Raises:
        QloomError: for a folder, table or model that cannot be used.
    """
    path = Path(path)
    loaded = open_model(path, model, engine)
    if data is None and query is not None:
        raise ConfigError("query asks a table, got none; give data with it")
    table, source = _test_rows(path) if data is None else _rows_of(data, query, loaded)
    truth, metric = loaded.coding_.truth(table), _metric_of(path, loaded)
    found = describe_circuit(loaded, table, truth, metric, seed, most_rows=MOST_ROWS_ASKED)
    assert isinstance(loaded, Served)
    rows = table.take(pa.array(drawn_rows(len(truth), seed, MOST_ROWS_ASKED)))
    folder = Ledger(path).folder if model is None else path
    beside = {title: score_model(each, rows, None, metric)["scores"][metric][0] for title, each in _controls(folder)}
    return {"run": str(path), "source": source, **found, "beside": beside, "circuit": loaded.circuit_.to_json()}


def _test_rows(path: Path) -> tuple[pa.Table, str]:
    run = read_run_table(path)
    return run.table.take(pa.array(run.split.test)), f"test rows of {path}"


def _rows_of(data: str, query: str | None, model: Predictor) -> tuple[pa.Table, str]:
    table = rows_with_target(read_source(data, query, known=model.preprocessing_.queried), model.coding_.name)
    if not table.num_rows:
        raise DataError(f"{data} has no row with a target {model.coding_.name!r}, expected at least one")
    return table, f"rows of {data}"


def _metric_of(path: Path, model: Predictor) -> str:
    """The main score of the run, or the task's usual one where a folder is a model alone."""
    run, coding = RunFolder(path), model.coding_
    return str(run.metrics()["metric"]) if run.is_begun else score_names(coding.task, len(coding.classes))[0]


def _controls(folder: Path) -> Iterator[tuple[str, Predictor]]:
    for each in COMPETITORS.values():
        if each.role == "control" and (folder / each.place).is_dir():
            yield each.title, read_served(folder / each.place)
