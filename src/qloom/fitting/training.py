"""The training of any module, for any objective, on any batches."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import nullcontext
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from qloom.errors import ConfigError
from qloom.fitting.joint import STACKED, Joint
from qloom.fitting.loop import Loop
from qloom.fitting.random_states import Source, seeded_torch
from qloom.fitting.rates import Rate
from qloom.fitting.saved import put_together, taken_apart
from qloom.fitting.stages import Stages
from qloom.fitting.stepper import Stepper, Taken
from qloom.fitting.together import run_together
from qloom.fitting.workers import ALONE, Workers

# The module and a batch, as it came, -> the loss, ().
Objective = Callable[[Any, Any], Tensor]
Batches = Iterable[Any] | Callable[[int], Iterable[Any]]


class Training(Loop):
    """One training of a module: no encoder, head or table is asked for:

        training = Training(layer, objective, batches, torch.optim.Adam(layer.parameters(), 0.05), epochs=50)
        training.run()

    An epoch is what `batches` gives in one walk: a pass over a table, an hour of a stream, or a single batch. What an
    epoch gives must be a function of its number, of `seed` and of `random`; then a training that is taken out with
    `tensors()` and `record()` after an epoch and put back with `restore` ends as if it had never stopped.

    Args:
        module: trained in place; holds the best weights at the end, the last ones without validation.
        objective: the module and a batch -> the loss, ().
        batches: an iterable that is walked through in every epoch, such as a list or a DataLoader; or a function of
            the epoch, from 0, that gives one.
        optimizer: of the module's parameters, torch's or one of `qloom.optimizers`.
        epochs: at most.
        rate: epochs done, with the part of the present one where `batches` has a length -> the learning rate; None
            leaves it as it is.
        stages: the epoch, from 0 -> what is trained in it; None for the same in all.
        validation: batches the module is judged by, by the mean of their losses.
        judge: the module -> a score for the history.
        patience: epochs without a lower validation loss after which training stops; None for no end.
        stop: losses of the epochs so far -> whether that is enough.
        random: generators that batches or the objective draw from, taken out and put back with the rest; those of
            measured circuits are found.
        seed: of torch's own generator in each epoch, for modules and loaders that draw from it; None leaves it alone.
        alike: trainings of equal `alike`, in `run_together`, are stepped as one by `torch.func`. Their modules differ
            in numbers alone, their objectives in nothing but the module, and their batches are alike in shape.
        workers: processes that each have this training, with batches of their own. Losses are means over them, so that
            all keep the same best weights and stop alike; gradients are for the module to share, wrapped by torch's
            DistributedDataParallel or sharded by `fully_shard`, with `Workers.replicate` for what stays whole.

    Raises:
        ConfigError: for an optimizer of other parameters, batches that give nothing, a loss that is no finite number.
    """

    def __init__(
        self, module: nn.Module, objective: Objective, batches: Batches, optimizer: Optimizer, *, epochs: int,
        rate: Rate | None = None, stages: Stages | None = None, validation: Batches | None = None,
        judge: Callable[[Any], float] | None = None, patience: int | None = None,
        stop: Callable[[Sequence[float]], bool] | None = None, random: Sequence[Source] = (), seed: int | None = 0,
        alike: Hashable | None = None, workers: Workers = ALONE,
    ):  # fmt: skip
        super().__init__(module, epochs=epochs, patience=patience, stages=stages, stop=stop, random=random)
        own = {id(parameter) for parameter in module.parameters()}
        if not all(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
            raise ConfigError(
                "the optimizer has parameters that are not the module's, expected only its own; make it of "
                "module.parameters()"
            )
        self.objective, self.batches, self.optimizer, self.rate = objective, batches, optimizer, rate
        self.validation, self.judge, self.seed, self.alike = validation, judge, seed, alike
        self.workers = workers

    def run(self, watch: Callable[[Self], None] | None = None) -> Self:
        """Train until done; `watch` is called after every epoch, when the state is whole."""
        run_together([self], None if watch is None else lambda _, training: watch(training))
        return self

    def stepper(self, group: Sequence[Training]) -> Stepper:
        return Joint(group) if len(group) > 1 else Alone(self)

    def kind(self) -> Hashable | None:
        if self.alike is None or self.seed is not None or type(self.optimizer) not in STACKED:
            return None
        if self.workers.count > 1:  # gradients are shared as each training's own backward goes
            return None
        return self.alike, len(self.losses), self.stage(self.epoch)

    def judged(self) -> tuple[float | None, float | None]:
        if self.validation is None and self.judge is None:
            return None, None
        self.module.eval()
        with torch.no_grad():
            score = None if self.judge is None else float(self.judge(self.module))
            if self.validation is None:
                return None, score
            losses = [float(self.objective(self.module, batch)) for batch in _walked(self.validation, self.epoch)]
        if not losses:
            raise ConfigError("validation gave no batch, expected at least one; leave it out to train without")
        return self.workers.mean(sum(losses) / len(losses)), score

    def batches_now(self) -> Iterator[Any]:
        """The batches of this epoch, with the learning rate set for each.

        Raises:
            ConfigError: where there is none.
        """
        batches, step = _walked(self.batches, self.epoch), -1
        n_steps = len(batches) if isinstance(batches, Sized) else None
        for step, batch in enumerate(batches):
            if self.rate is not None:
                for group in self.optimizer.param_groups:
                    group["lr"] = self.rate(self.epoch + (step / n_steps if n_steps else 0))
            yield batch
        if step < 0:
            raise ConfigError(
                f"batches gave nothing in epoch {self.epoch + 1}, expected at least one batch; give a list, a "
                "DataLoader or a function of the epoch, not a generator, which is walked through once"
            )

    def loss_of(self, batch: Any) -> Tensor:
        """The objective's number.

        Raises:
            ConfigError: for an objective that gives no single number.
        """
        loss = self.objective(self.module, batch)
        if not isinstance(loss, Tensor) or loss.dim():
            given = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
            raise ConfigError(f"the objective gave {given}, expected a tensor of one number; take its mean")
        return loss

    def forget(self) -> None:
        self.optimizer.state.clear()

    def optimizer_state(self) -> tuple[dict[str, Tensor], Any]:
        tensors: dict[str, Tensor] = {}
        return tensors, taken_apart(self.optimizer.state_dict(), "optimizer", tensors)

    def restore_optimizer(self, tensors: Mapping[str, Tensor], plain: Any) -> None:
        if plain is None:
            raise ConfigError("the state has no optimizer, expected one that tensors() and record() gave")
        self.optimizer.load_state_dict(put_together(plain, tensors))


class Alone(Stepper):
    """The steps of one training, by autograd and its optimizer."""

    def __init__(self, training: Training):
        self.training = training

    def run(self) -> list[Taken]:
        training, losses = self.training, list[float]()
        with nullcontext() if training.seed is None else seeded_torch(training.seed, training.epoch):
            for batch in training.batches_now():
                losses.append(float(training.optimizer.step(partial(self._closure, batch))))  # type: ignore[arg-type]
        return [Taken(training.workers.mean(sum(losses) / len(losses)))]

    def _closure(self, batch: Any) -> Tensor:
        """The loss, and its gradients where the optimizer wants some: one that does not asks under no_grad."""
        loss = self.training.loss_of(batch)
        if torch.is_grad_enabled():
            self.training.optimizer.zero_grad()
            loss.backward()
        return loss.detach()


def _walked(batches: Batches, epoch: int) -> Iterable[Any]:
    return batches(epoch) if callable(batches) else batches
