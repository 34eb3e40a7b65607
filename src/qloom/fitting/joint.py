"""The steps of several trainings as one: modules of one architecture by `torch.func`, each with its own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._pytree import tree_map

from qloom.errors import ConfigError
from qloom.fitting.stepper import Stepper, Taken

if TYPE_CHECKING:
    from qloom.fitting.training import Training

# Optimizers that turn every number by itself: of stacked parameters they do what they do to each one's own.
STACKED = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


class Objective(nn.Module):
    """A module with its objective: a batch -> the loss."""

    def __init__(self, training: Training):
        super().__init__()
        self.module, self._objective = training.module, training.loss_of

    def forward(self, batch: Any) -> Tensor:
        return self._objective(batch)


class Joint(Stepper):
    """R trainings of modules that differ in numbers alone.

    Their parameters, buffers and moments look into the stacked ones, (R, ...), until they are released.
    """

    def __init__(self, trainings: Sequence[Training]):
        self.trainings = trainings
        names = [{name: tuple(p.shape) for name, p in t.module.named_parameters()} for t in trainings]
        if any(own != names[0] for own in names):
            raise ConfigError("trainings are called alike, and their modules have other parameters, expected the same")
        self._own = [dict(t.module.named_parameters()) for t in trainings]
        self._stacked: dict[str, Tensor] = {
            name: nn.Parameter(torch.stack([own[name].detach() for own in self._own]), first.requires_grad)
            for name, first in self._own[0].items()
        }
        buffers = [dict(t.module.named_buffers()) for t in trainings]
        self._buffers = {name: torch.stack([own[name] for own in buffers]) for name in buffers[0]}
        self._inside = [own | others for own, others in zip(self._own, buffers, strict=True)]
        for name, stacked in (self._stacked | self._buffers).items():
            for tensors, values in zip(self._inside, stacked.detach(), strict=True):
                tensors[name].data = values
        self._optimizer, self._linked = self._make_optimizer(), False
        self._losses = vmap(self._loss, randomness="error")
        self._objective = Objective(trainings[0])

    def _make_optimizer(self) -> torch.optim.Optimizer:
        """The first training's, of the stacked parameters with the moments of all."""
        first: Any = self.trainings[0].optimizer
        places = {id(parameter): name for name, parameter in self._own[0].items()}
        groups = [
            {**group, "params": [self._stacked[places[id(p)]] for p in group["params"]]} for group in first.param_groups
        ]
        made: torch.optim.Optimizer = type(first)(groups, lr=first.defaults["lr"])
        for name, stacked in self._stacked.items():
            states = [t.optimizer.state.get(own[name], {}) for t, own in zip(self.trainings, self._own, strict=True)]
            if states[0]:
                made.state[stacked] = {key: _stacked([state[key] for state in states]) for key in states[0]}
        return made

    def _loss(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Any) -> Tensor:
        inside = {f"module.{name}": value for name, value in (parameters | buffers).items()}
        return functional_call(self._objective, inside, (batch,))  # type: ignore[no-any-return]

    def run(self) -> list[Taken]:
        losses = list[Tensor]()
        for batches in zip(*(training.batches_now() for training in self.trainings), strict=True):
            batch = tree_map(lambda *parts: torch.stack(parts), *batches)
            losses.append(self._step(batch))
            self._link()
        means = torch.stack(losses).double().mean(0)
        return [Taken(mean) for mean in means.tolist()]

    def _step(self, batch: Any) -> Tensor:
        """Losses (R,) before a step."""
        for own, group in zip(self.trainings[0].optimizer.param_groups, self._optimizer.param_groups, strict=True):
            group["lr"] = own["lr"]
        losses = self._losses(self._stacked, self._buffers, batch)
        self._optimizer.zero_grad()
        losses.sum().backward()
        self._optimizer.step()
        return losses.detach()

    def _link(self) -> None:
        """Let the trainings' own moments look into the stacked ones, which are there after the first step."""
        if self._linked:
            return
        for name, stacked in self._stacked.items():
            state = self._optimizer.state.get(stacked, {})
            for k, (training, own) in enumerate(zip(self.trainings, self._own, strict=True)):
                if state:
                    training.optimizer.state[own[name]] = {key: _of(value, k) for key, value in state.items()}
        self._linked = True

    def release(self) -> None:
        for training, tensors in zip(self.trainings, self._inside, strict=True):
            for tensor in tensors.values():
                tensor.data = tensor.data.clone()
            for state in training.optimizer.state.values():
                state.update({key: value.clone() for key, value in state.items() if isinstance(value, Tensor)})


def _stacked(values: Sequence[Any]) -> Any:
    """Moments (R, ...); the count of steps is one for all."""
    first = values[0]
    if not isinstance(first, Tensor):
        return first
    return torch.stack(list(values)) if first.dim() else first.clone()


def _of(value: Any, k: int) -> Any:
    """One training's part of a moment."""
    return value[k] if isinstance(value, Tensor) and value.dim() else value
