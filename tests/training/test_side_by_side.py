"""Runs beside each other: paired where they cut one table alike, else not, refused where they cannot be compared."""

import json
import math
import shutil

import numpy as np
import pytest
import scipy.stats

from qloom.errors import ArtifactError, ConfigError
from qloom.training.side_by_side import compare_runs

SPLITS = ["a", "b", "c", "d", "e"]
ROWS = {"train": 650, "validation": 150, "test": 200}


def write_run(folder, scores, splits=SPLITS, table="t", metric="roc_auc", **changes):
    folder.mkdir()
    models = {
        key: {"title": key, "test": {metric: float(np.mean(values))}, "interval": None,
              "deviation": {metric: float(np.std(values, ddof=1))}, "rounds": [{"test": {metric: v}} for v in values]}
        for key, values in scores.items()
    }  # fmt: skip
    each = [{"number": k + 1, "n_rows": ROWS, "split_sha256": split} for k, split in enumerate(splits)]
    metrics = {
        "format": "qloom.run", "version": 2, "name": folder.name, "target": "y", "task": "classification",
        "metric": metric, "margin": 0.01, "unjudged": None, "verdict": "v", "n_rows": ROWS, "models": models,
        "rounds": {"n": len(splits), "kind": "random splits", "each": each}, **changes,
    }  # fmt: skip
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "environment.json").write_text(json.dumps({"table_sha256": table}))
    return folder


BEFORE, NOW = np.array([0.80, 0.70, 0.75, 0.82, 0.78]), np.array([0.85, 0.76, 0.79, 0.88, 0.83])


def only(found):
    (difference,) = found["differences"]
    return difference


def test_rounds_on_the_same_split_are_paired(tmp_path):
    runs = write_run(tmp_path / "a", {"hybrid": BEFORE}), write_run(tmp_path / "b", {"hybrid": NOW})
    found = only(compare_runs(runs))
    gains = NOW - BEFORE
    half = scipy.stats.t.ppf(0.975, 4) * math.sqrt((1 / 5 + 200 / 800) * gains.var(ddof=1))
    assert found["paired_rounds"] == 5
    np.testing.assert_allclose((found["low"], found["high"]), (gains.mean() - half, gains.mean() + half))
    assert (found["run"], found["against"], found["outcome"]) == ("b", "a", "better")


def test_rounds_are_paired_by_their_split_not_by_their_number(tmp_path):
    runs = write_run(tmp_path / "a", {"hybrid": BEFORE}), write_run(tmp_path / "b", {"hybrid": NOW[::-1]}, SPLITS[::-1])
    assert only(compare_runs(runs))["difference"] == pytest.approx((NOW - BEFORE).mean())
    assert only(compare_runs(runs))["deviation"] == pytest.approx((NOW - BEFORE).std(ddof=1))


@pytest.mark.parametrize("other", [{"table": "other"}, {"splits": ["f", "g", "h", "i", "j"]}])
def test_other_tables_or_splits_are_compared_unpaired_and_show_less(tmp_path, other):
    runs = write_run(tmp_path / "a", {"hybrid": BEFORE}), write_run(tmp_path / "b", {"hybrid": NOW}, **other)
    found = only(compare_runs(runs))
    plain = scipy.stats.ttest_ind(NOW, BEFORE, equal_var=False).confidence_interval(0.95)
    assert found["paired_rounds"] == 0
    assert found["outcome"] == "undecided"
    # Welch's interval, wider by the root of (1/5 + 1/4) over 1/5.
    widened = (plain.high - plain.low) * math.sqrt(0.45 / 0.2)
    assert found["high"] - found["low"] == pytest.approx(widened)
    assert found["difference"] == pytest.approx((NOW - BEFORE).mean())


def test_of_errors_less_is_better(tmp_path):
    scores = {"a": NOW, "b": BEFORE}
    runs = [write_run(tmp_path / name, {"hybrid": values}, metric="rmse") for name, values in scores.items()]
    assert only(compare_runs(runs))["difference"] == pytest.approx((NOW - BEFORE).mean())


def test_no_words_where_a_run_has_no_verdict(tmp_path):
    first = write_run(tmp_path / "a", {"hybrid": BEFORE})
    found = only(compare_runs([first, write_run(tmp_path / "b", {"hybrid": NOW}, unjudged="2 test rows")]))
    assert (found["outcome"], found["low"], found["unjudged"]) == (None, None, "2 test rows")


def test_a_run_is_no_better_than_itself(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    found = compare_runs([finished, tmp_path / "copy"])
    assert len(found["differences"]) == 5
    assert all(each["difference"] == 0 and each["paired_rounds"] == 2 for each in found["differences"])


@pytest.mark.parametrize(("changes", "message"), [
    ({"target": "z"}, "a has target 'y' and b has 'z'"),
    ({"task": "regression"}, "task"),
    ({"metric": "accuracy"}, "metric"),
])  # fmt: skip
def test_other_questions_are_refused(tmp_path, changes, message):
    runs = write_run(tmp_path / "a", {"hybrid": BEFORE}), write_run(tmp_path / "b", {"hybrid": NOW}, **changes)
    with pytest.raises(ConfigError, match=message):
        compare_runs(runs)


def test_what_is_no_finished_run(tmp_path):
    run = write_run(tmp_path / "a", {"hybrid": BEFORE})
    with pytest.raises(ConfigError, match="at least two"):
        compare_runs([run])
    with pytest.raises(ArtifactError, match=r"has no metrics\.json"):
        compare_runs([run, tmp_path])
    old = write_run(tmp_path / "old", {"hybrid": BEFORE}, version=1)
    with pytest.raises(ArtifactError, match=r"version 1, expected 2.*--resume"):
        compare_runs([run, old])


def test_runs_of_one_name_are_told_apart_by_their_path(tmp_path):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    runs = [write_run(tmp_path / name / "run", {"hybrid": BEFORE}) for name in ("x", "y")]
    assert [run["run"] for run in compare_runs(runs)["runs"]] == [str(run) for run in runs]
