"""A run leaves the record it promises, the same for the same seed, and refuses what it cannot go on with."""

import csv
import json
import shutil
import warnings

import numpy as np
import pyarrow.parquet as parquet
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from qloom.circuits import Circuit
from qloom.errors import ArtifactError
from qloom.models import load_model
from qloom.models.tables.competitors import COMPETITORS as KEYS
from qloom.training import resume_run, train_run
from qloom.training.configuration import Configuration


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


def weights_of(folder):
    return (folder / "model" / "weights.safetensors").read_bytes()


def test_files(finished):
    names = {path.name for path in finished.iterdir()}
    assert {"config.yaml", "environment.json", "log.txt", "metrics.json", "leaderboard.csv", "predictions.parquet",
            "model", "checkpoints"} <= names  # fmt: skip
    assert not list(finished.rglob("*.part"))


def test_metrics(finished, table):
    metrics = metrics_of(finished)
    assert (metrics["format"], metrics["version"], metrics["metric"]) == ("qloom.run", 2, "roc_auc")
    assert list(metrics["models"]) == list(KEYS)
    assert sum(metrics["n_rows"].values()) == table.num_rows
    assert set(metrics["comparison"]) == set(KEYS) - {"hybrid"}
    assert Circuit.from_json(metrics["circuit"]).n_qubits == 2
    assert any("6 features on 2 qubits" in note for note in metrics["notes"])
    for model in metrics["models"].values():
        low, high = model["interval"]
        assert low <= model["test"]["roc_auc"] <= high
        assert len(model["history"]) in (0, 3)


def test_controls_have_as_many_parameters(finished):
    models = metrics_of(finished)["models"]
    nets = [models[key] for key in ("hybrid", "hybrid_separable", "hybrid_classical")]
    assert len({net["n_parameters"] for net in nets}) == len({net["n_layer_parameters"] for net in nets}) == 1
    assert [net["n_quantum_parameters"] for net in nets] == [6, 6, 0]


def test_predictions_give_the_scores_of_the_kept_round(finished, table):
    source, table = table.to_pandas(), parquet.read_table(finished / "predictions.parquet").to_pandas()
    assert (table.target.to_numpy() == source.diagnosis.to_numpy()[table.row]).all()
    metrics = metrics_of(finished)
    for key, model in metrics["models"].items():
        auc = roc_auc_score(table.target == "malignant", table[f"{key}:probability:malignant"])
        kept = model["rounds"][metrics["rounds"]["kept"] - 1]["test"]
        assert auc == pytest.approx(kept["roc_auc"], abs=1e-12)
        assert (table[f"{key}:prediction"] == table.target).mean() == pytest.approx(kept["accuracy"])


def test_scores_are_means_with_the_spread_of_the_rounds(finished):
    for model in metrics_of(finished)["models"].values():
        for name, mean in model["test"].items():
            values = [each["test"][name] for each in model["rounds"]]
            assert len(values) == 2
            assert mean == pytest.approx(np.mean(values))
            assert model["deviation"][name] == pytest.approx(np.std(values, ddof=1))


def test_leaderboard_is_sorted_by_score(finished):
    rows = list(csv.DictReader((finished / "leaderboard.csv").read_text().splitlines()))
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert {row["model"] for row in rows} == set(KEYS)
    assert {row["n_rounds"] for row in rows} == {"2"}
    assert all(float(row["deviation"]) >= 0 for row in rows)


def test_comparison_is_the_difference_of_scores(finished):
    metrics = metrics_of(finished)
    score = {key: model["test"]["roc_auc"] for key, model in metrics["models"].items()}
    for key, compared in metrics["comparison"].items():
        assert compared["difference"] == pytest.approx(score["hybrid"] - score[key])
        assert compared["low"] <= compared["difference"] <= compared["high"]


def test_kept_configuration_is_complete(finished, configure):
    kept = Configuration.model_validate(yaml.safe_load((finished / "config.yaml").read_text()))
    assert kept == configure(finished.parent)


