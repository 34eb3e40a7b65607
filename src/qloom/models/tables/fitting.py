"""The training of table networks: rows, recipe, and what is theirs in the loop of `qloom.fitting`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from qloom.errors import ConfigError, TrainabilityWarning
from qloom.fitting import Loop, Stage, Stepper, Taken, cosine, run_together
from qloom.fitting.random_states import seeded_torch
from qloom.fitting.workers import ALONE, Workers
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.inference import predict_shared
from qloom.models.tables.losses import Loss, make_loss
from qloom.models.tables.readout import LINKS
from qloom.models.tables.rows import Rows
from qloom.models.tables.schedules import SCHEDULES
from qloom.models.tables.scores import score, score_names
from qloom.models.tables.stacked_layers import Moments, Spring
from qloom.models.tables.stacking import Stack, architecture_of, filled, steps_done
from qloom.models.tables.windows import Windows
from qloom.nn import QuantumLayer

# Derivatives of losses of order 1 are rounded at this in single precision.
GRADIENT_NOISE = 1e-7


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: AdamW, a cosine from `learning_rate` down to 2% of it, early stopping.

    Args:
        epochs: passes over the training rows at most.
        batch_size: rows a step; None takes a 40th of the training rows, between 16 and 256.
        learning_rate: of the first step.
        weight_decay: of the classical weights; the middle layer has none.
        patience: epochs without a better validation loss after which training stops.
        schedule: what is trained when: "together", "layer_by_layer", "layers_in_turn", "circuit_only" or
            "classical_last".
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

    def stage(self, epoch: int) -> Stage:
        """What is trained in an epoch, from 0."""
        if self.schedule not in SCHEDULES:
            raise ConfigError(f"schedule is {self.schedule!r}, expected one of {', '.join(SCHEDULES)}")
        return SCHEDULES[self.schedule](epoch, self.epochs, self.n_layers)


class Fit(Loop):
    """The training of one table network.

    Shuffling and dropout are functions of (seed, epoch), so a training taken up again at an epoch goes on as
    if it had never stopped. Where rows are read in windows, each window is an epoch here, and the recipe's epochs are
    passes over all of them.

    Args:
        network: trained in place; holds the best weights at the end.
        task: "classification" or "regression".
        recipe: how to train.
        loss: what for; None takes the task's usual one.
        judge: outputs (B, C) and validation rows -> the score that the history keeps; None takes the task's main one.
        windows: where the rows to learn from are read; None for rows that are given.

    Attributes:
        n_targets: C classes, or 1 for a number.
        metric: what `judge` gives.
        train, validation: rows.
        moments: of AdamW, by parameter.
        workers: who walks the rows of a step together; all hold the same rows and weights.
        springs: what holds each parameter; none for an empty one.
        history: as of every `Loop` and, of a trained circuit, circuit_gradient: the root mean square of its
            derivatives.
    """

    train: Rows
    validation: Rows

    def __init__(
        self,
        network: HybridNetwork,
        task: str,
        recipe: Recipe,
        loss: Loss | None = None,
        judge: Callable[[Tensor, Rows], float] | None = None,
        windows: Windows | None = None,
    ):
        per_pass = 1 if windows is None else windows.per_pass
        patience = recipe.patience if windows is None else windows.patience(recipe.patience)
        super().__init__(
            network, epochs=recipe.epochs * per_pass, patience=patience,
            stages=lambda epoch: recipe.stage(epoch // per_pass),
        )  # fmt: skip
        self.windows = windows
        self.network, self.task, self.recipe = network, task, recipe
        self.loss, self.judge = loss or make_loss(task), judge or self._main_score
        self.rate = cosine(recipe.learning_rate, self.epochs)
        self.remedy = f"lower learning_rate (now {recipe.learning_rate:g})"
        self.moments: Moments = {}
        self.workers: Workers = ALONE
        self.springs: dict[Tensor, Spring] = {}
        self.n_targets = int(next(reversed(list(network.head.parameters()))).shape[0])
        self.metric: str = getattr(judge, "metric", None) or score_names(task, self.n_targets)[0]
        self._warned = False

    def given(self, train: Rows, validation: Rows) -> Fit:
        """The rows to learn from and to be judged on."""
        self.train, self.validation = train, validation
        return self

    def run(self, train: Rows, validation: Rows, watch: Callable[[Fit], None] | None = None) -> Fit:
        """Train until done; `watch` is called after every epoch, when the state is whole.

        Args:
            train, validation: the rows to learn from and to be judged on.

        Raises:
            ConfigError: if the loss becomes infinite or NaN.
        """
        run_together([self.given(train, validation)], None if watch is None else lambda _, fit: watch(fit))
        return self

    def stepper(self, group: Sequence[Fit]) -> Stepper:
        return StackedSteps(group)

    def begin_epoch(self) -> bool:
        if self.windows is not None:
            self.train = self.windows.rows(self.epoch)
        return super().begin_epoch()

    def finish(self) -> None:
        if self.windows is not None:
            self.windows.forget()
        super().finish()

    @property
    def rows_a_step(self) -> int:
        """The batch size."""
        return self.recipe.rows_a_step(len(self.train.y) if self.windows is None else self.windows.n_rows)

    @property
    def unit(self) -> str:
        """What an epoch of this loop is, in a word."""
        return "epoch" if self.windows is None else "window"

    def kind(self) -> Hashable | None:
        if self.windows is not None:
            return None
        n_rows, size = len(self.train.y), self.rows_a_step
        architecture = architecture_of(self.network)
        steps = n_rows // size, filled(size), filled(n_rows % size)
        aim = self.loss.name, self.loss.quantile
        held, done = bool(self.springs), steps_done(self.moments)
        return architecture and (architecture, steps, aim, held, done, replace(self.recipe, seed=0))

    def order(self) -> tuple[np.random.Generator, Sequence[Tensor]]:
        """This epoch's random numbers, and the batches they make first."""
        n_rows, random = len(self.train.y), np.random.default_rng([self.recipe.seed, self.epoch])
        return random, torch.from_numpy(random.permutation(n_rows)).split(self.rows_a_step)

    def gradient(self, square: float) -> dict[str, float]:
        """How large the circuit's derivatives were in this epoch; a warning where that is rounding.

        Args:
            square: their squares' sum, mean over the steps.
        """
        layer = self.network.layer
        if not isinstance(layer, QuantumLayer) or not layer.weights.requires_grad:
            return {}
        size = math.sqrt(square / max(1, int(layer.trained.sum())))  # derivatives of the others are 0
        if size < GRADIENT_NOISE and not self._warned and self.workers.leads:
            self._warned = True
            warnings.warn(
                f"the circuit's gradients are {size:.1e} in epoch {self.epoch + 1}, no more than rounding: it does not "
                "train; measure it with qloom diagnose, use fewer layers or qubits, or start nearer to the identity",
                TrainabilityWarning,
                stacklevel=2,
            )
        return {"circuit_gradient": size}

    def judged(self) -> tuple[float | None, float | None]:
        rows = self.validation
        if len(rows.y) == 0:
            return None, None
        outputs = predict_shared(self.network, rows.x, self.n_targets, self.workers)
        loss = self.finite(float(self.loss.mean(outputs, rows.y, rows.weights)))
        metric = self.judge(outputs, rows) if self.workers.leads else math.nan  # for the history, which it keeps
        return loss, metric if math.isfinite(metric) else None

    def _main_score(self, outputs: Tensor, rows: Rows) -> float:
        return score(self.metric, rows.truth, LINKS[self.loss.link](outputs.double().numpy()))

    # -- the optimizer's state

    def forget(self) -> None:
        self.moments.clear()

    def optimizer_state(self) -> tuple[dict[str, Tensor], None]:
        moments = {
            f"optimizer.{i}.{name}": value.clone()  # the count of steps is one for all
            for i, parameter in enumerate(self._ordered())
            for name, value in self.moments.get(parameter, {}).items()
        }
        return moments, None

    def restore_optimizer(self, tensors: Mapping[str, Tensor], plain: None) -> None:
        self.moments, parameters = {}, self._ordered()
        for name, value in tensors.items():
            if name.startswith("optimizer."):
                _, index, moment = name.split(".", 2)
                self.moments.setdefault(parameters[int(index)], {})[moment] = value.clone()

    def _ordered(self) -> list[nn.Parameter]:
        """Parameters by the numbers that checkpoints give them."""
        parts = (self.network.encoder, self.network.head, self.network.layer)
        return [parameter for part in parts for parameter in part.parameters()]


class StackedSteps(Stepper):
    """The steps of table networks of one kind, as one stack."""

    def __init__(self, fits: Sequence[Fit]):
        self.fits, first = fits, fits[0]
        networks, moments = [fit.network for fit in fits], [fit.moments for fit in fits]
        springs = {parameter: spring for fit in fits for parameter, spring in fit.springs.items()}
        self.stack = Stack(networks, moments, first.loss, first.recipe.weight_decay, first.workers, springs)

    def run(self) -> list[Taken]:
        first, rows = self.fits[0], [fit.train for fit in self.fits]
        random, batches = zip(*(fit.order() for fit in self.fits), strict=True)
        n_steps = len(batches[0])
        with seeded_torch(first.recipe.seed, first.epoch):  # for modules that are not known, which go alone
            losses, squares = self.stack.run(
                rows, batches, random, lambda step: first.rate(first.epoch + step / n_steps)
            )
        each = zip(self.fits, losses.tolist(), squares.tolist(), strict=True)
        return [Taken(loss, fit.gradient(square)) for fit, loss, square in each]

    def release(self) -> None:
        self.stack.release()
