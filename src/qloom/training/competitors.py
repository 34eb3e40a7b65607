"""The five models of every run, trained in every round, with their predictions for its test rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from qloom.circuits import Circuit
from qloom.data import Split
from qloom.fitting.workers import ALONE, Workers
from qloom.models import Fit, HybridClassifier, HybridRegressor, fit_together
from qloom.models.artifact import DESCRIPTION
from qloom.models.tables.baselines import Baseline
from qloom.models.tables.choices import GOAL_FIELDS
from qloom.models.tables.competitors import COMPETITORS, NETWORKS, Competitor, title_of
from qloom.models.tables.goals import Goal
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.starting import Start
from qloom.models.tables.tabular import HybridModel
from qloom.training.checkpoints import checkpointing, read_checkpoint, write_checkpoint
from qloom.training.configuration import Configuration
from qloom.training.folder import RunFolder
from qloom.training.progress import Progress
from qloom.training.rounds import KEPT

PARTS = ("train", "validation", "test")


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

    @property
    def n_rows(self) -> dict[str, int]:
        """Of every part."""
        return {**{part: len(getattr(self.split, part)) for part in PARTS}, "train": self.data.n_train}


@dataclass(frozen=True)
class Contest:
    """What the models of a run share.

    Attributes:
        folder: of the run.
        starts: by kind of middle layer, the networks that these begin with; none for fresh ones.
        workers: who train the networks together; the first one does all else.
    """

    configuration: Configuration
    task: str
    folder: RunFolder
    progress: Progress
    starts: Mapping[str, Start] = field(default_factory=dict)
    workers: Workers = ALONE
    table: ClassVar[Mapping[str, Competitor]] = COMPETITORS

    def enter(self, key: str, rounds: Sequence[PreparedRound]) -> list[Outcome]:
        """The outcomes of a model in some rounds: read back if trained before, else trained, on from checkpoints."""
        title = self._title(key)
        restored = all(self._is_done(key, each.number) for each in rounds)
        is_network = self.table[key].layer is not None
        if is_network:
            self.workers.told(lambda: restored)
        if restored:
            outcomes = [self._read(key, each.number) for each in rounds]
        else:
            outcomes = self._train_networks(key, rounds) if is_network else self._train_baselines(key, rounds)
            for each, outcome in zip(rounds, outcomes, strict=True):
                self._write(key, each.number, outcome)
        self.progress.end(title, [outcome.record for outcome in outcomes], restored=restored)
        return outcomes

    def assist(self, key: str, rounds: Sequence[PreparedRound]) -> None:
        """What workers but the first do while it is in `enter`."""
        if key in NETWORKS and not self.workers.told(lambda: False):
            self._fit_networks(key, rounds)

    def _is_done(self, key: str, number: int) -> bool:
        is_saved = number != KEPT or (self.place(key) / DESCRIPTION).exists()
        return self.folder.outcome(key, number).exists() and is_saved

    def place(self, key: str) -> Path:
        """The folder of a model."""
        return self.folder.path / self.table[key].place

    def _read(self, key: str, number: int) -> Outcome:
        record, tensors = read_checkpoint(self.folder.outcome(key, number))
        return Outcome(record["outcome"], tensors["predictions"].numpy())

    def _write(self, key: str, number: int, outcome: Outcome) -> None:
        tensors = {"predictions": torch.from_numpy(outcome.predictions)}
        write_checkpoint(self.folder.outcome(key, number), {"outcome": outcome.record}, tensors)

    def _train_networks(self, key: str, rounds: Sequence[PreparedRound]) -> list[Outcome]:
        windows, numbers = rounds[0].data.windows, [each.number for each in rounds]
        unit, per_pass = ("epoch", 1) if windows is None else ("window", windows.per_pass)
        self.progress.begin(self._title(key), self.configuration.training.epochs * per_pass, numbers, unit)
        models, fits = self._fit_networks(key, rounds)
        return [self._finish(key, *each) for each in zip(rounds, models, fits, strict=True)]

    def _fit_networks(self, key: str, rounds: Sequence[PreparedRound]) -> tuple[list[HybridModel], list[Fit]]:
        checkpoints = [checkpointing(self.folder.checkpoint(key, each.number), self.workers) for each in rounds]

        def watch(k: int, fit: Fit) -> None:
            checkpoints[k][0](fit)
            self.progress.epoch(fit, rounds[k].number)

        layer = str(COMPETITORS[key].layer)
        models = [make_model(self.configuration, self.task, layer, self.starts, each.seed) for each in rounds]
        datas, seeds = [each.data for each in rounds], [each.seed for each in rounds]
        return models, fit_together(models, datas, seeds, watch, lambda k, fit: checkpoints[k][1](fit), self.workers)

    def _finish(self, key: str, each: PreparedRound, model: HybridModel, fit: Fit) -> Outcome:
        """Save the network if its round is the one that is kept, and predict the test rows."""
        if each.number == KEPT:
            model.save(self.place(key))
        predictions, seconds = _timed(lambda: model.predict_features(each.data.test.x))
        refitting = model.refit_["seconds"] if model.refit_ else 0.0
        times = {"seconds_training": fit.seconds + refitting, "seconds_prediction": seconds}
        ending = {
            "best_epoch": fit.best_epoch, "history": fit.history, "refit": model.refit_,
            "started_from": self.configuration.training.start_from, "level": model.readout_.level,
        }  # fmt: skip
        engine = {"engine": None if model.engine_ is None else model.engine_.values()}
        return Outcome({**self._heading(key), **engine, **_sizes(model), **times, **ending}, predictions)

    def _train_baselines(self, key: str, rounds: Sequence[PreparedRound]) -> list[Outcome]:
        self.progress.begin(self._title(key), 0, [each.number for each in rounds])
        with threadpool_limits(self.configuration.threads):
            return [self._train_baseline(key, each) for each in rounds]

    def _train_baseline(self, key: str, each: PreparedRound) -> Outcome:
        data = each.data
        model, seconds_training = _timed(lambda: Baseline(key, data, each.seed))
        if each.number == KEPT:
            model.save(self.place(key))
        predictions, seconds = _timed(lambda: model.predict_features(data.test.x.numpy()))
        counts = {"n_parameters": model.n_parameters, "n_quantum_parameters": 0}
        times = {"seconds_training": seconds_training, "seconds_prediction": seconds}
        ending: dict[str, Any] = {"best_epoch": None, "history": [], "refit": None, "started_from": None}
        ending["level"] = model.readout_.level
        return Outcome({**self._heading(key), "engine": None, **counts, **times, **ending}, predictions)

    def _heading(self, key: str) -> dict[str, Any]:
        """What a model is called and there for."""
        return {**self.table[key].record(), "title": self._title(key)}

    def _title(self, key: str) -> str:
        return title_of(key, self.task, self.configuration.training.loss)


def _sizes(model: HybridModel) -> dict[str, int]:
    n_layer = model.network_.n_layer_parameters
    n_quantum = 0 if model.layer == "classical" else n_layer
    n_all = model.network_.n_parameters
    return {"n_parameters": n_all, "n_layer_parameters": n_layer, "n_quantum_parameters": n_quantum}


def goal_of(configuration: Configuration) -> Goal:
    """What a configuration asks all models for."""
    given = {name: getattr(configuration.training, name) for name in GOAL_FIELDS}
    return Goal(**given, metric=configuration.comparison.metric)


def make_model(
    configuration: Configuration, task: str, layer: str, starts: Mapping[str, Start], seed: int | None = None
) -> HybridModel:
    """The unfitted estimator of a configuration, which begins with the network of its layer if one is given.

    Its seed is that of a round, or of the run.
    """
    seed = configuration.seed if seed is None else seed
    kind = HybridRegressor if task == "regression" else HybridClassifier
    options = {**configuration.model.model_dump(), **configuration.training.model_dump()}
    options["start_from"] = starts.get(layer)
    return kind(
        **options, layer=layer, engine=configuration.engine.values(), threads=configuration.threads, random_state=seed
    )


def try_circuit(configuration: Configuration, data: PreparedTable, starts: Mapping[str, Start]) -> Circuit:
    """The circuit of the hybrid model; all three networks are made and used once.

    One too large for memory, or not fitting the run it is to start from, is refused before training.
    """
    circuits = []
    for key in NETWORKS:
        model = make_model(configuration, data.task, str(COMPETITORS[key].layer), starts)
        model.begin(data, configuration.seed)
        with torch.no_grad():
            model.network_(data.train.x[:1])
        circuits.append(model.circuit_)
    return circuits[0]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
