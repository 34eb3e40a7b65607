"""Several trainings stepped as one end as each would alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import qloom as ql
from qloom.errors import ConfigError
from qloom.fitting import Flat, Stage, Training, run_together
from qloom.fitting.joint import Joint

X = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] * X[:, 1] > 0).long()


class Network(nn.Module):
    """A linear map, a circuit, another one, and a buffer."""

    def __init__(self, seed: int, n_qubits: int = 2):
        super().__init__()
        torch.manual_seed(seed)
        circuit = ql.encoders.angle(n_qubits) + ql.ansatze.strongly_entangling(n_qubits, 2)
        self.before, self.after = nn.Linear(3, n_qubits).double(), nn.Linear(n_qubits, 2).double()
        self.quantum = ql.nn.QuantumLayer(circuit, dtype=torch.float64, seed=seed)
        self.register_buffer("scale", torch.tensor(1.0 + seed, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.quantum(self.before(x))) * self.scale


def entropy(network, batch):
    x, y = batch
    return cross_entropy(network(x), y)


ADAM = lambda parameters: torch.optim.Adam(parameters, 0.05, fused=True)  # noqa: E731
MOMENTUM = lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9)  # noqa: E731


def make_training(seed: int, make=ADAM, alike="alike", n_qubits: int = 2, **options) -> Training:
    network, draws = Network(seed, n_qubits), torch.Generator().manual_seed(seed)

    def batches(epoch: int):
        rows = torch.randint(len(X), (8,), generator=draws)
        return [(X[rows], Y[rows])]

    options = {"epochs": 30, "random": [draws], "seed": None, **options}
    return Training(network, entropy, batches, make(network.parameters()), alike=alike, **options)


def check_same(found: Training, expected: Training) -> None:
    assert found.epoch == expected.epoch
    torch.testing.assert_close(torch.tensor(found.losses), torch.tensor(expected.losses))
    for (name, tensor), other in zip(found.tensors().items(), expected.tensors().values(), strict=True):
        torch.testing.assert_close(tensor, other, msg=name)


@pytest.mark.parametrize("make", [ADAM, MOMENTUM])
def test_each_ends_as_alone(make, monkeypatch):
    steps, step = [], Joint._step
    monkeypatch.setattr(Joint, "_step", lambda joint, batch: steps.append(len(joint.trainings)) or step(joint, batch))
    found = [make_training(seed, make) for seed in range(3)]
    run_together(found)
    assert steps == [3] * 30
    for seed, training in enumerate(found):
        check_same(training, make_training(seed, make).run())
        pointers = {p.data_ptr() for p in training.module.parameters()}
        others = {p.data_ptr() for other in found if other is not training for p in other.module.parameters()}
        assert not pointers & others


def test_those_that_stop_leave_the_others_going_on():
    options = {"stop": Flat(3), "epochs": 60}
    found = [make_training(seed, **options) for seed in range(4)]
    run_together(found)
    assert len({training.epoch for training in found}) > 1
    for seed, training in enumerate(found):
        check_same(training, make_training(seed, **options).run())


def test_watched_taken_out_and_put_back():
    taken = {}

    def watch(k: int, training: Training) -> None:
        if training.epoch == 4 + k:
            taken[k] = training.tensors(), training.record()

    whole = [make_training(seed) for seed in range(3)]
    run_together(whole, watch)
    again = [make_training(seed + 10).restore(*taken[seed]) for seed in range(3)]
    run_together(again)
    for a, b in zip(again, whole, strict=True):
        check_same(a, b)


def test_stages_and_validation_of_each():
    options = {"stages": lambda epoch: Stage("circuit", ("quantum.*",)) if epoch < 5 else Stage("all"), "epochs": 8,
               "validation": [(X, Y)], "patience": 2}  # fmt: skip
    found = [make_training(seed, **options) for seed in range(2)]
    run_together(found)
    for seed, training in enumerate(found):
        check_same(training, make_training(seed, **options).run())


def test_unlike_ones_are_refused_or_go_alone():
    with pytest.raises(ConfigError, match="called alike, and their modules have other parameters"):
        run_together([make_training(0), make_training(1, n_qubits=3)])
    apart = [make_training(0, alike=None), make_training(1, alike=None, n_qubits=3)]
    run_together(apart)
    assert [training.epoch for training in apart] == [30, 30]
