"""The five models of every run, trained in every round, with their predictions for its test rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from qloom.circuits import Circuit
from qloom.data import Split
from qloom.models import Fit, HybridClassifier, HybridRegressor, fit_together
from qloom.models.artifact import DESCRIPTION
from qloom.models.tables.baselines import BASELINES, Baseline
from qloom.models.tables.choices import GOAL_FIELDS
from qloom.models.tables.goals import Goal
from qloom.models.tables.places import PLACES
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.run_files import CHECKPOINTS
from qloom.models.tables.tabular import HybridModel
from qloom.training.checkpoints import checkpointing, read_checkpoint, write_checkpoint
from qloom.training.configuration import Configuration
from qloom.training.progress import Progress
from qloom.training.rounds import KEPT

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
    """A model trained in one round, as the leaderboard sees it.

    Attributes:
        record: its entry in metrics.json, but for the scores.
        predictions: for the round's test rows, probabilities (B, C) or values in the target's unit (B,).
    """

    record: dict[str, Any]
    predictions: np.ndarray

    @property
    def level(self) -> float:
        """The threshold of decisions, or the quantile predicted."""
        return float(self.record.get("level", 0.5))


@dataclass(frozen=True)
class PreparedRound:
    """A round with its rows of numbers, the same for all models."""

    number: int
    seed: int
    split: Split
    data: PreparedTable


@dataclass(frozen=True)
class Contest:
    """What the models of a run share.

    Attributes:
        folder: the run folder; checkpoints go into `checkpoints`, the hybrid model into `model`, its controls beside.
        start: folder of the networks that these begin with, None for fresh ones.
    """

    configuration: Configuration
    task: str
    folder: Path
    progress: Progress
    start: Path | None = None

    def enter(self, key: str, rounds: Sequence[PreparedRound]) -> list[Outcome]:
        """The outcomes of a model in some rounds: read back if trained before, else trained, on from checkpoints."""
        title = self._title(key)
        restored = all(self._is_done(key, each.number) for each in rounds)
        if restored:
            outcomes = [self._read(key, each.number) for each in rounds]
        else:
            outcomes = self._train_networks(key, rounds) if key in LAYER_OF else self._train_baselines(key, rounds)
            for each, outcome in zip(rounds, outcomes, strict=True):
                self._write(key, each.number, outcome)
        self.progress.end(title, [outcome.record for outcome in outcomes], restored=restored)
        return outcomes

    def _checkpoint(self, key: str, number: int) -> Path:
        """Where the state of a training is kept; that of round 1 where runs of one round had it."""
        folder = self.folder / CHECKPOINTS
        return (folder if number == 1 else folder / f"round-{number}") / f"{key}.safetensors"

    def _outcome(self, key: str, number: int) -> Path:
        return self._checkpoint(key, number).with_suffix(".outcome.safetensors")

    def _is_done(self, key: str, number: int) -> bool:
        is_saved = number != KEPT or (self.folder / PLACES[key] / DESCRIPTION).exists()
        return self._outcome(key, number).exists() and is_saved

    def _read(self, key: str, number: int) -> Outcome:
        record, tensors = read_checkpoint(self._outcome(key, number))
        return Outcome(record["outcome"], tensors["predictions"].numpy())

    def _write(self, key: str, number: int, outcome: Outcome) -> None:
        tensors = {"predictions": torch.from_numpy(outcome.predictions)}
        write_checkpoint(self._outcome(key, number), {"outcome": outcome.record}, tensors)

    def _train_networks(self, key: str, rounds: Sequence[PreparedRound]) -> list[Outcome]:
        self.progress.begin(self._title(key), self.configuration.training.epochs, [r.number for r in rounds])
        checkpoints = [checkpointing(self._checkpoint(key, each.number)) for each in rounds]

        def watch(k: int, fit: Fit) -> None:
            checkpoints[k][0](fit)
            self.progress.epoch(fit, rounds[k].number)

        models = [make_model(self.configuration, self.task, LAYER_OF[key], self.start, each.seed) for each in rounds]
        datas, seeds = [each.data for each in rounds], [each.seed for each in rounds]
        fits = fit_together(models, datas, seeds, watch, lambda k, fit: checkpoints[k][1](fit))
        return [self._finish(key, *each) for each in zip(rounds, models, fits, strict=True)]

    def _finish(self, key: str, each: PreparedRound, model: HybridModel, fit: Fit) -> Outcome:
        """Save the network if its round is the one that is kept, and predict the test rows."""
        if each.number == KEPT:
            model.save(self.folder / PLACES[key])
        predictions, seconds = _timed(lambda: model.predict_features(each.data.test.x))
        role = "hybrid" if key == "hybrid" else "control"
        refitting = model.refit_["seconds"] if model.refit_ else 0.0
        times = {"seconds_training": fit.seconds + refitting, "seconds_prediction": seconds}
        ending = {
            "best_epoch": fit.best_epoch, "history": fit.history, "refit": model.refit_,
            "started_from": self.configuration.training.start_from, "level": model.readout_.level,
        }  # fmt: skip
        return Outcome({"title": self._title(key), "role": role, **_sizes(model), **times, **ending}, predictions)

    def _train_baselines(self, key: str, rounds: Sequence[PreparedRound]) -> list[Outcome]:
        self.progress.begin(self._title(key), 0, [each.number for each in rounds])
        with threadpool_limits(self.configuration.threads):
            return [self._train_baseline(key, each) for each in rounds]

    def _train_baseline(self, key: str, each: PreparedRound) -> Outcome:
        data = each.data
        model, seconds_training = _timed(lambda: Baseline(key, data, each.seed))
        if each.number == KEPT:
            model.save(self.folder / PLACES[key])
        predictions, seconds = _timed(lambda: model.predict_features(data.test.x.numpy()))
        counts = {"n_parameters": model.n_parameters, "n_quantum_parameters": 0}
        times = {"seconds_training": seconds_training, "seconds_prediction": seconds}
        ending: dict[str, Any] = {"best_epoch": None, "history": [], "refit": None, "started_from": None}
        ending["level"] = model.readout_.level
        record = {"title": self._title(key), "role": "baseline", **counts, **times, **ending}
        return Outcome(record, predictions)

    def _title(self, key: str) -> str:
        return title_of(key, self.task, self.configuration.training.loss)


def _sizes(model: HybridModel) -> dict[str, int]:
    n_layer = model.network_.n_layer_parameters
    n_quantum = 0 if model.layer == "classical" else n_layer
    n_all = model.network_.n_parameters
    return {"n_parameters": n_all, "n_layer_parameters": n_layer, "n_quantum_parameters": n_quantum}


def title_of(key: str, task: str, loss: str = "auto") -> str:
    """A model's name for people."""
    of_numbers = {"poisson": "Poisson regression", "absolute": "median regression", "quantile": "quantile regression"}
    linear = of_numbers.get(loss, "ridge regression") if task == "regression" else "logistic regression"
    return _TITLES.get(key, linear)


def goal_of(configuration: Configuration) -> Goal:
    """What a configuration asks all models for."""
    given = {name: getattr(configuration.training, name) for name in GOAL_FIELDS}
    return Goal(**given, metric=configuration.comparison.metric)


def make_model(
    configuration: Configuration, task: str, layer: str, start: Path | None, seed: int | None = None
) -> HybridModel:
    """The unfitted estimator of a configuration, which begins with the networks in a folder if one is given.

    Its seed is that of a round, or of the run.
    """
    seed = configuration.seed if seed is None else seed
    kind = HybridRegressor if task == "regression" else HybridClassifier
    options = {**configuration.model.model_dump(), **configuration.training.model_dump(), "start_from": start}
    return kind(
        **options, layer=layer, engine=configuration.engine.values(), threads=configuration.threads, random_state=seed
    )


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


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
