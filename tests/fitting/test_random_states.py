"""A resumed training with shots is the uninterrupted one, bit for bit."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import pytest
import safetensors.torch
import torch

import qloom as ql
from qloom.engines import ReferenceEngine, Shots, StatevectorEngine
from qloom.errors import ArtifactError, ConfigError
from qloom.fitting.random_states import put_back, states_of, streams_of
from qloom.models import Fit, Recipe
from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.rows import Rows
from qloom.training.checkpoints import checkpointing

EPOCHS, STOPPED_AFTER = 4, 2


def make_fit(seed: int | None = 7) -> Fit:
    architecture = Architecture(3, 2, n_qubits=2, n_layers=1, width=4)
    network = build_network(architecture, architecture.circuit(), observables_of(2), seed=0)
    if seed is not None:
        network.layer = network.layer.with_engine(Shots(StatevectorEngine(), 50, seed))
    return Fit(network, "classification", Recipe(epochs=EPOCHS, learning_rate=0.05))


def make_rows(n: int = 40, seed: int = 0) -> Rows:
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return Rows(x, (x[:, 0] > 0).long())


def resume(checkpoint: str, weights: str) -> None:
    """What another process does with a checkpoint."""
    fit = make_fit(seed=99)
    checkpointing(checkpoint)[1](fit)
    assert fit.epoch == STOPPED_AFTER
    fit.run(make_rows(), make_rows(20, 1))
    safetensors.torch.save_file(fit.network.state_dict(), weights, {"history": json.dumps(losses_of(fit))})


def losses_of(fit: Fit) -> list[list[float]]:
    return [[epoch["train_loss"], epoch["validation_loss"]] for epoch in fit.history]


def test_taken_up_again_in_another_process(tmp_path):
    keep, _ = checkpointing(tmp_path / "c")
    whole = make_fit().run(make_rows(), make_rows(20, 1), lambda fit: keep(fit) if fit.epoch == STOPPED_AFTER else None)
    paths = [str(tmp_path / "c"), str(tmp_path / "w")]
    command = f"from pathlib import Path; import test_random_states as t; t.resume(Path({paths[0]!r}), {paths[1]!r})"
    subprocess.run([sys.executable, "-c", command], check=True, cwd=__file__.rpartition("/")[0])
    with safetensors.torch.safe_open(paths[1], "pt") as file:
        assert json.loads(file.metadata()["history"]) == losses_of(whole)
        for name, value in whole.network.state_dict().items():
            assert torch.equal(file.get_tensor(name), value), name


def test_other_numbers_would_end_elsewhere():
    """Without the random state the test above would fail."""
    runs = [make_fit(seed).run(make_rows(), make_rows(20, 1)) for seed in (7, 7, 8)]
    first, same, other = map(losses_of, runs)
    assert first == same != other


def test_every_stream_of_a_module_once():
    circuit = ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1)
    shared = Shots(ReferenceEngine(), 10, seed=1)
    layers = [ql.nn.QuantumLayer(circuit, engine=shared, seed=0) for _ in range(2)]
    module = torch.nn.Sequential(*layers, ql.nn.QuantumLayer(circuit, shots=10, seed=3), ql.nn.QuantumLayer(circuit))
    states = copy.deepcopy(states_of(streams_of(module)))
    assert len(states) == 2
    x = torch.zeros(5, 2)
    first, second = module(x), module(x)
    assert not torch.equal(first, second)
    put_back(streams_of(module), json.loads(json.dumps(states)))
    assert torch.equal(module(x), first)


@pytest.mark.parametrize(("saved", "put"), [(7, None), (None, 7)])
def test_state_of_another_engine_is_refused_in_a_sentence(saved, put, tmp_path):
    keep, restore = checkpointing(tmp_path / "c")
    keep(make_fit(saved))
    with pytest.raises(ArtifactError, match=r"states of random numbers for . sources, such as measured circuits"):
        restore(make_fit(put))
    fit = make_fit(saved)
    with pytest.raises(ConfigError, match="the training ran on another engine"):
        make_fit(put).restore(fit.tensors(), fit.record())


def test_a_state_from_before_they_were_kept_still_goes_on():
    fit = make_fit(None)
    record = fit.record()
    del record["random"]
    assert make_fit(None).restore(fit.tensors(), record).epoch == 0
