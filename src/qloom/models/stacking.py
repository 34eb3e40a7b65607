"""R hybrid networks of one architecture trained as one: a pass over the rows of each, step by step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from qloom import _native
from qloom.models.hybrid import HybridNetwork
from qloom.models.losses import Loss
from qloom.models.stacked_layers import ROWS, Batch, Moments, OneByOne, StackedWeights, kind_of
from qloom.nn import QuantumLayer

if TYPE_CHECKING:
    from qloom.models.fitting import Rows


def architecture_of(network: HybridNetwork) -> Hashable | None:
    """What networks of one stack have in common; None for one with a part that is not known here."""
    kinds = [kind_of(part) for part in _parts(network)]
    return None if any(kind is OneByOne for kind, _ in kinds) else tuple(kinds)


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
        self.layers = [kind_of(parts[0])[0](parts) for parts in zip(*map(_parts, networks), strict=True)]
        seen = False
        for layer in self.layers:
            layer.onward, seen = seen, seen or layer.trained
        self.circuit = self.layers[1].weights if isinstance(networks[0].layer, QuantumLayer) else None
        self._steps = torch.tensor(steps_done(moments[0]))
        self._updates = [
            self._optimized(layer.weights, decay)
            for layer, decay in zip(self.layers, (weight_decay, 0.0, weight_decay), strict=True)
            if layer.weights is not None and layer.trained
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
        for layer in self.layers:
            if layer.weights is not None:
                layer.weights.release()
        for states in self.moments:
            for state in states.values():
                state.update({name: moment.clone() for name, moment in state.items() if name != "step"})

    def _gathered(self, rows: Sequence[Rows], indices: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Numbers, targets and shares in the mean loss of a batch of each network, zeros after them.

        Shapes: (R, B, F), (R, B), (R, B).
        """
        first, size = rows[0], filled(max(map(len, indices)))
        x, y = first.x.new_empty(len(rows), size, first.x.shape[1]), first.y.new_empty(len(rows), size)
        shares = first.x.new_empty(len(rows), size)
        for k, (each, chosen) in enumerate(zip(rows, indices, strict=True)):
            count = len(chosen)
            for place, given in ((x[k], each.x), (y[k], each.y)):
                torch.index_select(given, 0, chosen, out=place[:count])
            shares[k, :count] = 1 / count if each.weights is None else each.weights[chosen] / count
            for place in (x[k], y[k], shares[k]) if count < size else ():
                place[count:] = 0
        return x, y, shares

    def _step(self, x: Tensor, y: Tensor, shares: Tensor, batch: Batch, rate: float) -> Tensor:
        """One step of AdamW; the mean losses (R,) before it."""
        for layer in self.layers:
            x = layer.forward(x, batch)
        outputs, targets = x.flatten(0, 1), y.flatten()
        losses = self.loss.of_rows(outputs, targets).view(shares.shape)
        slopes: Tensor | None = self.loss.slopes(outputs, targets).view(x.shape) * shares.unsqueeze(-1)
        for layer in reversed(self.layers):
            slopes = layer.backward(slopes, batch) if slopes is not None else None
        self._update(rate)
        return (losses * shares).sum(1)

    def _update(self, rate: float) -> None:
        """AdamW, with one count of steps for all: networks of a stack have taken as many."""
        self._steps += 1
        n_steps = float(self._steps)
        for weights, moments, decay in self._updates:
            _native.adamw(weights.values, weights.slopes, *moments, rate, decay, n_steps)

    def _optimized(self, weights: StackedWeights, decay: float) -> tuple[StackedWeights, tuple[Tensor, Tensor], float]:
        """What AdamW takes of a layer."""
        moments = weights.moments(self.moments, "exp_avg"), weights.moments(self.moments, "exp_avg_sq")
        for states, parameters in zip(self.moments, weights.own, strict=True):
            for parameter in parameters:
                states[parameter]["step"] = self._steps
        return weights, moments, decay


def steps_done(moments: Moments) -> float:
    """Steps that the moments are of."""
    return max((float(state["step"]) for state in moments.values() if "step" in state), default=0.0)


def _parts(network: HybridNetwork) -> tuple[nn.Module, nn.Module, nn.Module]:
    return network.encoder, network.layer, network.head


def filled(count: int) -> int:
    """Rows of a step in a stack."""
    return -(-count // ROWS) * ROWS
