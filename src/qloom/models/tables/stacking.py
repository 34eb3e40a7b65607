"""R hybrid networks of one architecture trained as one: a pass over the rows of each, step by step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from qloom import _native
from qloom.engines.base import Engine
from qloom.errors import UnsupportedError
from qloom.fitting.workers import ALONE, Workers
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.losses import Loss
from qloom.models.tables.rows import Rows
from qloom.models.tables.stacked_layers import (
    ROWS,
    Batch,
    Moments,
    OneByOne,
    Spring,
    StackedCircuits,
    StackedLayer,
    StackedWeights,
    kind_of,
)
from qloom.nn import QuantumLayer

# Few enough to stay in the processor's caches.
_ROWS_AT_ONCE = 4096


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
        workers: each walks its share of the rows of a step, and all take the same step.
        springs: of parameters of all networks, each with its own; none for an empty one.

    Raises:
        UnsupportedError: for several workers, where the rows of a step cannot be told apart: in measured circuits and
            modules that are not known here.

    Source: Loshchilov and Hutter 2019, International Conference on Learning Representations (AdamW).
    """

    def __init__(
        self, networks: Sequence[HybridNetwork], moments: Sequence[Moments], loss: Loss, weight_decay: float,
        workers: Workers = ALONE, springs: Mapping[Tensor, Spring] = {},
    ):  # fmt: skip
        self.networks, self.moments, self.loss, self.workers, self.springs = networks, moments, loss, workers, springs
        self.layers = [kind_of(parts[0])[0](parts) for parts in zip(*map(_parts, networks), strict=True)]
        seen = False
        for layer in self.layers:
            layer.onward, seen = seen, seen or layer.trained
        if workers.count > 1:
            _check_alike(self.layers, workers)
        self._sums, self._losses = self._joined(len(networks))
        middle = self.layers[1]
        self.circuit = middle.weights if middle.trained and isinstance(networks[0].layer, QuantumLayer) else None
        self._n_steps = steps_done(moments[0])
        self._steps = torch.tensor(self._n_steps)  # in the moments; up to date after each pass over the rows
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
        for step, (numbers, counts, before) in enumerate(_gathered(rows, batches, self.workers)):
            losses.append(self._step(*numbers, Batch(counts, random, before), rate(step)))
            if self.circuit is not None:
                squares += torch.linalg.vecdot(self.circuit.slopes, self.circuit.slopes)
        self._steps.fill_(self._n_steps)
        of_all = torch.tensor([[len(batch) for batch in each] for each in batches])
        means = (torch.stack(losses, 1).double() * of_all).sum(1) / of_all.sum(1)
        return means, squares / len(losses)

    def release(self) -> None:
        """Give the networks their parameters and moments back."""
        for layer in self.layers:
            if layer.weights is not None:
                layer.weights.release()
        for states in self.moments:
            for state in states.values():
                state.update({name: moment.clone() for name, moment in state.items() if name != "step"})

    def _step(self, x: Tensor, y: Tensor, shares: Tensor, batch: Batch, rate: float) -> Tensor:
        """One step of AdamW; the mean losses (R,) before it."""
        for layer in self.layers:
            x = layer.forward(x, batch)
        outputs, targets = x.flatten(0, 1), y.flatten()
        losses = self.loss.of_rows(outputs, targets).view(shares.shape)
        slopes: Tensor | None = self.loss.slopes(outputs, targets).view(x.shape) * shares.unsqueeze(-1)
        for layer in reversed(self.layers):
            slopes = layer.backward(slopes, batch) if slopes is not None else None
        torch.sum(losses * shares, 1, out=self._losses)
        self.workers.add(self._sums)
        self._update(rate)
        return self._losses.clone()

    def _update(self, rate: float) -> None:
        """AdamW, with one count of steps for all: networks of a stack have taken as many."""
        self._n_steps += 1
        for weights, moments, decay, spring in self._updates:
            if spring is not None:
                weights.slopes.addcmul_(spring.stiffness, weights.values - spring.anchor)
            _native.adamw(weights.values, weights.slopes, *moments, rate, decay, self._n_steps)

    def _joined(self, n_networks: int) -> tuple[Tensor, Tensor]:
        """One tensor of all that is summed over workers in a step: slopes of what is trained, and the losses (R,)."""
        trained = [layer.weights for layer in self.layers if layer.weights is not None and layer.trained]
        sizes = [weights.slopes.numel() for weights in trained]
        whole = torch.zeros(sum(sizes) + n_networks)
        *slopes, losses = whole.split([*sizes, n_networks])
        for weights, place in zip(trained, slopes, strict=True):
            weights.slopes = place.view_as(weights.slopes)
        return whole, losses

    def _optimized(
        self, weights: StackedWeights, decay: float
    ) -> tuple[StackedWeights, tuple[Tensor, Tensor], float, Spring | None]:
        """What a step takes of a layer."""
        moments = weights.moments(self.moments, "exp_avg"), weights.moments(self.moments, "exp_avg_sq")
        for states, parameters in zip(self.moments, weights.own, strict=True):
            for parameter in parameters:
                states[parameter]["step"] = self._steps
        return weights, moments, decay, self._spring(weights)

    def _spring(self, weights: StackedWeights) -> Spring | None:
        if not self.springs:
            return None
        springs = [[self.springs[parameter] for parameter in parameters] for parameters in weights.own]
        return Spring(*(weights.joined([[each[k] for each in of_one] for of_one in springs]) for k in range(2)))


