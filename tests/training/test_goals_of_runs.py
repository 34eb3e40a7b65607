"""Runs with a main score, a loss, weights or a threshold of one's own, and their best model on new rows."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
import pytest
from sklearn.metrics import f1_score, log_loss, mean_pinball_loss

from qloom.errors import ConfigError, DataError
from qloom.models.tables.served import read_served
from qloom.training import train_run
from qloom.training.folder import best_model, find_model


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture
def rare(tmp_path):
    """A table with a class of one row in eight, a skewed number and a weight."""
    random = np.random.default_rng(0)
    x = random.normal(size=(240, 2))
    columns = {
        "a": x[:, 0], "b": x[:, 1], "rare": np.where(x[:, 0] + 0.7 * random.normal(size=240) > 1.3, "yes", "no"),
        "cost": np.exp(2 * x[:, 0] + 0.3 * random.normal(size=240)), "n": random.integers(0, 3, 240),
    }  # fmt: skip
    arrow_csv.write_csv(pa.table(columns), tmp_path / "rare.csv")
    return str(tmp_path / "rare.csv")


def test_f1_at_a_chosen_threshold_is_the_main_score(configure, tmp_path, rare):
    changes = ("comparison.metric=f1", "training.threshold=f1", "comparison.seeds=1", "data.drop=[cost, n]")
    folder = train_run(configure(tmp_path, *changes, source=rare, target="rare"))
    metrics = metrics_of(folder)
    assert metrics["metric"] == "f1"
    assert any("yes is decided for above these probabilities, chosen for f1" in note for note in metrics["notes"])
    table = parquet.read_table(folder / "predictions.parquet").to_pandas()
    for key, model in metrics["models"].items():
        assert f1_score(table.target, table[f"{key}:prediction"], pos_label="yes") == pytest.approx(model["test"]["f1"])
        assert ((table[f"{key}:probability:yes"] > model["level"]) == (table[f"{key}:prediction"] == "yes")).all()


def test_a_lower_main_score_is_better(configure, tmp_path, rare):
    changes = ("comparison.metric=log_loss", "comparison.seeds=1", "data.drop=[cost, n]")
    folder = train_run(configure(tmp_path, *changes, source=rare, target="rare"))
    metrics = metrics_of(folder)
    scores = {key: model["test"]["log_loss"] for key, model in metrics["models"].items()}
    rows = (folder / "leaderboard.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == sorted(scores, key=scores.get)
    assert best_model(metrics) == min(scores, key=scores.get)
    for key, compared in metrics["comparison"].items():
        assert compared["difference"] == pytest.approx(scores[key] - scores["hybrid"])


def test_every_model_of_a_run_predicts_from_its_folder_as_recorded(finished, table):
    recorded = parquet.read_table(finished / "predictions.parquet").to_pandas()
    source = table.take(pa.array(recorded.row))
    for name in ("hybrid", "separable", "hybrid_classical", "linear", "boosting"):
        key = name if name in ("hybrid", "linear", "boosting") else f"hybrid_{name.removeprefix('hybrid_')}"
        found = read_served(find_model(finished, name)).predict_table(source)[:, 1]
        np.testing.assert_allclose(found, recorded[f"{key}:probability:malignant"], atol=1e-12)
    best = best_model(metrics_of(finished))
    assert find_model(finished, "best") == find_model(finished, best)


def test_weighted_rows_count_in_scores_and_not_as_a_feature(configure, tmp_path, rare):
    changes = ("data.weight=n", "comparison.seeds=1", "data.drop=[cost]", "training.epochs=1")
    folder = train_run(configure(tmp_path, *changes, source=rare, target="rare"))
    metrics, table = metrics_of(folder), parquet.read_table(folder / "predictions.parquet").to_pandas()
    source = arrow_csv.read_csv(rare).to_pandas()
    counted = source[source.n > 0].reset_index(drop=True)
    assert sum(metrics["n_rows"].values()) == len(counted)
    assert metrics["features"] == ["a", "b"]
    expected = log_loss(table.target == "yes", table["linear:probability:yes"], sample_weight=counted.n[table.row])
    assert metrics["models"]["linear"]["test"]["log_loss"] == pytest.approx(expected)


def test_skewed_numbers_and_quantiles(configure, tmp_path, rare):
    changes = ("comparison.seeds=1", "data.drop=[rare, n]")
    folder = train_run(configure(tmp_path, *changes, source=rare, target="cost"))
    assert any("learnt as its logarithm" in note for note in metrics_of(folder)["notes"])
    table = parquet.read_table(folder / "predictions.parquet").to_pandas()
    assert (table["hybrid:prediction"] > 0).all()
    changes = (*changes, "training.loss=quantile", "training.quantile=0.9")
    folder = train_run(configure(tmp_path, *changes, source=rare, target="cost", name="high"))
    metrics, table = metrics_of(folder), parquet.read_table(folder / "predictions.parquet").to_pandas()
    assert metrics["metric"] == "pinball"
    expected = mean_pinball_loss(table.target, table["boosting:prediction"], alpha=0.9)
    assert metrics["models"]["boosting"]["test"]["pinball"] == pytest.approx(expected)
    assert metrics["models"]["linear"]["title"] == "quantile regression"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [("comparison.metric=rmse", ConfigError, "metric is 'rmse' for two classes"),
     ("training.loss=poisson", ConfigError, "loss is 'poisson' for classification"),
     ("data.weight=weight", DataError, "weight"), ("data.weight=rare", DataError, "is the target"),
     ("data.weight=b", DataError, "expected finite numbers from 0 on")],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_a_file_is_written(configure, tmp_path, rare, change, error, message):
    with pytest.raises(error, match=message):
        train_run(configure(tmp_path, change, source=rare, target="rare"))
    assert not (tmp_path / "tiny" / "config.yaml").exists()
