"""Checkpoints come back as they were written; anything else gives one line."""

import pytest
import safetensors.torch
import torch

from qloom.errors import ArtifactError
from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.rows import Rows
from qloom.training.checkpoints import checkpointing, read_checkpoint, write_checkpoint


def make_fit(width=4):
    architecture = Architecture(3, 2, n_qubits=2, n_layers=1, width=width)
    network = build_network(architecture, architecture.circuit(), observables_of(2), seed=0)
    return Fit(network, "classification", Recipe(epochs=2))


def make_rows():
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    return Rows(x, (x[:, 0] > 0).long())


def test_round_trip(tmp_path):
    tensors = {"a": torch.arange(4.0), "b": torch.tensor(3)}
    write_checkpoint(tmp_path / "deep" / "c", {"history": [{"epoch": 1}]}, tensors)
    record, back = read_checkpoint(tmp_path / "deep" / "c")
    assert record["history"] == [{"epoch": 1}]
    assert all(torch.equal(tensors[name], back[name]) for name in tensors)


def test_state_of_a_training_comes_back(tmp_path):
    keep, restore = checkpointing(tmp_path / "c")
    fit = make_fit().run(make_rows(), make_rows(), keep)
    back = make_fit()
    restore(back)
    assert back.record() == fit.record()
    assert back.finished
    moments = [f.tensors()["optimizer.0.exp_avg"] for f in (fit, back)]
    assert torch.equal(*moments)


def test_without_checkpoint_nothing_is_restored(tmp_path):
    fit = make_fit()
    checkpointing(tmp_path / "none")[1](fit)
    assert fit.epoch == 0


def test_damaged(tmp_path):
    path = tmp_path / "c"
    keep, _ = checkpointing(path)
    make_fit().run(make_rows(), make_rows(), keep)
    content = path.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"\x80\x04" + content):
        path.write_bytes(damaged)
        with pytest.raises(ArtifactError, match="delete it to train this model again"):
            read_checkpoint(path)


def test_foreign(tmp_path):
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "c")
    with pytest.raises(ArtifactError, match="has format None"):
        read_checkpoint(tmp_path / "c")


def test_of_another_network(tmp_path):
    keep, _ = checkpointing(tmp_path / "c")
    make_fit().run(make_rows(), make_rows(), keep)
    with pytest.raises(ArtifactError, match="of another network"):
        checkpointing(tmp_path / "c")[1](make_fit(width=5))
