"""R hybrid networks of one architecture trained as one: a pass over the rows of each, step by step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom.models.hybrid import HybridNetwork
from qloom.models.losses import Loss
from qloom.models.stacked_layers import (
    ROWS,
    STACKED,
    Batch,
    OneByOne,
    StackedLayer,
    StackedLinear,
    StackedParameter,
    cropped,
)

if TYPE_CHECKING:
    from qloom.models.fitting import Rows

# Features are filled up to a multiple of this, so that tables of nearly as many stand in one stack.
FEATURES = 16
_MOMENTS = ("exp_avg", "exp_avg_sq")


def architecture_of(network: HybridNetwork) -> Hashable | None:
    """What networks of one stack have in common; None for one that holds a module which is not known here."""
    modules = list(_flat(network))
    if any(type(module) not in STACKED for module in modules):
        return None
    found = [(type(module).__name__, *STACKED[type(module)][1](module)) for module in modules]
    if isinstance(modules[0], nn.Linear):
        found[0] = ("first", _up_to(modules[0].in_features, FEATURES), modules[0].out_features)
    return tuple(found)


# Of every parameter of a network that was trained: exp_avg and exp_avg_sq, shaped as it is, and step, ().
Moments = dict[Tensor, dict[str, Tensor]]


class Stack:
    """Networks of one architecture as one, with the moments of AdamW.

    The networks' parameters and moments look into the stack until it is released, so they are always up to date.

    Args:
        networks: of one `architecture_of`, the same parts of each trained.
        moments: of each, none before the first step.
        loss: what they are trained for.
        weight_decay: of all weights but those of the middle layer.

    Source: Loshchilov and Hutter 2019, International Conference on Learning Representations (AdamW).
    """

    def __init__(
        self, networks: Sequence[HybridNetwork], moments: Sequence[Moments], loss: Loss, weight_decay: float
    ):  # fmt: skip
        self.networks, self.moments, self.loss = networks, moments, loss
        columns = list(zip(*map(_flat, networks), strict=True))
        self.layers = [_stacked(modules, first=k == 0) for k, modules in enumerate(columns)]
        seen = False
        for layer in self.layers:
            layer.onward, seen = seen, seen or layer.trained
        self.circuit = next((p for p in self._parameters() if p.own[0] is _weights_of(networks[0])), None)
        self._steps = torch.tensor(steps_done(moments[0]))
        middle = set(networks[0].layer.parameters())
        trained = [parameter for parameter in self._parameters() if parameter.trained]
        outer = [parameter for parameter in trained if parameter.own[0] not in middle]
        inner = [parameter for parameter in trained if parameter.own[0] in middle]
        self._updates = [
            (self._lists(parameters), decay)
            for parameters, decay in ((outer, weight_decay), (inner, 0.0))
            if parameters
        ]

    def run(
        self, rows: Sequence[Rows], batches: Sequence[Sequence[Tensor]], random: Sequence[np.random.Generator],
        rate: Callable[[int], float],
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """A step for each batch of indices, of each network at once.

        Args:
            rows: of each network.
            batches: of each network, as many, each filled up to the same size.
            random: for dropout, of each network.
            rate: learning rate of a step, from 0.

        Shapes: mean losses (R,), and means over the steps of the squared slopes of the circuit's weights, summed, (R,).
        """
        losses, squares = list[Tensor](), torch.zeros(len(rows))
        for step, indices in enumerate(zip(*batches, strict=True)):
            batch = Batch([len(each) for each in indices], random)
            losses.append(self._step(*self._gathered(rows, indices), batch, rate(step)))
            if self.circuit is not None and self.circuit.trained:
                squares += torch.linalg.vecdot(self.circuit.slopes, self.circuit.slopes)
        counts = torch.tensor([[len(batch) for batch in each] for each in batches])
        means = (torch.stack(losses, 1).double() * counts).sum(1) / counts.sum(1)
        return means, squares / len(losses)

    def release(self) -> None:
        """Give the networks their parameters and moments back."""
        for parameter in self._parameters():
            parameter.release()
            for moments, own in zip(self.moments, parameter.own, strict=True):
                for name, moment in moments.get(own, {}).items():
                    moments[own][name] = moment.clone(memory_format=torch.contiguous_format)

    def _parameters(self) -> Iterator[StackedParameter]:
        return (parameter for layer in self.layers for parameter in layer.parameters)

    def _gathered(self, rows: Sequence[Rows], indices: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Numbers, targets and shares in the mean loss of a batch of each network, zeros after them.

        Shapes: (R, B, F), (R, B), (R, B).
        """
        first, size = rows[0], filled(max(map(len, indices)))
        linear = isinstance(self.layers[0], StackedLinear)
        n_features = self.layers[0].parameters[0].shape[1] if linear else first.x.shape[1]
        x, y = first.x.new_zeros(len(rows), size, n_features), first.y.new_zeros(len(rows), size)
        shares = first.x.new_zeros(len(rows), size)
        for k, (each, chosen) in enumerate(zip(rows, indices, strict=True)):
            count = len(chosen)
            x[k, :count, : each.x.shape[1]] = each.x.index_select(0, chosen)
            y[k, :count] = each.y.index_select(0, chosen)
            shares[k, :count] = 1 / count if each.weights is None else each.weights[chosen] / count
        return x, y, shares

    def _step(self, x: Tensor, y: Tensor, shares: Tensor, batch: Batch, rate: float) -> Tensor:
        """One step of AdamW; the mean losses (R,) before it."""
        for layer in self.layers:
            x = layer.forward(x, batch)
        outputs = x.flatten(0, 1).requires_grad_()
        losses = self.loss.of_rows(outputs, y.flatten())
        slopes: Tensor | None = torch.autograd.grad(losses, outputs, shares.flatten())[0].view(x.shape)
        for layer in reversed(self.layers):
            slopes = layer.backward(slopes, batch) if slopes is not None else None
        self._update(rate)
        return (losses.detach().view(shares.shape) * shares).sum(1)

    def _update(self, rate: float) -> None:
        """AdamW, with one count of steps for all: networks of a stack have taken as many."""
        with torch.no_grad():
            self._steps += 1
            for (values, slopes, firsts, seconds), decay in self._updates:
                torch._fused_adamw_(
                    values, slopes, firsts, seconds, [], [self._steps] * len(values), lr=rate, weight_decay=decay,
                    beta1=0.9, beta2=0.999, eps=1e-8, amsgrad=False, maximize=False,
                )  # fmt: skip

    def _lists(self, parameters: Sequence[StackedParameter]) -> tuple[list[Tensor], ...]:
        """What AdamW takes: each network's weights are tensors of their own, as if it stood alone."""
        values, slopes, firsts, seconds = (list[Tensor]() for _ in range(4))
        for parameter in parameters:
            states = [moments.setdefault(own, {}) for moments, own in zip(self.moments, parameter.own, strict=True)]
            for name, found in zip(_MOMENTS, (firsts, seconds), strict=True):
                first = [state.get(name, torch.zeros_like(p)) for state, p in zip(states, parameter.own, strict=True)]
                whole = parameter.gathered(first)
                found.extend(whole)
                for state, own, moment in zip(states, parameter.own, whole, strict=True):
                    state[name] = cropped(moment, own)
            for state in states:
                state["step"] = self._steps
            values.extend(parameter.values)
            slopes.extend(parameter.slopes)
        return values, slopes, firsts, seconds


def steps_done(moments: Moments) -> float:
    """Steps that the moments are of."""
    return max((float(state["step"]) for state in moments.values() if "step" in state), default=0.0)


def _flat(network: HybridNetwork) -> Iterator[nn.Module]:
    for part in (network.encoder, network.layer, network.head):
        yield from _unwrapped(part)


def _unwrapped(module: nn.Module) -> Iterator[nn.Module]:
    if type(module) is nn.Sequential:
        for inner in module:
            yield from _unwrapped(inner)
    elif type(module) is not nn.Identity:
        yield module


def _stacked(modules: Sequence[Any], first: bool) -> StackedLayer:
    kind = type(modules[0])
    if first and kind is nn.Linear:
        return StackedLinear(modules, _up_to(max(module.in_features for module in modules), FEATURES))
    return STACKED[kind][0](modules) if kind in STACKED else OneByOne(modules)


def _weights_of(network: HybridNetwork) -> nn.Parameter | None:
    return getattr(network.layer, "weights", None)


def filled(count: int) -> int:
    """Rows of a step in a stack."""
    return _up_to(count, ROWS)


def _up_to(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple
