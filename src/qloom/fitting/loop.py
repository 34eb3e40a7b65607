"""What all trainings are between epochs: what is trained, what was best, when it ends; taken out and put back.

A `Loop` is one training, a `Stepper` takes the steps of an epoch, of one or of several as one, and `run_together` is
the loop itself.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Self

from torch import Tensor, nn

from qloom.errors import LossError
from qloom.fitting.random_states import Source, put_back, states_of, streams_of
from qloom.fitting.stages import EVERYTHING, Stage, Stages
from qloom.fitting.stepper import Stepper, Taken
from qloom.fitting.trained_parts import TrainedParts


class Loop(ABC):
    """One training, from its first epoch to its last.

    Args:
        module: trained in place; holds the best weights at the end.
        epochs: at most.
        patience: epochs without a lower validation loss after which training stops, counted from the last new stage;
            None for no end.
        stages: what is trained in an epoch; None for the same in all.
        stop: losses of the epochs so far -> whether that is enough.
        random: further sources of random numbers, beside the measured circuits, that are part of the state.

    Attributes:
        epoch: epochs done.
        best_epoch: the epoch of the lowest validation loss, from 1; the last one without validation.
        best_loss: the loss then.
        history: a record an epoch: epoch, stage, train_loss, validation_loss, validation_metric, seconds, and notes.
        losses: of the epochs so far.
    """

    remedy = "lower the optimizer's learning rate"  # for a loss that is no number

    def __init__(
        self, module: nn.Module, *, epochs: int, patience: int | None = None, stages: Stages | None = None,
        stop: Callable[[Sequence[float]], bool] | None = None, random: Sequence[Source] = (),
    ):  # fmt: skip
        self.module, self.epochs, self.patience, self.stages, self.stop = module, epochs, patience, stages, stop
        self.random = (*streams_of(module), *random)
        self._parts = None if stages is None else TrainedParts(module)
        self._last_new_stage = _last_new(stages, epochs) if stages is not None else 0
        self.epoch = self.best_epoch = 0
        self.best_loss = math.inf
        self.best: dict[str, Tensor] | None = None
        self.history: list[dict[str, Any]] = []
        self.losses: list[float] = []

    @abstractmethod
    def stepper(self, group: Sequence[Any]) -> Stepper:
        """What takes the steps of trainings of one kind, of which this is the first.

        Args:
            group: the trainings, this one first.
        """

    def kind(self) -> Hashable | None:
        """What trainings must have in common to be stepped as one in an epoch; None for one that goes alone."""
        return None

    def judged(self) -> tuple[float | None, float | None]:
        """Loss and score on what is not trained on, None without."""
        return None, None

    @abstractmethod
    def forget(self) -> None:
        """Let the optimizer forget former steps, which would move on what is frozen from now on."""

    @abstractmethod
    def optimizer_state(self) -> tuple[dict[str, Tensor], Any]:
        """The optimizer's tensors, under names that begin with "optimizer.", and its plain values."""

    @abstractmethod
    def restore_optimizer(self, tensors: Mapping[str, Tensor], plain: Any) -> None:
        """Put back what `optimizer_state` gave, among other tensors."""

    # -- epochs

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done, patience has run out or the losses say so."""
        if self.epoch >= self.epochs or (self.stop is not None and self.stop(self.losses)):
            return True
        return self.patience is not None and self.epoch - max(self.best_epoch, self._last_new_stage) >= self.patience

    @property
    def seconds(self) -> float:
        """Time spent on the epochs so far."""
        return float(sum(record["seconds"] for record in self.history))

    def stage(self, epoch: int) -> Stage:
        """What is trained in an epoch, from 0."""
        return EVERYTHING if self.stages is None else self.stages(epoch)

    def begin_epoch(self) -> bool:
        """Freeze what this epoch does not train; whether that changed, and the optimizer forgot its moments."""
        changed = self.epoch > 0 and self.stage(self.epoch) != self.stage(self.epoch - 1)
        if self._parts is not None:
            self._parts.take(self.stage(self.epoch))
        if changed:
            self.forget()
        if not self.module.training:
            self.module.train()
        return changed

    def end_epoch(self, taken: Taken, seconds: float) -> None:
        """Judge the weights, keep them if they are the best, and note the epoch down.

        Args:
            taken: what its steps gave.
            seconds: that they took.
        """
        start, title = time.perf_counter(), self.stage(self.epoch).title
        train_loss = self.finite(taken.loss)
        loss, metric = self.judged()
        self.epoch += 1
        if loss is None:
            self.best_loss, self.best_epoch, self.best = train_loss, self.epoch, None
        elif self.finite(loss) < self.best_loss:
            self.best_loss, self.best_epoch = loss, self.epoch
            self.best = _copied(self.module.state_dict())
        seconds += time.perf_counter() - start
        record = {"epoch": self.epoch, "stage": title, "train_loss": train_loss, "validation_loss": loss,
                  "validation_metric": metric, "seconds": seconds, **taken.notes}  # fmt: skip
        self.history.append(record)
        self.losses.append(train_loss)

    def finish(self) -> None:
        """Take the best weights, trained as at first."""
        if self.best is not None:
            self.module.load_state_dict(self.best)
        if self._parts is not None:
            self._parts.put_back()
        self.module.eval()

    def finite(self, loss: float) -> float:
        """The loss; LossError, which is a ConfigError, if it is infinite or NaN."""
        if not math.isfinite(loss):
            raise LossError(f"the loss is {loss} in epoch {self.epoch + 1}, expected a finite number; {self.remedy}")
        return loss

    # -- the state, out and in

    def tensors(self) -> dict[str, Tensor]:
        """Copies of the weights, the best weights and the moments of the optimizer."""
        state = self.module.state_dict()
        now = {f"now.{name}": value for name, value in _copied(state).items()}
        best = {f"best.{name}": value for name, value in _copied(self.best or state).items()}
        return {**now, **best, **self.optimizer_state()[0]}

    def record(self) -> dict[str, Any]:
        """All of the state that is no tensor, as plain JSON values; "random" is where random numbers are."""
        names = ("epoch", "best_epoch", "best_loss")
        others = {
            "history": [dict(epoch) for epoch in self.history],
            "random": states_of(self.random),
            "optimizer": self.optimizer_state()[1],
        }
        return {name: getattr(self, name) for name in names} | others

    def restore(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> Self:
        """Put back what `tensors` and `record` gave.

        Raises:
            ConfigError: if circuits are measured and the state has no random numbers for them, or the other way round.
        """
        put_back(self.random, record.get("random", []))
        self.module.load_state_dict(_under("now.", tensors))
        self.best = _copied(_under("best.", tensors))
        self.restore_optimizer(tensors, record.get("optimizer"))
        self.epoch, self.best_epoch, self.best_loss = (record[name] for name in ("epoch", "best_epoch", "best_loss"))
        self.history = list(record["history"])
        self.losses = [epoch["train_loss"] for epoch in self.history]
        return self


def _last_new(stages: Stages, epochs: int) -> int:
    """The epoch, from 0, in which the last of the stages has its first turn; patience begins there."""
    every = [stages(epoch) for epoch in range(epochs)]
    return max((every.index(stage) for stage in every), default=0)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in tensors.items()}
