"""The steps of several trainings as one: modules of one architecture by `torch.func`, each with its own numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import vmap

from qloom.errors import ConfigError
from qloom.fitting.stepper import Stepper, Taken

if TYPE_CHECKING:
    from qloom.fitting.training import Training

_functorch: Any = torch._C._functorch

# Optimizers that turn every number by itself: of stacked parameters they do what they do to each one's own.
STACKED = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


class Joint(Stepper):
    """R trainings of modules that differ in numbers alone.

    Their parameters, buffers and moments look into the stacked ones, (R, ...), until they are released.
    """

    def __init__(self, trainings: Sequence[Training]):
        self.trainings = trainings
        self._own = [dict(training.module.named_parameters()) for training in trainings]
        shapes = [{name: tuple(parameter.shape) for name, parameter in own.items()} for own in self._own]
        if any(each != shapes[0] for each in shapes):
            raise ConfigError("trainings are called alike, and their modules have other parameters, expected the same")
        self._inside = [own | dict(t.module.named_buffers()) for own, t in zip(self._own, trainings, strict=True)]
        self._stacked = {name: self._stack(name) for name in self._inside[0]}
        self._places = places_of(trainings[0].module, self._inside[0].values())
        self._optimizer, self._linked = self._make_optimizer(), False
        vmap(torch.neg)(torch.zeros(1))  # loads the rules that operators have under it

    def _stack(self, name: str) -> Tensor:
        """A parameter or buffer of all, into which each one's looks from then on."""
        stacked = torch.stack([tensors[name].detach() for tensors in self._inside])
        for tensors, values in zip(self._inside, stacked, strict=True):
            tensors[name].data = values
        return stacked.requires_grad_(self._inside[0][name].requires_grad)

    def _make_optimizer(self) -> torch.optim.Optimizer:
        """The first training's, of the stacked parameters with the moments of all."""
        first: Any = self.trainings[0].optimizer
        places = {id(parameter): name for name, parameter in self._own[0].items()}
        groups = [
            {**group, "params": [self._stacked[places[id(p)]] for p in group["params"]]} for group in first.param_groups
        ]
        made: torch.optim.Optimizer = type(first)(groups, lr=first.defaults["lr"])
        for name in self._own[0]:
            stacked = self._stacked[name]
            states = [t.optimizer.state.get(own[name], {}) for t, own in zip(self.trainings, self._own, strict=True)]
            if states[0]:
                made.state[stacked] = {key: stacked_moments([state[key] for state in states]) for key in states[0]}
        return made

    def _losses(self, batch: Any) -> Tensor:
        """Of the first training's objective with each one's numbers in the place of its own, (R,).

        This is `torch.func.vmap` without its questions about arguments, which take as long as all else here.
        """
        size, own = len(self.trainings), [[(*place, place[0][place[1]]) for place in places] for places in self._places]
        level = _functorch._vmap_increment_nesting(size, "error")
        try:
            for places, stacked in zip(self._places, self._stacked.values(), strict=True):
                tensor = _functorch._add_batch_dim(stacked, 0, level)
                for holder, key in places:
                    holder[key] = tensor
            loss = self.trainings[0].loss_of(mapped(batch, lambda parts: _functorch._add_batch_dim(parts, 0, level)))
            return _functorch._remove_batch_dim(loss, level, size, 0)  # type: ignore[no-any-return]
        finally:
            _functorch._vmap_decrement_nesting()
            for holder, key, tensor in chain.from_iterable(own):
                holder[key] = tensor

    def run(self) -> list[Taken]:
        losses = list[Tensor]()
        for batches in zip(*(training.batches_now() for training in self.trainings), strict=True):
            losses.append(self._step(stacked_batch(batches)))
            self._link()
        means = torch.stack(losses).double().mean(0)
        return [Taken(mean) for mean in means.tolist()]

    def _step(self, batch: Any) -> Tensor:
        """Losses (R,) before a step."""
        for own, group in zip(self.trainings[0].optimizer.param_groups, self._optimizer.param_groups, strict=True):
            group["lr"] = own["lr"]
        losses = self._losses(batch)
        for stacked in self._stacked.values():
            stacked.grad = None
        losses.backward(torch.ones_like(losses))
        self._optimizer.step()
        return losses.detach()

    def _link(self) -> None:
        """Let the trainings' own moments look into the stacked ones, which are there after the first step."""
        if self._linked:
            return
        for name in self._own[0]:
            state = self._optimizer.state.get(self._stacked[name], {})
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


def places_of(module: nn.Module, tensors: Iterable[Tensor]) -> list[list[tuple[dict[str, Any], str]]]:
    """Where a module holds each of its tensors: a shared one has several places."""
    found: dict[int, list[tuple[dict[str, Any], str]]] = {}
    for part in module.modules():
        for holder in (part._parameters, part._buffers):
            for key, tensor in holder.items():
                found.setdefault(id(tensor), []).append((holder, key))
    return [found[id(tensor)] for tensor in tensors]


def stacked_batch(batches: Sequence[Any]) -> Any:
    """Batches of one structure: tensors stacked, in tuples, lists and dictionaries as before."""
    first = batches[0]
    if isinstance(first, Tensor):
        return torch.stack(list(batches))
    if isinstance(first, Mapping):
        return {key: stacked_batch([batch[key] for batch in batches]) for key in first}
    if isinstance(first, tuple | list):
        return tuple(stacked_batch(parts) for parts in zip(*batches, strict=True))
    raise ConfigError(f"batches hold a {type(first).__name__}, expected tensors, for trainings that are stepped as one")


def mapped(batch: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A stacked batch with its tensors changed."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, dict):
        return {key: mapped(part, change) for key, part in batch.items()}
    return tuple(mapped(part, change) for part in batch)


def stacked_moments(values: Sequence[Any]) -> Any:
    """Moments (R, ...); the count of steps is one for all."""
    first = values[0]
    if not isinstance(first, Tensor):
        return first
    return torch.stack(list(values)) if first.dim() else first.clone()


def _of(value: Any, k: int) -> Any:
    """One training's part of a moment."""
    return value[k] if isinstance(value, Tensor) and value.dim() else value
