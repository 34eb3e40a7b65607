"""Saved models come back as they were; a damaged, foreign or later file gives one line."""

import json
import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
import safetensors.torch

from qloom.errors import ArtifactError
from qloom.models import HybridClassifier, HybridRegressor, load_model
from qloom.models.artifact import write_artifact

SMALL = {"n_qubits": 2, "n_layers": 1, "width": 8, "epochs": 2}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": rng.normal(size=60), "b": rng.choice(["x", "y", "z"], 60), "c": rng.normal(size=60)})


@pytest.fixture(scope="module")
def classifier(frame):
    return HybridClassifier(**SMALL).fit(frame, np.where(frame.a > 0, "up", "down"))


@pytest.fixture
def saved(classifier, tmp_path):
    return classifier.save(tmp_path / "model")


def test_classifier_comes_back(classifier, saved, frame):
    back = HybridClassifier.load(saved)
    assert np.array_equal(back.predict_proba(frame), classifier.predict_proba(frame))
    assert list(back.classes_) == ["down", "up"]
    assert list(back.feature_names_in_) == ["a", "b", "c"]
    assert {**back.get_params(), "random_state": 0} == classifier.get_params()


def test_regressor_comes_back(frame, tmp_path):
    model = HybridRegressor(**SMALL).fit(frame[["a", "b"]], frame.c * 100 + 7)
    back = load_model(model.save(tmp_path / "m"))
    assert isinstance(back, HybridRegressor)
    assert np.array_equal(back.predict(frame[["a", "b"]]), model.predict(frame[["a", "b"]]))


def test_a_model_of_before_fingerprints_loads_without_a_word(classifier, saved, frame):
    record = json.loads((saved / "model.json").read_text())
    tensors = safetensors.torch.load_file(saved / "weights.safetensors")
    old = {name: value for name, value in tensors.items() if not name.endswith("_extra_state")}
    assert len(old) < len(tensors)
    write_artifact(saved, {k: v for k, v in record.items() if k not in ("format", "version", "weights_sha256")}, old)
    assert np.array_equal(HybridClassifier.load(saved).predict_proba(frame), classifier.predict_proba(frame))


def test_found_from_the_run_folder_or_a_file_in_it(saved):
    for path in (saved.parent, saved / "model.json", str(saved)):
        assert isinstance(load_model(path), HybridClassifier)


def test_no_part_is_left_behind(saved):
    assert sorted(path.name for path in saved.iterdir()) == ["model.json", "weights.safetensors"]


def refusal(path):
    with pytest.raises(ArtifactError) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing(tmp_path):
    assert "does not exist" in refusal(tmp_path / "nothing")
    assert "is no model" in refusal(tmp_path)


def test_changed_weights(saved):
    path = saved / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    assert "sha256 differs" in refusal(saved)


def test_missing_weights(saved):
    (saved / "weights.safetensors").unlink()
    assert "cannot be read" in refusal(saved)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\x80\x04K\x01.", b"[1]", b'{"format": "other"}', pickle.dumps({"a": 1})]
)
def test_damaged_or_foreign_description(saved, content):
    (saved / "model.json").write_bytes(content)
    refusal(saved)


def edit(saved, **changes):
    path = saved / "model.json"
    record = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in record.items() if value is not ...}))


def test_later_version(saved):
    edit(saved, version=2)
    assert "version 2, expected 1" in refusal(saved)


@pytest.mark.parametrize("changes", [
    {"circuit": ...}, {"circuit": "{}"}, {"preprocessing": {}}, {"target": ...}, {"architecture": {"n_features": 3}},
    {"hyperparameters": {"unknown": 1}}, {"observables": [[1]]}, {"estimator": "Pipeline"}, {"estimator": ["a"]},
])  # fmt: skip
def test_damaged_record(saved, changes):
    edit(saved, **changes)
    refusal(saved)


def test_weights_of_another_network(saved, frame, tmp_path):
    other = HybridClassifier(**{**SMALL, "width": 9}).fit(frame[["a"]], frame.a > 0).save(tmp_path / "other")
    record = json.loads((saved / "model.json").read_text())
    record.pop("weights_sha256")
    write_artifact(saved, record, safetensors.torch.load_file(other / "weights.safetensors"))
    assert "is damaged" in refusal(saved)


def test_other_kind_of_estimator(saved):
    with pytest.raises(ArtifactError, match="holds a HybridClassifier, expected a HybridRegressor"):
        HybridRegressor.load(saved)


def test_a_copy_is_as_good(saved, tmp_path, classifier, frame):
    copy = shutil.copytree(saved, tmp_path / "elsewhere")
    assert np.array_equal(load_model(copy).predict(frame), classifier.predict(frame))
