"""Warm starts: a model that begins with an earlier one's weights, preprocessing and target coding."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from qloom.errors import ArtifactError, DataError
from qloom.models import HybridClassifier, HybridRegressor
from qloom.models.artifact import read_artifact, write_artifact
from qloom.models.tables.starting import read_start

SMALL = {"n_qubits": 3, "n_layers": 2, "width": 8, "epochs": 12, "learning_rate": 0.02}
STILL = {"epochs": 1, "learning_rate": 1e-12, "weight_decay": 0.0}


def frame(n: int, seed: int, shift: float = 0.0) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers whose mean has moved, a category, and a label."""
    random = np.random.default_rng(seed)
    x, kind = random.normal(shift, 1, (n, 2)), random.choice(["red", "blue"], n)
    label = np.where((x[:, 0] - shift) * np.where(kind == "red", 1, -1) + 0.3 * (x[:, 1] - shift) > 0, "yes", "no")
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": kind}), label


@pytest.fixture(scope="module")
def january(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "january"
    model = HybridClassifier(**SMALL).fit(*frame(400, 0))
    model.save(folder)
    return model, folder


def test_it_begins_where_the_earlier_model_was(january):
    """Without a step to speak of it predicts the same, on rows of another mean and with a new kind, too."""
    model, folder = january
    x, y = frame(200, 1, shift=0.5)
    x.loc[:20, "kind"] = "green"
    started = HybridClassifier(**{**SMALL, **STILL}, start_from=str(folder)).fit(x, y)
    np.testing.assert_allclose(started.predict_proba(x), model.predict_proba(x), atol=1e-5)


def test_it_needs_fewer_epochs_on_changed_data(january):
    x, y = frame(300, 2, shift=0.2)
    losses = [
        HybridClassifier(**{**SMALL, "epochs": 3}, start_from=start).fit(x, y).history_[0]["validation_loss"]
        for start in (str(january[1]), None)
    ]
    assert losses[0] < 0.7 * losses[1]


def test_a_refitted_head_is_not_started_from(tmp_path):
    """Trees have no derivatives: the new model takes encoder and circuit, and trains a head of its own."""
    x, y = frame(300, 3)
    first = HybridClassifier(**{**SMALL, "epochs": 1, "learning_rate": 1e-4}, refit="boosting").fit(x, y)
    assert first.refit_["kept"]
    started = HybridClassifier(**{**SMALL, **STILL}, start_from=str(first.save(tmp_path / "m"))).fit(x, y)
    np.testing.assert_allclose(*(m.network_.layer.weights.detach() for m in (first, started)), atol=1e-6)
    assert started.architecture_.head == "perceptron"


def test_a_column_named_target_stays_a_feature(tmp_path):
    """The label is told apart from it by another name, in the earlier model as in this one."""
    x, y = frame(300, 4)
    first = HybridClassifier(**SMALL).fit(x, y).save(tmp_path / "first")
    x["target"] = np.random.default_rng(0).normal(size=300)
    started = HybridClassifier(**{**SMALL, **STILL}, start_from=first).fit(x, y)
    assert started.score(x, y) > 0.9
    assert list(started.classes_) == ["no", "yes"]


def test_a_class_may_be_missing_in_the_new_rows(tmp_path):
    """Its probability is next to nothing, whatever head is fitted."""
    x, y = np.random.default_rng(0).normal(size=(600, 2)), np.random.default_rng(1).integers(0, 3, 600)
    x[np.arange(600), np.minimum(y, 1)] += 2 * y
    HybridClassifier(**SMALL).fit(x, y).save(tmp_path / "first")
    for refit in (None, "linear", "boosting"):
        started = HybridClassifier(**{**SMALL, **STILL}, refit=refit, start_from=tmp_path / "first")
        found = started.fit(x[y > 0], y[y > 0]).predict_proba(x[y > 0])
        assert found.shape == (int((y > 0).sum()), 3)
        assert found[:, 0].max() < 1e-9 or not (started.refit_ or {"kept": False})["kept"]


def test_damaged_starts_are_refused(january, tmp_path):
    """Also where the checksum is right, for the description is not part of it."""
    _, folder = january
    x, y = frame(100, 1)
    for name, value in (
        ("target", None),
        ("preprocessing", None),
        ("architecture", {"n_pixels": 3}),
        ("hyperparameters", None),
    ):
        broken = tmp_path / name
        shutil.copytree(folder, broken)
        record = json.loads((broken / "model.json").read_text())
        (broken / "model.json").write_text(json.dumps({**record, name: value}))
        with pytest.raises(ArtifactError, match=r"damaged|expected 'qloom-"):
            HybridClassifier(**SMALL, start_from=broken).fit(x, y)
    record, tensors = read_artifact(folder)
    del record["weights_sha256"]
    for change in ({"layer.weights": None}, {"layer.weights": torch.zeros(3)}):
        kept = {key: value for key, value in (tensors | change).items() if value is not None}
        write_artifact(tmp_path / "less", record, kept)
        with pytest.raises(ArtifactError, match="less is damaged"):
            HybridClassifier(**SMALL, start_from=tmp_path / "less").fit(x, y)


def test_bad_input_is_refused(january, tmp_path):
    folder, (x, y) = str(january[1]), frame(100, 1)
    with pytest.raises(ArtifactError, match=r"january has n_layers=2, got 3, expected the same network"):
        HybridClassifier(**{**SMALL, "n_layers": 3}, start_from=folder).fit(x, y)
    with pytest.raises(ArtifactError, match="january holds a quantum model and no separable one, expected both"):
        HybridClassifier(**SMALL, layer="separable", start_from=folder).fit(x, y)
    with pytest.raises(ArtifactError, match="january holds a model for classification, expected one for regression"):
        HybridRegressor(**SMALL, start_from=folder).fit(x, np.arange(100.0))
    with pytest.raises(ArtifactError, match=r"nowhere does not exist, expected a model or run folder"):
        HybridClassifier(**SMALL, start_from=str(tmp_path / "nowhere")).fit(x, y)
    start = read_start(folder, "quantum")
    with pytest.raises(ArtifactError, match="january predicts from 'kind', expected a model without it"):
        start.check_target("kind")
    with pytest.raises(DataError, match="maybe"):
        HybridClassifier(**SMALL, start_from=folder).fit(x, np.where(np.arange(100) < 30, "maybe", y))
    with pytest.raises(DataError, match="kind"):
        HybridClassifier(**SMALL, start_from=folder).fit(x.drop(columns="kind"), y)


def test_a_start_is_read_once(january, monkeypatch):
    folder, read = str(january[1]), []

    def counting(path):
        read.append(str(path))
        return read_artifact(path)

    monkeypatch.setattr("qloom.models.tables.starting.read_artifact", counting)
    x, y = frame(100, 1)
    fitted = HybridClassifier(**SMALL, start_from=folder).fit(x, y)
    assert read == [folder]
    start = fitted.read_start()
    again = HybridClassifier(**SMALL, start_from=start).fit(x, y)
    assert read == [folder] * 2
    for name, value in fitted.network_.state_dict().items():
        assert torch.equal(value, again.network_.state_dict()[name])