def _gathered(
    rows: Sequence[Rows], batches: Sequence[Sequence[Tensor]], workers: Workers
) -> Iterator[tuple[tuple[Tensor, Tensor, Tensor], list[int], list[int]]]:
    """Of each step this worker's numbers, targets and shares in the mean loss, zeros after them.

    With them come, of each network, how many rows these are and how many stand before them in the step. A worker that
    no row is left for has one of zeros, whose share is 0. Steps of equal batches, all but perhaps the last, are
    gathered some at a time.

    Shapes: (R, B, F), (R, B), (R, B).
    """
    counts = [list(map(len, step)) for step in zip(*batches, strict=True)]
    size, n_steps = filled(max(counts[0])), len(counts)
    n_equal = n_steps - (counts[-1] != counts[0])
    for start, end in pairwise(sorted({*range(0, n_equal, max(1, _ROWS_AT_ONCE // size)), n_equal, n_steps})):
        own = [workers.share(count) for count in counts[start]]
        before, n_own = [first for first, _ in own], [max(1, n) for _, n in own]
        places = end - start, len(rows), filled(max(n_own))
        x, y = rows[0].x.new_zeros(*places, rows[0].x.shape[1]), rows[0].y.new_zeros(places)
        shares = x.new_zeros(places)
        for k, (each, count, (first, n)) in enumerate(zip(rows, counts[start], own, strict=True)):
            if not n:
                continue
            chosen = torch.cat([batch[first : first + n] for batch in batches[k][start:end]])
            x[:, k, :n] = each.x.index_select(0, chosen).view(end - start, n, -1)
            y[:, k, :n] = each.y.index_select(0, chosen).view(end - start, n)
            weights = 1 if each.weights is None else each.weights.index_select(0, chosen).view(end - start, n)
            shares[:, k, :n] = weights / count
        for step in zip(x, y, shares, strict=True):
            yield step, n_own, before


def _check_alike(layers: Sequence[StackedLayer], workers: Workers) -> None:
    """Refuse what would not be the same on several workers."""
    for layer in layers:
        if isinstance(layer, OneByOne):
            name = type(layer.modules[0]).__name__
            raise UnsupportedError(
                f"a {name} is trained by {workers.count} workers, expected 1: its rows may not be apart"
            )
        if isinstance(layer, StackedCircuits):
            check_exact(layer.modules[0].engine, workers)


def check_exact(engine: Engine, workers: Workers) -> None:
    """Refuse several workers for circuits whose values depend on the rows of a call, beside their own."""
    if workers.count > 1 and not engine.is_exact:
        raise UnsupportedError(
            f"{workers.count} workers for circuits whose values are drawn or cut, by the rows that a call has, got no "
            "exact ones; leave out --workers, or train by exact values and refine by others"
        )


def steps_done(moments: Moments) -> float:
    """Steps that the moments are of."""
    return max((float(state["step"]) for state in moments.values() if "step" in state), default=0.0)


def _parts(network: HybridNetwork) -> tuple[nn.Module, nn.Module, nn.Module]:
    return network.encoder, network.layer, network.head


def filled(count: int) -> int:
    """Rows of a step in a stack."""
    return -(-count // ROWS) * ROWS
