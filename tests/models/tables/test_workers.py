"""Rows of a step shared among workers: the weights of one, to rounding. Workers are threads here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier

import numpy as np
import pytest
import torch

from qloom.engines.choice import choose_engine
from qloom.errors import UnsupportedError
from qloom.fitting.workers import ALONE, Workers
from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.fitting import Rows
from qloom.models.tables.inference import predict_rows, predict_shared
from qloom.models.tables.losses import make_loss
from qloom.models.tables.stacking import Stack


@dataclass
class Meeting:
    """Where threads add up what they bring, in one order."""

    count: int
    brought: dict[int, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self):
        self.barrier = Barrier(self.count)


@dataclass(frozen=True)
class Threads(Workers):
    """Workers that are threads of this process."""

    meeting: Meeting | None = None

    def add(self, numbers):
        self.meeting.brought[self.rank] = numbers.clone()
        self.meeting.barrier.wait(60)
        numbers.copy_(sum(self.meeting.brought[rank] for rank in range(self.count)))
        self.meeting.barrier.wait(60)


def on_each(count, work):
    """What work gives on each of so many workers."""
    meeting = Meeting(count)
    with ThreadPoolExecutor(count) as pool:
        running = [pool.submit(work, Threads(rank, count, meeting=meeting)) for rank in range(count)]
        return [each.result() for each in running]


def rows(n, seed, task, weighted):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=generator)
    y = x[:, 0] - 0.5 * x[:, 1] ** 2
    weights = torch.rand(n, generator=generator) * 2 if weighted else None
    return Rows(x, (y > 0).long() if task == "classification" else y, weights)


def trained(
    workers, task="classification", sizes=(70,), layer="quantum", dropout=0.3, batch=24, engine=None, weighted=False
):
    """Weights and losses of networks after three epochs, each of its own rows."""
    networks, own = [], []
    for k, size in enumerate(sizes):
        architecture = Architecture(
            3, 2 if task == "classification" else 1, 3, 2, width=9, dropout=dropout, layer=layer
        )
        made = None if engine is None else choose_engine(engine).engine((k,))
        networks.append(build_network(architecture, architecture.circuit(), observables_of(3), k, made).train())
        own.append(rows(size, k, task, weighted))
    moments, losses = [{} for _ in networks], []
    stack = Stack(networks, moments, make_loss(task), 0.5, workers)
    for epoch in range(3):
        random = [np.random.default_rng([k, epoch]) for k in range(len(sizes))]
        batches = [torch.from_numpy(each.permutation(n)).split(batch) for each, n in zip(random, sizes, strict=True)]
        losses.append(stack.run(own, batches, random, lambda step: 0.003)[0])
    stack.release()
    values = [value for network in networks for value in network.state_dict().values()]
    return torch.cat([value.flatten() for value in [*values, *losses]])


CASES = [
    {}, {"task": "regression", "weighted": True}, {"layer": "classical"}, {"layer": "separable", "dropout": 0.0},
    {"sizes": (70, 69, 71)},  # one batch of each is not full
    {"sizes": (49,)},  # the last batch has one row, and all workers but one have none of it
    {"engine": {"name": "density"}}, {"batch": 1000},
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case) or "plain")
def test_workers_end_alike_and_as_one_does(case):
    alone = trained(ALONE, **case)
    for count in (2, 3):
        first, *others = on_each(count, lambda workers: trained(workers, **case))
        assert all(torch.equal(first, other) for other in others)
        assert float((first - alone).abs().max()) < 1e-5
    assert torch.equal(trained(Workers(0, 1), **case), alone)


def test_other_rows_left_out_would_be_seen():
    """The bound of 1e-5 tells masks of another seed from those of one worker."""
    other = trained(ALONE, dropout=0.31)
    assert float((other - trained(ALONE)).abs().max()) > 1e-3


def test_measured_circuits_and_unknown_modules_are_refused():
    with pytest.raises(UnsupportedError, match="2 workers for circuits whose values are drawn"):
        trained(Workers(0, 2), engine={"shots": 10})
    network = build_network(*(lambda a: (a, a.circuit(), observables_of(2), 0))(Architecture(3, 2, 2, 1)))
    network.head = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    with pytest.raises(UnsupportedError, match="a Sequential is trained by 2 workers"):
        Stack([network], [{}], make_loss("classification"), 0.5, Workers(1, 2))


@pytest.mark.parametrize("n_rows", [1, 256, 700])
def test_shared_predictions_are_those_of_one(n_rows):
    architecture = Architecture(3, 2, 2, 1)
    network = build_network(architecture, architecture.circuit(), observables_of(2), 0)
    x = torch.randn(n_rows, 3)
    whole = predict_rows(network, x)
    for found in on_each(3, lambda workers: predict_shared(network, x, 2, workers)):
        assert torch.equal(found, whole)
