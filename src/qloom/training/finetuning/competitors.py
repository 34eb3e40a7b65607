"""The models of a fine-tuning: the adapter, its controls, LoRA, and what is to be had without training the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import peft
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor, nn

from qloom.adapters.finetuned import FineTuned, Recipe, fit_head, outputs
from qloom.adapters.methods import OURS, make_method
from qloom.data.pretrained.folders import load_model
from qloom.errors import ConfigError
from qloom.fitting import Training
from qloom.models.tables.competitors import Competitor
from qloom.models.tables.scores import score
from qloom.training.checkpoints import checkpointing
from qloom.training.competitors import Contest, Outcome, PreparedRound
from qloom.training.configuration import FinetuneSection
from qloom.training.finetuning.models import MODELS, OF_IMAGES, WORDS
from qloom.training.finetuning.rows import FinetuneRows
from qloom.training.finetuning.saved import as_predictions, save_finetuned
from qloom.training.rounds import KEPT

_STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)

_CONTROLS = ("entangle", "random", "classical")
_SWITCHES: Mapping[str, dict[str, bool]] = {
    "adapter": {}, "separable": {"entangle": False}, "classical": {"classical": True}, "random": {"random": True},
}  # fmt: skip


# Settings that are the run's own.
_OURS: Mapping[str, str] = {
    "seed": "which follows from the run's", "modules_to_save": "but the head is trained beside the adapter",
    "task_type": "which follows from the target", **dict.fromkeys(_CONTROLS, "which the controls of the run switch"),
}  # fmt: skip
# Settings that hold for LoRA too, and what they are called there.
_OF_LORA: Mapping[str, str] = {
    **{name: name for name in ("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern")},
    "dropout": "lora_dropout",
}


def method_of(section: FinetuneSection, layer: str) -> peft.PeftConfig:
    """The configuration of one of the networks of a run.

    Raises:
        ConfigError: for an adapter that is none of ours, or a setting that it does not have.
    """
    if section.adapter not in OURS:
        raise ConfigError(
            f"finetune.adapter={section.adapter!r}, expected one of {', '.join(OURS)}: the others stand beside it"
        )
    own = [name for name in _OURS if name in section.settings]
    if own:
        raise ConfigError(f"finetune.settings has {own[0]!r}, {_OURS[own[0]]}; leave it out")
    if layer == "lora":
        settings = {_OF_LORA[name]: value for name, value in section.settings.items() if name in _OF_LORA}
        return make_method("lora", {**settings, "r": section.lora_rank})
    return make_method(section.adapter, {**section.settings, **_SWITCHES[layer]})


def make_network(section: FinetuneSection, rows: FinetuneRows, layer: str, head: nn.Module, seed: int) -> FineTuned:
    """The adapted model, whose first numbers are drawn from a seed."""
    method = method_of(section, layer)
    if hasattr(method, "seed"):
        method.seed = seed
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = load_model(rows.backbone.folder, torch.float32, "cpu")
        return FineTuned(model, method, head, section.pooling)


@dataclass(frozen=True)
class Finetuning(Contest):
    """What the models of a fine-tuning share.

    Attributes:
        rows: of the run.
    """

    table: ClassVar[Mapping[str, Competitor]] = MODELS
    rows: FinetuneRows | None = None

    @property
    def section(self) -> FinetuneSection:
        assert self.configuration.finetune is not None
        return self.configuration.finetune

    def _train_networks(self, key: str, rounds: Sequence[PreparedRound]) -> list[Outcome]:
        self.progress.begin(self._title(key), self.section.epochs, [each.number for each in rounds])
        return [self._train_network(key, each) for each in rounds]

    def _train_network(self, key: str, each: PreparedRound) -> Outcome:
        assert self.rows is not None
        start, section = time.perf_counter(), self.section
        network = make_network(section, self.rows, str(self.table[key].layer), self.head(each), each.seed)
        training = self._training(key, each, network)
        keep, restore = checkpointing(self.folder.checkpoint(key, each.number))
        restore(training)  # type: ignore[arg-type]

        def watch(training: Training) -> None:
            keep(training)  # type: ignore[arg-type]
            self.progress.epoch(training, each.number)  # type: ignore[arg-type]

        training.run(watch)
        seconds = time.perf_counter() - start
        if each.number == KEPT:
            save_finetuned(self.place(key), network, self.rows.backbone, section.column, each.data.coding)
        predictions, taken = _timed(partial(self._predictions, network, each))
        counts = {
            "n_parameters": network.n_trained + network.n_head, "n_layer_parameters": network.n_trained,
            "n_quantum_parameters": network.n_quantum,
        }  # fmt: skip
        ending = {"best_epoch": training.best_epoch, "history": training.history, "refit": None, "started_from": None}
        times = {"seconds_training": seconds, "seconds_prediction": taken}
        return Outcome({**self._heading(key), "engine": None, **counts, **times, **ending, "level": 0.5}, predictions)

    def _training(self, key: str, each: PreparedRound, network: FineTuned) -> Training:
        assert self.rows is not None
        section = self.section
        recipe = Recipe(
            epochs=section.epochs, batch_size=section.batch_size, head_learning_rate=section.head_learning_rate,
            learning_rate=section.lora_learning_rate if key == "lora" else section.learning_rate,
            patience=section.patience, seed=each.seed,
        )  # fmt: skip
        parts = (each.split.train, each.split.validation)
        (x, y), (x_validation, y_validation) = (
            (self.rows.inputs.take(part), own.y)
            for part, own in zip(parts, (each.data.train, each.data.validation), strict=True)
        )
        name, held_out = each.data.score_names[0], each.data.validation

        def judged(made: Tensor) -> float:
            return score(name, held_out.truth, as_predictions(made, each.data.coding), 0.5, None)

        training = recipe.training(network, x, y, x_validation, y_validation, judged)
        training.metric = name  # type: ignore[attr-defined]
        return training

    def head(self, each: PreparedRound) -> nn.Linear:
        """The best linear model on frozen features of a round."""
        assert self.rows is not None
        data, features = each.data, self.rows.features
        n_classes = len(data.coding.classes) or None
        return fit_head(
            features[each.split.train], data.train.y.numpy(), features[each.split.validation],
            data.validation.y.numpy(), n_classes,
        )  # fmt: skip

    def _predictions(self, network: FineTuned, each: PreparedRound) -> np.ndarray:
        """Probabilities (B, C), or values in the target's unit (B,)."""
        assert self.rows is not None
        return as_predictions(outputs(network, self.rows.inputs.take(each.split.test)), each.data.coding)

    def _train_baseline(self, key: str, each: PreparedRound) -> Outcome:
        if key != WORDS:
            return super()._train_baseline(key, each)
        predictions, seconds = _timed(partial(self._by_words, each))
        times = {"seconds_training": seconds, "seconds_prediction": 0.0, "engine": None, "level": 0.5}
        nothing: dict[str, Any] = {"n_parameters": None, "n_quantum_parameters": 0, "best_epoch": None, "history": [],
                                   "refit": None, "started_from": None}  # fmt: skip
        return Outcome({**self._heading(key), **nothing, **times}, predictions)

    def _is_done(self, key: str, number: int) -> bool:
        return self.folder.outcome(key, number).exists() if key == WORDS else super()._is_done(key, number)

    def _by_words(self, each: PreparedRound) -> np.ndarray:
        """Words and pairs of words by their frequencies, a linear model whose strength is chosen by validation rows."""
        assert self.rows is not None
        cells, data = self.rows.cells, each.data
        coding = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
        x = coding.fit_transform([cells[row] for row in each.split.train])
        x_validation, x_test = (
            coding.transform([cells[row] for row in part]) for part in (each.split.validation, each.split.test)
        )
        y, y_validation = data.train.y.numpy(), data.validation.y.numpy()
        make: Callable[[float], Any] = (
            (lambda c: LogisticRegression(C=c, max_iter=2000))
            if data.coding.classes
            else (lambda c: Ridge(alpha=1 / c))
        )
        fitted = [make(strength).fit(x, y) for strength in _STRENGTHS]
        best = max(fitted, key=lambda model: model.score(x_validation, y_validation))
        if not data.coding.classes:
            return data.coding.decode(best.predict(x_test))
        found = np.zeros((x_test.shape[0], len(data.coding.classes)))
        found[:, best.classes_] = best.predict_proba(x_test)
        return found

    def _title(self, key: str) -> str:
        title = self.table[key].title
        return f"{title} (rank {self.section.lora_rank})" if key == "lora" else title


class ImageFinetuning(Finetuning):
    """The same of images, which have no words."""

    table: ClassVar[Mapping[str, Competitor]] = OF_IMAGES


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
