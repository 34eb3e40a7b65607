"""The five models of every run, each trained once, with its predictions for the test rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from qloom.circuits import Circuit
from qloom.models import Fit, HybridClassifier, HybridRegressor
from qloom.models.artifact import DESCRIPTION
from qloom.models.baselines import BASELINES, baseline_outputs, count_parameters
from qloom.models.preparation import PreparedTable
from qloom.models.starting import place_of
from qloom.training.checkpoints import checkpointing, read_checkpoint, write_checkpoint
from qloom.training.configuration import Configuration
from qloom.training.progress import Progress

LAYER_OF = {"hybrid": "quantum", "hybrid_separable": "separable", "hybrid_classical": "classical"}
KEYS = (*LAYER_OF, *BASELINES)
_TITLES = {
    "hybrid": "hybrid quantum model",
    "hybrid_separable": "hybrid without entangling gates",
    "hybrid_classical": "classical layer of equal size",
    "boosting": "gradient boosting",
}


@dataclass(frozen=True)
class Outcome:
    """A trained model as the leaderboard sees it.

    Attributes:
        record: its entry in metrics.json, but for the scores.
        predictions: for the test rows, probabilities (B, C) or values in the target's unit (B,).
    """

    record: dict[str, Any]
    predictions: np.ndarray


@dataclass(frozen=True)
class Contest:
    """What the models of a run share.

    Attributes:
        folder: the run folder; checkpoints go into `checkpoints`, the hybrid model into `model`, its controls beside.
        start: folder of the networks that these begin with, None for fresh ones.
    """

    configuration: Configuration
    data: PreparedTable
    circuit: Circuit
    notes: tuple[str, ...]
    folder: Path
    progress: Progress
    start: Path | None = None

    def enter(self, key: str) -> Outcome:
        """The outcome of a model: read back if trained before, else trained, on from its checkpoint."""
        path = self.folder / "checkpoints" / f"{key}.outcome.safetensors"
        saved = key not in LAYER_OF or (place_of(self.folder, LAYER_OF[key]) / DESCRIPTION).exists()
        restored = path.exists() and saved
        if restored:
            record, tensors = read_checkpoint(path)
            outcome = Outcome(record["outcome"], tensors["predictions"].numpy())
        else:
            outcome = self._train_network(key) if key in LAYER_OF else self._train_baseline(key)
            write_checkpoint(path, {"outcome": outcome.record}, {"predictions": torch.from_numpy(outcome.predictions)})
        self.progress.end(title_of(key, self.data.task), outcome.record, restored=restored)
        return outcome

    def _train_network(self, key: str) -> Outcome:
        title = title_of(key, self.data.task)
        self.progress.begin(title, self.configuration.training.epochs)
        keep, restore = checkpointing(self.folder / "checkpoints" / f"{key}.safetensors")
        model = make_model(self.configuration, self.data.task, LAYER_OF[key], self.start)
        fit = model.fit_prepared(
            self.data, seed=self.configuration.seed, watch=_both(keep, self.progress.epoch), resume=restore
        )
        model.notes_ = list(self.notes)
        model.save(place_of(self.folder, LAYER_OF[key]))
        predictions, seconds = _timed(lambda: model.predict_features(self.data.test.x))
        role = "hybrid" if key == "hybrid" else "control"
        refitting = model.refit_["seconds"] if model.refit_ else 0.0
        times = {"seconds_training": fit.seconds + refitting, "seconds_prediction": seconds}
        ending = {
            "best_epoch": fit.best_epoch, "history": fit.history, "refit": model.refit_,
            "started_from": self.configuration.training.start_from,
        }  # fmt: skip
        return Outcome({"title": title, "role": role, **_sizes(model), **times, **ending}, predictions)

    def _train_baseline(self, key: str) -> Outcome:
        title, task = title_of(key, self.data.task), self.data.task
        self.progress.begin(title, 0)
        with threadpool_limits(self.configuration.threads):
            model, seconds_training = _timed(lambda: BASELINES[key](self.data, self.configuration.seed))
            outputs, seconds = _timed(lambda: baseline_outputs(model, self.data.test, self.data.coding))
        counts = {"n_parameters": count_parameters(model), "n_quantum_parameters": 0}
        times = {"seconds_training": seconds_training, "seconds_prediction": seconds}
        ending: dict[str, Any] = {"best_epoch": None, "history": [], "refit": None, "started_from": None}
        record = {"title": title, "role": "baseline", **counts, **times, **ending}
        return Outcome(record, self.data.coding.decode(outputs) if task == "regression" else outputs)


def _sizes(model: HybridClassifier | HybridRegressor) -> dict[str, int]:
    n_layer = model.network_.n_layer_parameters
    n_quantum = 0 if model.layer == "classical" else n_layer
    n_all = model.network_.n_parameters
    return {"n_parameters": n_all, "n_layer_parameters": n_layer, "n_quantum_parameters": n_quantum}


def title_of(key: str, task: str) -> str:
    """A model's name for people."""
    linear = "ridge regression" if task == "regression" else "logistic regression"
    return _TITLES.get(key, linear)


def make_model(
    configuration: Configuration, task: str, layer: str, start: Path | None
) -> HybridClassifier | HybridRegressor:
    """The unfitted estimator of a configuration, which begins with the networks in a folder if one is given."""
    kind = HybridRegressor if task == "regression" else HybridClassifier
    options = {**configuration.model.model_dump(), **configuration.training.model_dump(), "start_from": start}
    return kind(**options, layer=layer, threads=configuration.threads, random_state=configuration.seed)


def try_circuit(configuration: Configuration, data: PreparedTable, start: Path | None) -> Circuit:
    """The circuit of the hybrid model; all three networks are made and used once.

    One too large for memory, or not fitting the run it is to start from, is refused before training.
    """
    circuits = []
    for layer in LAYER_OF.values():
        model = make_model(configuration, data.task, layer, start)
        model.begin(data, configuration.seed)
        with torch.no_grad():
            model.network_(data.train.x[:1])
        circuits.append(model.circuit_)
    return circuits[0]


def _both(first: Callable[[Fit], None], second: Callable[[Fit], None]) -> Callable[[Fit], None]:
    def watch(fit: Fit) -> None:
        first(fit)
        second(fit)

    return watch


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
