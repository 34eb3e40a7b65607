"""The training of one network: an epoch loop with early stopping, its whole state taken out and put back."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from qloom.errors import ConfigError, TrainabilityWarning
from qloom.models.hybrid import HybridNetwork
from qloom.models.inference import predict_rows
from qloom.models.losses import Loss, make_loss
from qloom.models.readout import LINKS
from qloom.models.schedules import ALL, SCHEDULES, Stage, set_stage
from qloom.models.scores import score, score_names
from qloom.models.threads import seeded_torch
from qloom.nn import QuantumLayer

_LOWEST_RATE = 0.02
# Derivatives of losses of order 1 are rounded at this in single precision.
GRADIENT_NOISE = 1e-7


class Rows(NamedTuple):
    """Rows to learn from or to be judged on.

    Shapes: x (B, F) float32; y (B,), class codes int64 or standardised numbers float32; weights (B,) float32 of
    mean 1, None for equal ones; values (B,) what scores compare with: class codes, or numbers in the target's unit,
    None if they are y.
    """

    x: Tensor
    y: Tensor
    weights: Tensor | None = None
    values: np.ndarray | None = None

    def take(self, rows: Tensor) -> Rows:
        """Some of the rows to learn from."""
        return Rows(self.x[rows], self.y[rows], None if self.weights is None else self.weights[rows])

    @property
    def scored_weights(self) -> np.ndarray | None:
        """The weights as scores take them."""
        return None if self.weights is None else self.weights.double().numpy()

    @property
    def truth(self) -> np.ndarray:
        """What scores compare with, (B,): class codes, or numbers."""
        if self.values is not None:
            return self.values
        return self.y.double().numpy() if self.y.is_floating_point() else self.y.numpy()


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: AdamW, a cosine from `learning_rate` down to 2% of it, early stopping.

    Args:
        epochs: passes over the training rows at most.
        batch_size: rows a step; None takes a 40th of the training rows, between 16 and 256.
        learning_rate: of the first step.
        weight_decay: of the classical weights; the middle layer has none.
        patience: epochs without a better validation loss after which training stops.
        schedule: what is trained when, one of `SCHEDULES`.
        n_layers: of the circuit, for schedules that take them apart.
        seed: fixes initial weights, the order of rows and dropout.
    """

    epochs: int = 40
    batch_size: int | None = None
    learning_rate: float = 0.003
    weight_decay: float = 1.0
    patience: int = 10
    schedule: str = "together"
    n_layers: int = 1
    seed: int = 0

    def rows_a_step(self, n_rows: int) -> int:
        """The batch size for so many training rows."""
        return self.batch_size or min(max(n_rows // 40, 16), 256)

    @property
    def last_new_stage(self) -> int:
        """The epoch, from 0, in which the last of the schedule's stages has its first turn; patience begins there."""
        stages = [self.stage(epoch) for epoch in range(self.epochs)]
        return max((stages.index(stage) for stage in stages), default=0)

    def stage(self, epoch: int) -> Stage:
        """What is trained in an epoch, from 0."""
        if self.schedule not in SCHEDULES:
            raise ConfigError(f"schedule is {self.schedule!r}, expected one of {', '.join(SCHEDULES)}")
        return SCHEDULES[self.schedule](epoch, self.epochs, self.n_layers)


class Fit:
    """One training, from its first epoch to its last.

    Shuffling and dropout are functions of (seed, epoch), so a training taken up again at an epoch goes on as
    if it had never stopped.

    Args:
        network: trained in place; holds the best weights at the end.
        task: "classification" or "regression".
        recipe: how to train.
        loss: what for; None takes the task's usual one.
        judge: outputs (B, C) and validation rows -> the score that the history keeps; None takes the task's main one.

    Attributes:
        n_targets: C classes, or 1 for a number.
        metric: what `judge` gives.
        epoch: epochs done.
        best_epoch: the epoch of the lowest validation loss, from 1; the last one without validation rows.
        history: a record an epoch: epoch, stage, train_loss, validation_loss, validation_metric, seconds and, of a
            trained circuit, circuit_gradient: the root mean square of its derivatives.
    """

    def __init__(
        self,
        network: HybridNetwork,
        task: str,
        recipe: Recipe,
        loss: Loss | None = None,
        judge: Callable[[Tensor, Rows], float] | None = None,
    ):
        self.network, self.task, self.recipe = network, task, recipe
        self.loss, self.judge = loss or make_loss(task), judge or self._main_score
        self.optimizer = _make_optimizer(network, recipe)
        self.n_targets = int(next(reversed(list(network.head.parameters()))).shape[0])
        self.metric: str = getattr(judge, "metric", None) or score_names(task, self.n_targets)[0]
        self.epoch = self.best_epoch = 0
        self.best_loss = math.inf
        self.best = _copied(network.state_dict())
        self.history: list[dict[str, Any]] = []
        self._squares: list[Tensor] = []
        self._warned = False

    def run(self, train: Rows, validation: Rows, watch: Callable[[Fit], None] | None = None) -> Fit:
        """Train until done; `watch` is called after every epoch, when the state is whole.

        Raises:
            ConfigError: if the loss becomes infinite or NaN.
        """
        while not self.finished:
            self._run_epoch(train, validation)
            if watch:
                watch(self)
        self.network.load_state_dict(self.best)
        set_stage(self.network, ALL, self.recipe.n_layers)
        self.network.eval()
        return self

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or patience has run out."""
        since = max(self.best_epoch, self.recipe.last_new_stage)
        return self.epoch >= self.recipe.epochs or self.epoch - since >= self.recipe.patience

    @property
    def seconds(self) -> float:
        """Time spent on the epochs so far."""
        return float(sum(record["seconds"] for record in self.history))

    def _run_epoch(self, train: Rows, validation: Rows) -> None:
        start, stage = time.perf_counter(), self._begin_stage()
        self._squares = []
        train_loss = self._step_through(train)
        loss, metric = self._judge(validation)
        self.epoch += 1
        self._keep_best(train_loss if loss is None else loss, has_validation=loss is not None)
        seconds = time.perf_counter() - start
        record = {"epoch": self.epoch, "stage": stage.title, "train_loss": train_loss, "validation_loss": loss,
                  "validation_metric": metric, "seconds": seconds}  # fmt: skip
        self.history.append(record | self._gradient())

    def _gradient(self) -> dict[str, float]:
        """How large the circuit's derivatives were in this epoch; a warning where that is rounding."""
        layer = self.network.layer
        if not self._squares or not isinstance(layer, QuantumLayer):
            return {}
        n_trained = max(1, int(layer.trained.sum()))  # derivatives of the others are 0
        size = float((torch.stack(self._squares).mean() / n_trained).sqrt())
        if size < GRADIENT_NOISE and not self._warned:
            self._warned = True
            warnings.warn(
                f"the circuit's gradients are {size:.1e} in epoch {self.epoch}, no more than rounding: it does not "
                "train; measure it with qloom diagnose, use fewer layers or qubits, or start nearer to the identity",
                TrainabilityWarning,
                stacklevel=2,
            )
        return {"circuit_gradient": size}

    def _begin_stage(self) -> Stage:
        """Freeze what this epoch does not train; where that changes, the optimizer forgets its moments."""
        stage = self.recipe.stage(self.epoch)
        set_stage(self.network, stage, self.recipe.n_layers)
        if self.epoch and stage != self.recipe.stage(self.epoch - 1):
            self.optimizer.state.clear()  # of former steps, which would move frozen weights on
        return stage

    def _step_through(self, rows: Rows) -> float:
        """One pass over the rows; the mean loss."""
        self.network.train()
        seed = int(np.random.SeedSequence([self.recipe.seed, self.epoch]).generate_state(1, np.uint64)[0] >> 1)
        total = torch.zeros(())
        with seeded_torch(seed):
            batches = torch.randperm(len(rows.y)).split(self.recipe.rows_a_step(len(rows.y)))
            for step, batch in enumerate(batches):
                self._set_rate(self.epoch + step / len(batches))
                total += self._step(rows.take(batch)) * len(batch)
        return self._finite(float(total) / len(rows.y))

    def _step(self, rows: Rows) -> Tensor:
        loss = self.loss.mean(self.network(rows.x), rows.y, rows.weights)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if isinstance(self.network.layer, QuantumLayer) and self.network.layer.weights.grad is not None:
            self._squares.append(self.network.layer.weights.grad.square().sum())
        self.optimizer.step()
        return loss.detach()

    def _set_rate(self, epoch: float) -> None:
        cosine = 0.5 * (1 + math.cos(math.pi * epoch / self.recipe.epochs))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * (_LOWEST_RATE + (1 - _LOWEST_RATE) * cosine)

    def _finite(self, loss: float) -> float:
        if not math.isfinite(loss):
            raise ConfigError(
                f"the loss is {loss} in epoch {self.epoch + 1}, expected a finite number; "
                f"lower learning_rate (now {self.recipe.learning_rate:g})"
            )
        return loss

    def _judge(self, rows: Rows) -> tuple[float | None, float | None]:
        """Loss and main score on validation rows; None without any."""
        if len(rows.y) == 0:
            return None, None
        outputs = predict_rows(self.network, rows.x)
        loss = self._finite(float(self.loss.mean(outputs, rows.y, rows.weights)))
        return loss, _plain(self.judge(outputs, rows))

    def _main_score(self, outputs: Tensor, rows: Rows) -> float:
        return score(self.metric, rows.truth, LINKS[self.loss.link](outputs.double().numpy()))

    def _keep_best(self, loss: float, has_validation: bool) -> None:
        if loss < self.best_loss or not has_validation:
            self.best_loss, self.best_epoch = loss, self.epoch
            self.best = _copied(self.network.state_dict())

    # -- the state, out and in

    def tensors(self) -> dict[str, Tensor]:
        """Weights, best weights and moments of the optimizer."""
        moments = {
            f"optimizer.{i}.{name}": value
            for i, entry in self.optimizer.state_dict()["state"].items()
            for name, value in entry.items()
        }
        now = {f"now.{name}": value for name, value in self.network.state_dict().items()}
        best = {f"best.{name}": value for name, value in self.best.items()}
        return {**now, **best, **moments}

    def record(self) -> dict[str, Any]:
        """All of the state that is no tensor, as plain JSON values."""
        return {name: getattr(self, name) for name in ("epoch", "best_epoch", "best_loss", "history")}

    def restore(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> Fit:
        """Put back what `tensors` and `record` gave."""
        self.network.load_state_dict(_under("now.", tensors))
        self.best = _copied(_under("best.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            index, moment = name.split(".", 1)
            state.setdefault(int(index), {})[moment] = value.clone()
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.epoch, self.best_epoch, self.best_loss = (
            record["epoch"],
            record["best_epoch"],
            record["best_loss"],
        )
        self.history = list(record["history"])
        return self


def _make_optimizer(network: HybridNetwork, recipe: Recipe) -> torch.optim.Optimizer:
    around = [*network.encoder.parameters(), *network.head.parameters()]
    groups = [
        {"params": around, "weight_decay": recipe.weight_decay},
        {"params": list(network.layer.parameters()), "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def _copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
