"""The loop over several processes around torch's DistributedDataParallel and FSDP: the steps of one process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

import qloom as ql
from qloom.fitting import Training
from qloom.fitting.surroundings import COUNT, COUNT_HERE, MEETING, RANK, RANK_HERE
from qloom.fitting.workers import ALONE, Workers, joined

WIDTH, EPOCHS = 16, 3


class Model(nn.Module):
    """A small transformer, a circuit on what it gives, and a head."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        block = nn.TransformerEncoderLayer(WIDTH, 2, 32, dropout=0.0, batch_first=True, dtype=torch.float64)
        self.backbone = nn.Sequential(nn.TransformerEncoder(block, 2), nn.Flatten(), nn.Linear(3 * WIDTH, 2).double())
        circuit = ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 2)
        layer = ql.nn.QuantumLayer(circuit, [ql.Z(0), ql.Z(1)], dtype=torch.float64, seed=0)
        self.circuit = nn.Sequential(layer, nn.Linear(2, 1).double())

    def forward(self, x):
        return self.circuit(self.backbone(x))


def batches(workers: Workers) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Two batches of eight; each worker has its share of the rows."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 8, 3, WIDTH, dtype=torch.float64, generator=generator)
    y = x.mean((2, 3)).sin().unsqueeze(-1)
    size = 8 // workers.count
    own = slice(workers.rank * size, (workers.rank + 1) * size)
    return [(each[own], target[own]) for each, target in zip(x, y, strict=True)]


def squares(module, batch):
    return mse_loss(module(batch[0]), batch[1])


def trained(module: nn.Module, workers: Workers, resumed: bool = False) -> Training:
    """After all epochs, or put back half-way into a training that goes on."""
    own = batches(workers)

    def begin() -> Training:
        optimizer = torch.optim.Adam(module.parameters(), 0.01, foreach=False)
        return Training(module, squares, own, optimizer, epochs=EPOCHS, validation=own, workers=workers)

    states = []
    training = begin().run(lambda each: states.append((each.tensors(), each.record())))
    return begin().restore(*states[0]).run() if resumed else training


def distributed(workers: Workers) -> tuple[Model, nn.Module]:
    from torch.nn.parallel import DistributedDataParallel

    model = Model()
    return model, DistributedDataParallel(model)


def sharded(workers: Workers) -> tuple[Model, nn.Module]:
    from torch.distributed.fsdp import fully_shard

    model = Model()
    workers.replicate(model.circuit)
    for block in model.backbone[0].layers:
        fully_shard(block)
    fully_shard(model.backbone)
    return model, model


def whole(model: Model) -> dict[str, torch.Tensor]:
    """Weights, gathered where they are sharded."""
    parameters = dict(model.named_parameters())
    return {name: (p.full_tensor() if hasattr(p, "full_tensor") else p).detach() for name, p in parameters.items()}


def main(way: str) -> None:
    expected_model = Model()
    expected = trained(expected_model, ALONE)
    right = whole(expected_model)
    with joined() as workers:
        for resumed in (False, True):
            model, module = {"distributed": distributed, "sharded": sharded}[way](workers)
            training = trained(module, workers, resumed)
            if way == "sharded":
                assert any(hasattr(p, "full_tensor") for p in model.backbone.parameters())
                assert not any(hasattr(p, "full_tensor") for p in model.circuit.parameters())
            apart = max(float((value - right[name]).abs().max()) for name, value in whole(model).items())
            assert apart < 1e-6, apart
            assert training.losses == pytest.approx(expected.losses, abs=1e-9)
            assert training.best_loss == pytest.approx(expected.best_loss, abs=1e-9)
    print("the same")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["distributed", "sharded"])
def test_steps_of_two_processes_are_those_of_one(way, tmp_path):
    environment = {**os.environ, COUNT: "2", COUNT_HERE: "2", MEETING: f"file://{tmp_path / 'meeting'}"}
    workers = []
    for rank in range(2):
        told = {**environment, RANK: str(rank), RANK_HERE: str(rank)}
        command = [sys.executable, __file__, way]
        pipe = subprocess.PIPE
        workers.append(subprocess.Popen(command, env=told, text=True, stdout=pipe, stderr=subprocess.STDOUT))
    said = [worker.communicate(timeout=600)[0] for worker in workers]
    assert all(text.endswith("the same\n") for text in said), said


if __name__ == "__main__":
    main(sys.argv[1])
