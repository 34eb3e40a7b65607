"""`qloom predict` and `evaluate` with any model of a run; several targets are refused."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet as parquet
import pytest

from qloom.training.folder import NAMES


def test_every_model_predicts_new_rows(qloom, trained):
    recorded = parquet.read_table(trained / "predictions.parquet").to_pandas().set_index("row")
    for name in NAMES:
        ended = qloom("predict", trained, "demo:wine", "--model", name)
        assert ended.code == 0
        rows = list(csv.DictReader(io.StringIO(ended.out)))
        assert len(rows) == 178
        key = {"separable": "hybrid_separable", "classical": "hybrid_classical"}.get(name, name)
        if key != "best":
            found = [float(rows[row]["probability:class_0"]) for row in recorded.index]
            np.testing.assert_allclose(found, recorded[f"{key}:probability:class_0"], atol=1e-9)


def test_the_best_model_is_evaluated_by_a_score_of_choice(qloom, trained):
    ended = qloom("evaluate", trained, "demo:wine", "--model", "best", "--metric", "macro_f1", "--force", "--json")
    assert ended.code == 0
    scores = json.loads(ended.out)["scores"]
    assert next(iter(scores)) == "macro_f1"
    ended = qloom("evaluate", trained, "demo:wine", "--metric", "rmse", "--force")
    assert ended.code != 0
    assert "metric is 'rmse' for more classes, expected one of accuracy" in ended.err


@pytest.mark.parametrize(("name", "message"), [("forest", "no model 'forest', expected one of hybrid"),
                                               ("linear", "holds no linear model")])  # fmt: skip
def test_a_model_that_is_not_there(qloom, trained, tmp_path, name, message):
    ended = qloom("predict", trained / "model", "demo:wine", "--model", name)
    assert ended.code != 0
    assert message in ended.err


def test_several_targets_are_refused(qloom, tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c\n" + "1,2,3\n4,5,6\n" * 20)
    for words in (("--target", "a,b"), ("--target", "a", "--target", "b")):
        ended = qloom("train", "t.csv", *words)
        assert ended.code != 0
        assert "expected one: a run predicts one target" in ended.err
