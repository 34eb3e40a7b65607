"""Quantum heads on pretrained models, trained by an ordinary loop and by the Trainer of transformers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import qloom as ql
from qloom.backbones import Backbone, with_head
from qloom.errors import ShapeError

RNG = np.random.default_rng(1)
LABELS = torch.arange(48) % 2
TEXTS = [
    " ".join([*RNG.choice(["you", "at", "home", "see", "ok", "lunch"], 4), "prize" if y else "day"]) for y in LABELS
]
IMAGES = [RNG.integers(0, 100, (16, 16, 3)).astype(np.uint8) + np.uint8(100 * (y == 1)) for y in LABELS]


def trained(model, *inputs, labels=LABELS, steps=60):
    """Loss before, loss after and accuracy of an ordinary loop, Adam at 0.05."""
    optimizer, losses = torch.optim.Adam(model.parameters(), 0.05), []
    for _ in range(steps):
        optimizer.zero_grad()
        logits = model(*inputs)
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses[0], losses[-1], float((logits.argmax(1) == labels).double().mean())


class AttentionHead(nn.Module):
    """Four numbers a token; tokens attend to each other, then the mean of those that are no padding, then a head."""

    def __init__(self, n_features: int):
        super().__init__()
        self.narrow = nn.Linear(n_features, 4)
        with torch.no_grad():
            self.narrow.weight.copy_(torch.randn(4, n_features, generator=torch.Generator().manual_seed(0)) / 4)
        self.attention = ql.nn.QuantumAttention(4, n_layers=1, seed=0)
        self.head = ql.nn.QuantumHead(4, 2, n_qubits=2, n_layers=1, seed=0)

    def forward(self, values, key_padding_mask):
        kept = (~key_padding_mask).to(values.dtype).unsqueeze(-1)
        attended = self.attention(self.narrow(values), key_padding_mask=key_padding_mask)
        return self.head((attended * kept).sum(1) / kept.sum(1))


def test_a_quantum_head_learns_from_frozen_texts(text_folder, tmp_path):
    features = Backbone(text_folder, cache=tmp_path).features(TEXTS)
    before, after, accuracy = trained(ql.nn.QuantumHead(16, 2, n_qubits=3, n_layers=1, seed=0), features)
    assert (after < before / 2, accuracy > 0.9) == (True, True)


def test_a_quantum_head_learns_from_frozen_images(image_folder):
    features = Backbone(image_folder).features(IMAGES)
    before, after, accuracy = trained(ql.nn.QuantumHead(16, 2, n_qubits=3, n_layers=1, seed=0), features)
    assert (after < before / 2, accuracy > 0.9) == (True, True)


def test_attention_over_tokens_learns_and_sees_no_padding(text_folder):
    tokens = Backbone(text_folder, pooling="tokens").features([*TEXTS, "you " * 12])
    values, padding = tokens.values[:-1], tokens.padding[:-1]
    assert padding[:, 8:].all()  # the last text alone made it so wide
    model = AttentionHead(16)
    before, after, accuracy = trained(model, values, padding, steps=40)
    assert (after < before / 2, accuracy > 0.9) == (True, True)
    narrow = model(values[:, :8], padding[:, :8])
    torch.testing.assert_close(model(values, padding), narrow, atol=1e-5, rtol=0)


def test_with_head_gives_what_its_parts_give(text_folder):
    backbone = Backbone(text_folder, batch_size=64)
    head = ql.nn.QuantumHead(16, 2, n_qubits=2, n_layers=1, seed=0)
    model = with_head(backbone, head)
    inputs = backbone.tokenizer(TEXTS, padding=True, return_tensors="pt")
    found = model(**inputs, labels=LABELS)
    expected = head(backbone.features(TEXTS))
    torch.testing.assert_close(found["logits"], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found["loss"], nn.functional.cross_entropy(expected, LABELS), atol=1e-5, rtol=0)
    assert set(model(**inputs)) == {"logits"}
    tokens = with_head(backbone, AttentionHead(16), pooling="tokens")
    values, padding = Backbone(text_folder, pooling="tokens").features(TEXTS)
    torch.testing.assert_close(
        tokens(**inputs)["logits"], tokens.head(values, padding), atol=1e-5, rtol=0
    )  # fmt: skip


@pytest.mark.parametrize("frozen", [True, False])
def test_only_a_backbone_that_is_not_frozen_moves(text_folder, frozen):
    backbone = Backbone(text_folder)
    head = ql.nn.QuantumHead(16, 1, n_qubits=2, n_layers=1, seed=0)
    model = with_head(backbone.model, head, frozen=frozen).train()
    assert model.backbone.training is not frozen
    before = {name: value.clone() for name, value in model.state_dict().items() if value.is_floating_point()}
    inputs = backbone.tokenizer(TEXTS[:4], padding=True, return_tensors="pt")
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], 0.1)
    model(**inputs, labels=torch.tensor([0.0, 1.0, 2.0, 3.0]))["loss"].backward()
    optimizer.step()
    moved = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, model.state_dict()[name])}
    assert moved == ({"head"} if frozen else {"backbone", "head"})
    other = with_head(backbone, head, frozen=frozen)
    assert (other.backbone is backbone.model) is frozen
    with pytest.raises(ShapeError, match="labels are numbers"):
        model(**inputs, labels=torch.zeros(3))


class Rows(torch.utils.data.Dataset):
    """What the Trainer reads."""

    def __init__(self, inputs, labels):
        self.inputs, self.labels = inputs, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, row):
        return {**{name: each[row] for name, each in self.inputs.items()}, "labels": self.labels[row]}


def test_the_trainer_of_transformers(text_folder, tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    backbone = Backbone(text_folder)
    model = with_head(backbone, ql.nn.QuantumHead(16, 2, n_qubits=3, n_layers=1, seed=0))
    rows = Rows(backbone.tokenizer(TEXTS, padding=True, return_tensors="pt"), LABELS)
    arguments = transformers.TrainingArguments(
        str(tmp_path), num_train_epochs=12, per_device_train_batch_size=16, learning_rate=0.05, use_cpu=True,
        report_to=[], disable_tqdm=True, save_strategy="no", logging_strategy="no", seed=0, weight_decay=0.0,
        dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = transformers.Trainer(model, arguments, train_dataset=rows, eval_dataset=rows)
    before = trainer.evaluate()["eval_loss"]
    trainer.train()
    after = trainer.predict(rows)
    assert after.metrics["test_loss"] < before / 2
    assert (after.predictions.argmax(1) == LABELS.numpy()).mean() > 0.9
    trainer.save_model(str(tmp_path / "saved"))
    from safetensors.torch import load_file

    saved = load_file(tmp_path / "saved" / "model.safetensors")
    torch.testing.assert_close(saved["head.after.weight"], model.head.after.weight.detach())
