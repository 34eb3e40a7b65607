"""The training of one network: an epoch loop with early stopping, its whole state taken out and put back."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from qloom.errors import ConfigError, TrainabilityWarning
from qloom.fitting.random_states import put_back, random_states
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.inference import predict_rows
from qloom.models.tables.losses import Loss, make_loss
from qloom.models.tables.readout import LINKS
from qloom.models.tables.schedules import ALL, SCHEDULES, Stage, set_stage
from qloom.models.tables.scores import score, score_names
from qloom.models.tables.stacking import Moments, Stack, architecture_of, filled, steps_done
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
        self.moments: Moments = {}
        self.n_targets = int(next(reversed(list(network.head.parameters()))).shape[0])
        self.metric: str = getattr(judge, "metric", None) or score_names(task, self.n_targets)[0]
        self.epoch = self.best_epoch = 0
        self.best_loss = math.inf
        self.best = _copied(network.state_dict())
        self.history: list[dict[str, Any]] = []
        self._warned = False

    def run(self, train: Rows, validation: Rows, watch: Callable[[Fit], None] | None = None) -> Fit:
        """Train until done; `watch` is called after every epoch, when the state is whole.

        Raises:
            ConfigError: if the loss becomes infinite or NaN.
        """
        told = watch or (lambda fit: None)
        return run_together([self], [train], [validation], lambda k, fit: told(fit))[0]

    def finish(self) -> None:
        """Take the best weights, all of them trainable again."""
        self.network.load_state_dict(self.best)
        set_stage(self.network, ALL, self.recipe.n_layers)
        self.network.eval()

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or patience has run out."""
        since = max(self.best_epoch, self.recipe.last_new_stage)
        return self.epoch >= self.recipe.epochs or self.epoch - since >= self.recipe.patience

    @property
    def seconds(self) -> float:
        """Time spent on the epochs so far."""
        return float(sum(record["seconds"] for record in self.history))

    def begin_epoch(self) -> bool:
        """Freeze what this epoch does not train; whether that changed, and the optimizer forgot its moments."""
        stage = self.recipe.stage(self.epoch)
        set_stage(self.network, stage, self.recipe.n_layers)
        changed = self.epoch > 0 and stage != self.recipe.stage(self.epoch - 1)
        if changed:
            self.moments.clear()  # of former steps, which would move frozen weights on
        self.network.train()
        return changed

    def end_epoch(self, train_loss: float, square: float, seconds: float, validation: Rows) -> None:
        """Judge the weights, keep them if they are the best, and note the epoch down.

        Args:
            train_loss: mean over the training rows.
            square: sum of the circuit's squared derivatives, mean over the steps.
            seconds: spent on the steps.
            validation: rows to judge on.
        """
        start, stage = time.perf_counter(), self.recipe.stage(self.epoch)
        train_loss = self._finite(train_loss)
        loss, metric = self._judge(validation)
        self.epoch += 1
        self._keep_best(train_loss if loss is None else loss, has_validation=loss is not None)
        seconds += time.perf_counter() - start
        record = {"epoch": self.epoch, "stage": stage.title, "train_loss": train_loss, "validation_loss": loss,
                  "validation_metric": metric, "seconds": seconds}  # fmt: skip
        self.history.append(record | self._gradient(square))

    def _gradient(self, square: float) -> dict[str, float]:
        """How large the circuit's derivatives were in this epoch; a warning where that is rounding."""
        layer = self.network.layer
        if not isinstance(layer, QuantumLayer) or not layer.weights.requires_grad:
            return {}
        size = math.sqrt(square / max(1, int(layer.trained.sum())))  # derivatives of the others are 0
        if size < GRADIENT_NOISE and not self._warned:
            self._warned = True
            warnings.warn(
                f"the circuit's gradients are {size:.1e} in epoch {self.epoch}, no more than rounding: it does not "
                "train; measure it with qloom diagnose, use fewer layers or qubits, or start nearer to the identity",
                TrainabilityWarning,
                stacklevel=2,
            )
        return {"circuit_gradient": size}

    def order(self, n_rows: int) -> tuple[np.random.Generator, Sequence[Tensor]]:
        """This epoch's random numbers, and the batches they make first."""
        random = np.random.default_rng([self.recipe.seed, self.epoch])
        return random, torch.from_numpy(random.permutation(n_rows)).split(self.recipe.rows_a_step(n_rows))

    def rate(self, step: int, n_steps: int) -> float:
        """The learning rate of a step of this epoch."""
        cosine = 0.5 * (1 + math.cos(math.pi * (self.epoch + step / n_steps) / self.recipe.epochs))
        return self.recipe.learning_rate * (_LOWEST_RATE + (1 - _LOWEST_RATE) * cosine)

    def kind(self, n_rows: int) -> Hashable | None:
        """What trainings must have in common to be one stack in an epoch; None for one that goes alone."""
        architecture, size = architecture_of(self.network), self.recipe.rows_a_step(n_rows)
        steps = n_rows // size, filled(size), filled(n_rows % size)
        aim = self.loss.name, self.loss.quantile
        return architecture and (architecture, steps, aim, steps_done(self.moments), replace(self.recipe, seed=0))

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
            f"optimizer.{i}.{name}": value.clone()  # the count of steps is one for all
            for i, parameter in enumerate(_ordered(self.network))
            for name, value in self.moments.get(parameter, {}).items()
        }
        now = {f"now.{name}": value for name, value in self.network.state_dict().items()}
        best = {f"best.{name}": value for name, value in self.best.items()}
        return {**now, **best, **moments}

    def record(self) -> dict[str, Any]:
        """All of the state that is no tensor, as plain JSON values; "random" is where measurements' numbers are."""
        names = ("epoch", "best_epoch", "best_loss", "history")
        return {name: getattr(self, name) for name in names} | {"random": random_states(self.network)}

    def restore(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> Fit:
        """Put back what `tensors` and `record` gave.

        Raises:
            ConfigError: if circuits are measured and the state has no random numbers for them, or the other way round.
        """
        put_back(self.network, record.get("random", []))
        self.network.load_state_dict(_under("now.", tensors))
        self.best = _copied(_under("best.", tensors))
        self.moments, parameters = {}, _ordered(self.network)
        for name, value in _under("optimizer.", tensors).items():
            index, moment = name.split(".", 1)
            self.moments.setdefault(parameters[int(index)], {})[moment] = value.clone()
        self.epoch, self.best_epoch, self.best_loss = (
            record["epoch"],
            record["best_epoch"],
            record["best_loss"],
        )
        self.history = list(record["history"])
        return self


def run_together(
    fits: Sequence[Fit],
    train: Sequence[Rows],
    validation: Sequence[Rows],
    watch: Callable[[int, Fit], None] | None = None,
) -> Sequence[Fit]:
    """Train side by side until all are done, those of one kind as one stack; each ends as alone, bit for bit.

    Args:
        fits: trainings, whatever their epochs are.
        train, validation: rows of each.
        watch: called after every epoch of each with its number, from 0, when its state is whole.
    """
    stacks: dict[tuple[int, ...], Stack] = {}
    try:
        while waiting := [k for k, fit in enumerate(fits) if not fit.finished]:
            epoch = min(fits[k].epoch for k in waiting)
            for group in _groups({k: fits[k].kind(len(train[k].y)) for k in waiting if fits[k].epoch == epoch}):
                _run_epoch(group, fits, train, validation, stacks)
                if watch is not None:
                    for k in group:
                        watch(k, fits[k])
    finally:
        for stack in stacks.values():
            stack.release()
    for fit in fits:
        fit.finish()
    return fits


def _groups(kinds: Mapping[int, Hashable | None]) -> list[tuple[int, ...]]:
    """Numbers of one kind together."""
    found: dict[Hashable, list[int]] = {}
    for k, kind in kinds.items():
        found.setdefault(("alone", k) if kind is None else kind, []).append(k)
    return [tuple(group) for group in found.values()]


def _run_epoch(
    group: tuple[int, ...], fits: Sequence[Fit], train: Sequence[Rows], validation: Sequence[Rows],
    stacks: dict[tuple[int, ...], Stack],
) -> None:  # fmt: skip
    """One epoch of a group, in the stack it had before if it had one."""
    start, own = time.perf_counter(), [fits[k] for k in group]
    changed = [fit.begin_epoch() for fit in own]
    if any(changed) or group not in stacks:
        for other in [other for other in stacks if set(other) & set(group)]:
            del stacks[other]
        stacks[group] = Stack(
            [fit.network for fit in own], [fit.moments for fit in own], own[0].loss, own[0].recipe.weight_decay
        )
    rows = [train[k] for k in group]
    random, batches = zip(*(fit.order(len(each.y)) for fit, each in zip(own, rows, strict=True)), strict=True)
    seed = int(np.random.SeedSequence([own[0].recipe.seed, own[0].epoch]).generate_state(1)[0])
    with seeded_torch(seed):  # for modules that are not known, which go alone
        losses, squares = stacks[group].run(rows, batches, random, lambda step: own[0].rate(step, len(batches[0])))
    seconds = (time.perf_counter() - start) / len(group)
    for k, fit, loss, square in zip(group, own, losses.tolist(), squares.tolist(), strict=True):
        fit.end_epoch(loss, square, seconds, validation[k])


def _ordered(network: HybridNetwork) -> list[nn.Parameter]:
    """Parameters by the numbers that checkpoints give them."""
    return [p for part in (network.encoder, network.head, network.layer) for p in part.parameters()]


def _copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
