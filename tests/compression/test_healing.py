"""Compressed models trained again: by a teacher, by a loss, and by transformers' Trainer."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from qloom.compression import CompressedLinear, compress, heal
from qloom.errors import ConfigError
from tests.compression.models import bert, perceptron


def texts(n, seed=0):
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, 60, (n, 8), generator=random)
    lengths = torch.randint(3, 9, (n, 1), generator=random)
    return {"input_ids": ids, "attention_mask": (torch.arange(8) < lengths).long()}


def pair(form="tensor-train", parameters=0.5):
    original = perceptron().train()
    return original, compress(original, parameters=parameters, form=form, copy=True).model


def batches(n=6, seed=0):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(32, 24, generator=random) for _ in range(n)]


@pytest.mark.parametrize("form", ["tensor-train", "svd"])
def test_healing_brings_outputs_back_and_trains_factors_alone(form):
    original, model = pair(form)
    others = {name: value.clone() for name, value in model.state_dict().items() if "factors" not in name}
    flags = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    x = batches(1, seed=9)[0]

    def distance():
        with torch.no_grad():
            return float((copy.deepcopy(model).eval()(x) - copy.deepcopy(original).eval()(x)).square().mean())

    before = distance()
    history = heal(model, batches(), teacher=original, epochs=20, learning_rate=1e-2)
    assert distance() < 0.5 * before
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert [record["epoch"] for record in history] == list(range(1, 21))
    assert all(torch.equal(model.state_dict()[name], value) for name, value in others.items())
    assert {name: parameter.requires_grad for name, parameter in model.named_parameters()} == flags
    assert model[3].training
    assert original[3].training


def test_equal_seeds_end_in_equal_bits():
    original, model = pair()
    found = []
    for seed in (1, 1, 2):
        loader = torch.utils.data.DataLoader(torch.cat(batches()), batch_size=16, shuffle=True)
        other = copy.deepcopy(model)
        heal(other, loader, teacher=original, epochs=2, seed=seed)
        found.append(torch.cat([parameter.detach().flatten() for parameter in other.parameters()]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_loss_of_ones_own_and_every_parameter():
    _, model = pair()
    bias = model[0].bias.clone()
    data = [(x, x[:, :3]) for x in batches()]

    def loss(model, batch):
        return (model(batch[0]) - batch[1]).square().mean()

    history = heal(model, data, loss=loss, epochs=3, learning_rate=1e-2, train="all", validation=data[:1], patience=9)
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert history[-1]["validation_loss"] is not None
    assert not torch.equal(model[0].bias, bias)


def test_padding_does_not_count():
    """Hidden states at padded places are made infinite in the original: the loss does not see them."""
    original = bert().eval()
    model = compress(original, parameters=0.5, copy=True).model
    batch = texts(8)

    class Spoiled(nn.Module):
        def forward(self, **batch):
            hidden = original(**batch).last_hidden_state
            return {"last_hidden_state": hidden.masked_fill(batch["attention_mask"][..., None] == 0, torch.inf)}

    plain, spoiled = (heal(copy.deepcopy(model), [batch], teacher=teacher) for teacher in (original, Spoiled()))
    assert plain[0]["train_loss"] == spoiled[0]["train_loss"]
    with torch.no_grad():
        ours, theirs = (m.eval()(**batch).last_hidden_state[batch["attention_mask"].bool()] for m in (model, original))
    expected = float((ours - theirs).square().sum() / theirs.square().sum())
    assert plain[0]["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_what_is_wrong_is_refused():
    original, model = pair()
    for wrong, message in [
        ({}, "heal needs a teacher or a loss"),
        ({"teacher": model}, "the teacher is the model itself"),
        ({"teacher": original, "train": "cores"}, "train='cores', expected one of 'factors', 'all'"),
        ({"teacher": original, "epochs": 0}, "epochs=0, expected an integer"),
        ({"teacher": original, "learning_rate": 0}, "learning_rate=0, expected a number above 0"),
        ({"teacher": nn.Linear(24, 4)}, r"the model gives \[\(32, 3\)\] and the teacher \[\(32, 4\)\]"),
    ]:
        with pytest.raises(ConfigError, match=message):
            heal(model, batches(1), **wrong)
    with pytest.raises(ConfigError, match="Sequential has no compressed layers"):
        heal(original, batches(1), loss=lambda model, batch: model(batch).mean())


def test_transformers_trainer_trains_a_compressed_model(tmp_path):
    from transformers import Trainer, TrainingArguments, set_seed

    set_seed(0)
    model = bert(n_labels=2)
    compress(model, parameters=0.5)
    data = texts(64)
    labels = (data["input_ids"][:, 0] > 30).long()
    rows = [{**{key: value[k] for key, value in data.items()}, "labels": labels[k]} for k in range(64)]
    layers = [module for module in model.modules() if isinstance(module, CompressedLinear)]
    before = [layer.factors[0].detach().clone() for layer in layers]
    arguments = TrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=4, per_device_train_batch_size=16, learning_rate=3e-3,
        report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True, logging_steps=4, seed=0,
    )  # fmt: skip
    trainer = Trainer(model=model, args=arguments, train_dataset=rows)
    trainer.train()
    losses = [record["loss"] for record in trainer.state.log_history if "loss" in record]
    assert losses[-1] < losses[0]
    assert len(layers) == 13
    assert not any(torch.equal(layer.factors[0], old) for layer, old in zip(layers, before, strict=True))
    trainer.save_model(str(tmp_path / "saved"))
    from safetensors.torch import load_file

    saved = load_file(tmp_path / "saved" / "model.safetensors")
    assert saved.keys() == model.state_dict().keys()
