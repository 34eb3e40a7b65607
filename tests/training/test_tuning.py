"""Tuning: trials on the validation rows, the best configuration, what cannot be tuned."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from qloom.errors import ArtifactError, ConfigError
from qloom.training import load_configuration
from qloom.training.trials import best_of
from qloom.training.tuning import parse_choices, tune

CHOICES = {"model.n_layers": [1, 2], "training.learning_rate": [0.001, 0.03], "model.n_qubits": [2, 3]}


@pytest.fixture(scope="module")
def tuned(configure, tmp_path_factory):
    configuration = configure(tmp_path_factory.mktemp("tuning"), source="demo:wine", target="cultivar")
    return configuration, tune(configuration, CHOICES, 6, "random")


def test_trials_are_different_and_written(tuned):
    configuration, trials = tuned
    assert len({tuple(trial.settings.values()) for trial in trials}) == 6
    kept = json.loads((configuration.folder / "trials.json").read_text())
    assert [entry["settings"] for entry in kept] == [trial.settings for trial in trials]
    with (configuration.folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [trial.loss for trial in trials]


def test_best_configuration_is_that_of_the_lowest_loss(tuned):
    configuration, trials = tuned
    best = load_configuration(configuration.folder / "best.yaml")
    lowest = min(trials, key=lambda trial: trial.loss)
    settings = (best.model.n_layers, best.training.learning_rate, best.model.n_qubits)
    assert settings == tuple(lowest.settings[key] for key in CHOICES)
    assert best_of(trials) is lowest
    assert (best.data, best.split, best.seed) == (configuration.data, configuration.split, configuration.seed)


def test_test_rows_do_not_count(configure, tmp_path, monkeypatch):
    """With NaN in the place of the test rows the trials are the same."""
    from qloom.training import tuning

    def spoilt(*given):
        data = prepared(*given)
        data.test.x.fill_(np.nan)
        return data

    configuration = configure(tmp_path / "a", source="demo:wine", target="cultivar")
    clean = tune(configuration, {"model.n_layers": [1, 2]}, 2, "random")
    prepared = tuning.prepare_table
    monkeypatch.setattr(tuning, "prepare_table", spoilt)
    other = tune(
        configuration.model_copy(update={"output": str(tmp_path / "b")}), {"model.n_layers": [1, 2]}, 2, "random"
    )
    assert [trial.loss for trial in clean] == [trial.loss for trial in other]


@pytest.mark.parametrize("sampler", ["surrogate", "tpe"])
def test_all_combinations_are_tried_where_trials_suffice(configure, tmp_path, sampler):
    configuration = configure(tmp_path, "training.epochs=1", source="demo:diabetes", target="progression")
    trials = tune(configuration, {"model.n_layers": [1, 2], "model.n_qubits": [1, 2]}, 50, sampler)
    assert sorted(tuple(trial.settings.values()) for trial in trials) == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_a_trial_that_fails_is_noted(configure, tmp_path):
    configuration = configure(tmp_path, source="demo:diabetes", target="progression")
    trials = tune(configuration, {"training.learning_rate": [1e30, 0.01]}, 2, "random")
    failed = [trial for trial in trials if trial.loss is None]
    assert len(failed) == 1
    assert failed[0].error
    assert best_of(trials).settings == {"training.learning_rate": 0.01}
    with pytest.raises(ConfigError, match="no trial came to an end"):
        best_of(failed)


def test_values_are_checked_before_the_first_trial(configure, tmp_path):
    configuration = configure(tmp_path, source="demo:wine", target="cultivar")
    with pytest.raises(ConfigError, match=r"model\.n_layers is 0"):
        tune(configuration, {"model.n_layers": [1, 0]}, 2)
    with pytest.raises(ConfigError, match="trials=0"):
        tune(configuration, {"model.n_layers": [1, 2]}, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_trials_is_refused(tuned):
    configuration, _ = tuned
    with pytest.raises(ArtifactError, match="has trials already"):
        tune(configuration, CHOICES, 2, "random")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "nothing to tune"),
        (["model.n_layers"], "expected key=a,b,c"),
        (["model.n_layers=[1"], "expected key=a,b,c"),
        (["model.n_layer=1,2"], "did you mean 'model.n_layers'"),
        (["model.n_layers=1,1"], "expected each value once"),
        (["split.test=0.1,0.2"], "expected keys of model or training"),
        (["model.n_layers=1", "model.n_layers=2"], "each once"),
    ],
)
def test_choices_that_cannot_be_read(texts, message):
    with pytest.raises(ConfigError, match=message):
        parse_choices(texts)


def test_choices_are_read_as_yaml():
    assert parse_choices(["training.refit=null,ridge", "model.dropout=0,0.5"]) == {
        "training.refit": [None, "ridge"], "model.dropout": [0, 0.5],
    }  # fmt: skip
