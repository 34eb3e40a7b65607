"""Layers made of circuits: what freezing parts saves, and an orthogonal map of activations beside a dense one.

Run: python -m benchmarks.engine.layers
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

import qloom as ql
from benchmarks.cases import Case, run
from benchmarks.engine.ratios import ratio
from qloom.benchmarking import Work

WORK = Work(10, 128, 4)
ACTIVATIONS = (64, 512, 1024)  # batch, sequence, features


def step(weights: bool, inputs: bool) -> Callable[[], Any]:
    """A training step in which only these are trained."""
    layer = WORK.layer()
    x, target = (tensor.detach() for tensor in WORK.tensors())
    layer.weights.requires_grad_(weights)
    x.requires_grad_(inputs)
    shift = torch.zeros(1, requires_grad=True)  # something to train behind the layer

    def one() -> None:
        (layer(x) + shift - target).square().mean().backward()

    one()
    assert (layer.weights.grad is not None) == weights
    assert (x.grad is not None) == inputs
    return one


def frozen(weights: bool, inputs: bool) -> Callable[[], Any]:
    """The time of a step with these trained, to that with both."""
    return partial(ratio, step(weights, inputs), step(True, True))


def orthogonal(n_layers: int) -> Callable[[], Any]:
    """A forward and a backward walk of `QuantumLinear` over all activations."""
    layer = ql.nn.QuantumLinear(ACTIVATIONS[-1], n_layers, seed=0)
    x = torch.randn(ACTIVATIONS, requires_grad=True, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer(x[:1, :2]), x[:1, :2] @ layer.matrix().T)
    return lambda: layer(x).backward(x.detach())


def dense() -> Callable[[], Any]:
    """The same of nn.Linear."""
    layer = torch.nn.Linear(ACTIVATIONS[-1], ACTIVATIONS[-1], bias=False)
    x = torch.randn(ACTIVATIONS, requires_grad=True, generator=torch.Generator().manual_seed(0))
    return lambda: layer(x).backward(x.detach())


SIZE = {"n": WORK.n_qubits, "batch": WORK.batch, "layers": WORK.n_layers}
ROWS = {"batch": ACTIVATIONS[0], "sequence": ACTIVATIONS[1], "features": ACTIVATIONS[2]}
# Without slopes of the rotations the walk back needs 4 n + 8 multiply-adds an amplitude for 6 n + 10, 0.77 of a step,
# but loads and stores as many: it takes 1.9 to 2.0 forward walks for 2.3 to 2.7, 0.82 to 0.90 of a step.
CASES = [
    Case("step without the inputs' gradient", SIZE, partial(frozen, True, False), unit="of a whole step", goal=1.0),
    Case("step with frozen weights", SIZE, partial(frozen, False, True), unit="of a whole step", goal=0.8),
    Case("step with all of the layer frozen", SIZE, partial(frozen, False, False), unit="of a whole step", goal=0.5),
    *(Case("orthogonal map", {**ROWS, "layers": n}, partial(orthogonal, n), goal=1000.0, least=3) for n in (1, 2, 4)),
    Case("dense map", ROWS, dense, least=3),
]

if __name__ == "__main__":
    run("layers", CASES)
