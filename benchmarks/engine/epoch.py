"""An epoch of training: 24,000 rows, 8 qubits, 4 layers, 94 steps of 256 rows with Adam, the data loading included.

The model is one `QuantumLayer` of 96 weights whose first output learns a number. Plain torch code takes a batch by one
index of a tensor; a DataLoader does the same where it is given batches of indices to sample, which its default, row by
row, is not. The project's loop adds a learning rate a step and the best weights; in the hybrid network an encoder with
dropout and a head stand around the layer.

Run: python -m benchmarks.engine.epoch
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from benchmarks.cases import Case, run
from benchmarks.checks import check_step
from qloom.benchmarking import Work
from qloom.engines import Batch, StatevectorEngine
from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.rows import Rows
from qloom.models.threads import torch_threads
from qloom.nn import QuantumLayer

N_ROWS = 24_000
WORK = Work(8, 256, 4)
GOAL_MS = 150.0


def make_rows() -> Rows:
    """Angles (N_ROWS, n) and a number (N_ROWS,) that the layer can learn."""
    x = torch.empty(N_ROWS, WORK.n_qubits).uniform_(-3, 3, generator=torch.Generator().manual_seed(0))
    return Rows(x, x[:, 0].cos() * x[:, 1].cos())


def indexed(rows: Rows) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches in a random order, each taken by one index."""
    return ((rows.x[batch], rows.y[batch]) for batch in torch.randperm(N_ROWS).split(WORK.batch))


def loaded(rows: Rows) -> DataLoader[Any]:
    """The same by a DataLoader whose samples are whole batches."""
    data = TensorDataset(*rows)
    return DataLoader(data, sampler=BatchSampler(RandomSampler(data), WORK.batch, drop_last=False), batch_size=None)


def plain_epoch(layer: nn.Module, rows: Rows, batches: Callable[[Rows], Any]) -> Callable[[], float]:
    """An epoch as a user of torch writes it; it gives back the mean loss."""
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)

    def epoch() -> float:
        total = torch.zeros(())
        for x, y in batches(rows):
            loss = mse_loss(layer(x)[:, 0], y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(y)
        return float(total) / N_ROWS

    return epoch


def loop_epoch(network: HybridNetwork, rows: Rows) -> Callable[[], float]:
    """An epoch by the project's own loop."""
    recipe, none = Recipe(epochs=1, batch_size=WORK.batch, learning_rate=0.01), Rows(rows.x[:0], rows.y[:0])

    def epoch() -> float:
        with torch_threads(1):  # as the table models do: the circuit has the threads
            return Fit(network, "regression", recipe).run(rows, none).history[-1]["train_loss"]

    return epoch


def engine_epoch(layer: QuantumLayer, rows: Rows) -> Callable[[], None]:
    """The walks of an epoch alone, forward and back, on arrays made beforehand."""
    weights = layer.weights.detach().numpy()
    batches = [Batch(x.numpy(), weights, single=False) for x in rows.x.split(WORK.batch)]
    evaluator = layer._evaluator

    def epoch() -> None:
        for batch in batches:
            values, kept = evaluator.forward(batch, keep=True)
            evaluator.backward(batch, values, kept, (False, True))

    return epoch


def engine_share(layer: QuantumLayer, rows: Rows) -> float:
    """The engine's part of the plain epoch, both measured in turn: the median of seven ratios."""
    epochs = engine_epoch(layer, rows), plain_epoch(layer, rows, indexed)
    return float(np.median([_seconds(epochs[0]) / _seconds(epochs[1]) for _ in range(7)]))


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def hybrid_network(threads: int) -> HybridNetwork:
    """Encoder, layer and head as the table models have them, the layer on so many threads."""
    n = WORK.n_qubits
    architecture = Architecture(n, 1, n_qubits=n, n_layers=WORK.n_layers)
    network = build_network(architecture, architecture.circuit(), observables_of(n), seed=0)
    network.layer = QuantumLayer(architecture.circuit(), observables_of(n), engine=StatevectorEngine(threads), seed=0)
    return network


def checked(epoch: Callable[[], float]) -> Callable[[], float]:
    """The epoch, after three of them have lowered the loss."""
    losses = [epoch() for _ in range(3)]
    assert losses[-1] < losses[0], losses
    return epoch


def prepare(kind: str, threads: int) -> Callable[[], Any]:
    """The checked function to time."""
    rows, layer = make_rows(), WORK.layer(threads)
    check_step(WORK, layer, WORK.tensors()[0])
    makers: dict[str, Callable[[], Callable[[], Any]]] = {
        "plain torch": lambda: checked(plain_epoch(layer, rows, indexed)),
        "DataLoader": lambda: checked(plain_epoch(layer, rows, loaded)),
        "training loop": lambda: checked(loop_epoch(HybridNetwork(nn.Identity(), layer, nn.Identity()), rows)),
        "hybrid network": lambda: checked(loop_epoch(hybrid_network(threads), rows)),
        "engine alone": lambda: engine_epoch(layer, rows),
        "engine's share": lambda: partial(engine_share, layer, rows),
    }
    return makers[kind]()


def make_case(kind: str, threads: int, **options: Any) -> Case:
    size = {"n": WORK.n_qubits, "batch": WORK.batch, "layers": WORK.n_layers, "rows": N_ROWS}
    return Case(f"epoch, {kind}", size, partial(prepare, kind, threads), threads=threads, seconds=2.0, **options)


CASES = [
    *(make_case(kind, t, goal=GOAL_MS) for kind in ("plain torch", "DataLoader", "training loop") for t in (1, 2)),
    *(make_case(kind, t) for kind in ("hybrid network", "engine alone") for t in (1, 2)),
    *(make_case("engine's share", t, unit="of the epoch") for t in (1, 2)),
]

if __name__ == "__main__":
    run("epoch", CASES)