def test_model_predicts_as_recorded(finished, table):
    recorded = parquet.read_table(finished / "predictions.parquet").to_pandas()
    source = table.take(recorded.row.to_numpy())
    probabilities = load_model(finished).predict_table(source.drop_columns(["diagnosis"]))
    assert np.array_equal(probabilities[:, 1], recorded["hybrid:probability:malignant"])


def test_a_frame_with_more_columns_is_taken_without_a_warning(finished, table):
    model, frame = load_model(finished), table.to_pandas()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        turned = model.predict_proba(frame[frame.columns[::-1]])
    np.testing.assert_array_equal(turned, model.predict_table(table))


def test_same_seed_same_weights_and_predictions(finished, configure, tmp_path):
    again = train_run(configure(tmp_path))
    assert weights_of(again) == weights_of(finished)
    assert (again / "predictions.parquet").read_bytes() == (finished / "predictions.parquet").read_bytes()
    other = train_run(configure(tmp_path, "seed=1", "training.epochs=1", name="other"))
    assert weights_of(other) != weights_of(finished)


def test_regression_and_many_classes(configure, tmp_path):
    numbers = train_run(configure(tmp_path, source="demo:diabetes", target="progression", name="numbers"))
    assert metrics_of(numbers)["metric"] == "r2"
    table = parquet.read_table(numbers / "predictions.parquet").to_pandas()
    assert table["boosting:prediction"].mean() == pytest.approx(table.target.mean(), rel=0.2)
    classes = train_run(configure(tmp_path, source="demo:wine", target="cultivar", name="classes"))
    assert metrics_of(classes)["metric"] == "accuracy"
    assert metrics_of(classes)["classes"] == ["class_0", "class_1", "class_2"]


def test_existing_folder_is_refused_and_untouched(finished, configure):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.name != "lock"}
    with pytest.raises(ArtifactError, match="exists already; go on with resume=True"):
        train_run(configure(finished.parent))
    assert before == {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.name != "lock"}


def test_resuming_nothing(configure, tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        train_run(configure(tmp_path), resume=True)
    assert not (tmp_path / "tiny").exists()
    with pytest.raises(ArtifactError, match=r"has no config\.yaml"):
        resume_run(tmp_path)


def test_resuming_with_another_configuration(finished, configure):
    with pytest.raises(ArtifactError, match=r"begun with training\.epochs=3, got 4"):
        train_run(configure(finished.parent, "training.epochs=4"), resume=True)


def test_resuming_with_a_changed_table(configure, table, tmp_path):
    path = tmp_path / "t.csv"
    table.to_pandas().to_csv(path, index=False)
    configuration = configure(tmp_path, "training.epochs=1", source=str(path))
    folder = train_run(configuration)
    path.write_text(path.read_text().replace("17.99", "18.99", 1))
    with pytest.raises(ArtifactError, match="has changed since"):
        resume_run(folder)


def test_finished_models_are_not_trained_again(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "moved")
    (folder / "metrics.json").unlink()
    (folder / "checkpoints" / "linear.outcome.safetensors").unlink()
    kept = (folder / "checkpoints" / "hybrid.outcome.safetensors").stat().st_mtime_ns
    resume_run(folder)
    assert (folder / "checkpoints" / "hybrid.outcome.safetensors").stat().st_mtime_ns == kept
    log = (folder / "log.txt").read_text()
    assert "hybrid quantum model: already trained" in log
    before, after = metrics_of(finished), metrics_of(folder)
    for metrics in (before, after):
        metrics["models"]["linear"].pop("seconds_training")
        metrics["models"]["linear"].pop("seconds_prediction")
        metrics["models"]["linear"].pop("rounds")
        metrics.pop("name")
    assert before == after


def test_importance_is_of_the_hybrid_model_and_the_best_of_the_others(finished):
    found, metrics = json.loads((finished / "importance.json").read_text()), metrics_of(finished)
    others = {key: model["test"]["roc_auc"] for key, model in metrics["models"].items() if key != "hybrid"}
    assert list(found["models"]) == ["hybrid", max(others, key=others.get)]
    columns = {each["column"] for each in found["models"]["hybrid"]["importance"]}
    assert len(columns) == 6
    assert found["models"]["hybrid"]["dependence"]
