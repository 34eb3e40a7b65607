"""Compressed models on disk: there and back, and what does not fit refused."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from qloom.compression import CompressedLinear, compress, heal, load_compressed, save_compressed
from qloom.errors import ArtifactError, ConfigError
from tests.compression.models import bert, perceptron


def saved(folder, form="tensor-train", **changes):
    model = perceptron()
    compress(model, parameters=0.5, form=form)
    heal(model, [torch.ones(4, 24)], loss=lambda model, x: model(x).square().mean(), train="all")
    save_compressed(model, folder)
    if changes:
        path = folder / "compression.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return model.eval()


@pytest.mark.parametrize("form", ["tensor-train", "svd"])
def test_there_and_back_into_a_fresh_model(tmp_path, form):
    model = saved(tmp_path, form)
    fresh = perceptron(seed=1).eval()
    assert load_compressed(fresh, tmp_path) is fresh
    assert fresh.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(fresh.state_dict()[name], value) for name, value in model.state_dict().items())
    x = torch.randn(5, 24, generator=torch.Generator().manual_seed(0))
    assert torch.equal(fresh(x), model(x))
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


def test_a_second_saving_takes_the_place_of_the_first(tmp_path):
    saved(tmp_path, "svd")
    model = saved(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    fresh = load_compressed(perceptron(seed=1), tmp_path)
    assert torch.equal(fresh[0].factors[0], model[0].factors[0])


def test_bert_with_tied_weights_and_half_precision(tmp_path):
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=16,
    )  # fmt: skip
    torch.manual_seed(0)
    model = BertForMaskedLM(config).to(torch.bfloat16).eval()
    compression = compress(model, parameters=0.6)
    assert not any(row.name.startswith("cls") for row in compression.layers)
    save_compressed(model, tmp_path)
    record = json.loads((tmp_path / "compression.json").read_text())
    assert "cls.predictions.decoder.weight" in record["same"]
    fresh = load_compressed(BertForMaskedLM(config).to(torch.bfloat16).eval(), tmp_path)
    ids = torch.arange(8)[None]
    assert torch.equal(fresh(ids).logits, model(ids).logits)
    assert fresh.cls.predictions.decoder.weight is fresh.bert.embeddings.word_embeddings.weight
    with pytest.raises(
        ArtifactError, match=r"torch.float32 in the model and .* torch.bfloat16 in the file of a BertFor"
    ):
        load_compressed(BertForMaskedLM(config), tmp_path)


def other_models():
    wide = perceptron()
    wide[0] = nn.Linear(24, 48)
    named = nn.ModuleDict({"0": nn.Tanh(), "2": nn.Linear(36, 12), "4": nn.Linear(12, 3)})
    return [
        (wide, r"layer 0 is \(48, 24\) in the model and \(36, 24\) in the file of a Sequential"),
        (named, "the file is of a Sequential with a linear layer 0, the model has a Tanh there"),
        (nn.Sequential(nn.Linear(24, 36)), "a linear layer 2, the model has no such layer there"),
        (nn.Sequential(*perceptron(), nn.Linear(3, 3)), r"5.weight is \(3, 3\) torch.float32 in the model and missing"),
        (perceptron(bias=False), r"0.bias is missing in the model"),
    ]


@pytest.mark.parametrize("number", range(5))
def test_another_model_is_refused_and_left_alone(tmp_path, number):
    saved(tmp_path)
    model, message = other_models()[number]
    before = list(model.modules())
    with pytest.raises(ArtifactError, match=message):
        load_compressed(model, tmp_path)
    assert list(model.modules()) == before


def test_a_compressed_model_is_not_loaded_into(tmp_path):
    model = saved(tmp_path)
    with pytest.raises(ArtifactError, match="the model has a TensorTrainLinear there"):
        load_compressed(model, tmp_path)


def test_files_that_are_missing_damaged_or_of_another_version_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_compressed(perceptron(), tmp_path / "nowhere")
    cases = [
        ({"version": 2}, "has version 2, expected 1"),
        ({"format": "other"}, "is no compressed model"),
        ({"weights": "gone.safetensors"}, "is damaged"),
        ({"sha256": "0"}, "is not what compression.json was written with"),
        ({"layers": {"0": {"form": "cp"}}}, "is not what compression.json was written with"),
        ({"layers": {"0": {"form": "svd"}}}, "the form of layer 0 is damaged"),
        ({"layers": None}, "is damaged"),
    ]
    for number, (changes, message) in enumerate(cases):
        folder = tmp_path / str(number)
        saved(folder, **changes)
        with pytest.raises(ArtifactError, match=message):
            load_compressed(perceptron(), folder)
    saved(tmp_path)
    (tmp_path / "compression.json").write_text("{")
    with pytest.raises(ArtifactError, match="is not JSON"):
        load_compressed(perceptron(), tmp_path)


def test_models_without_compressed_layers_are_not_saved(tmp_path):
    with pytest.raises(ConfigError, match="Sequential has no compressed layers"):
        save_compressed(perceptron(), tmp_path)
    model = bert()
    assert not any(isinstance(module, CompressedLinear) for module in model.modules())
