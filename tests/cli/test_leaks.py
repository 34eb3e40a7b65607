"""Leaks at the command line: said when training, refused when evaluating, and what is new when predicting."""

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from qloom.training.demonstrations import demonstration_table


@pytest.fixture
def wine(tmp_path):
    """The table of the trained run."""
    return demonstration_table("demo:wine").to_pandas()


def held_out(trained):
    return pd.read_parquet(trained / "predictions.parquet").row.to_numpy()


def test_training_by_patient(qloom, tmp_path, small):
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(30), 6)
    frame = pd.DataFrame({"patient_id": who, "x": who / 7 % 1 + 0.01 * rng.normal(size=180), "ill": who * 7 % 3 % 2})
    frame.to_csv("t.csv", index=False)
    words = ("t.csv", "--target", "ill", *small, "--seeds", "1")
    ended = qloom("train", *words)
    assert "tell each other's target (AUC 1.000)" in ended.out
    assert "keep them together with --group 'patient_id'" in ended.out
    ended = qloom("train", *words, "--group", "patient_id", "--name", "grouped")
    assert ended.code == 0, ended.err
    assert "keep them together" not in ended.out
    assert "column 'patient_id' is not used" in ended.out
    metrics = json.loads((tmp_path / "runs" / "grouped" / "metrics.json").read_text())
    assert metrics["split"] == "group"
    predictions = pd.read_parquet(tmp_path / "runs" / "grouped" / "predictions.parquet")
    test = predictions.row.to_numpy()
    assert predictions["id:patient_id"].tolist() == who[test].tolist()
    assert not set(who[test]) & set(np.delete(who, test))


def test_group_that_is_the_target(qloom, small, tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i}.5,{i % 2}\n" for i in range(60)))
    assert "group column 'y' is the target" in qloom("train", "t.csv", "--target", "y", "--group", "y", *small).err


def test_evaluation_on_training_rows_is_refused_unless_it_is_meant(qloom, trained, wine):
    wine.drop(index=held_out(trained)).to_csv("seen.csv", index=False)
    n = len(wine) - len(held_out(trained))
    ended = qloom("evaluate", trained, "seen.csv")
    assert ended.code == 2
    assert ended.out == ""
    assert f"{n} of {n} rows were training rows" in ended.err
    meant = qloom("evaluate", trained, "seen.csv", "--force", "--json")
    assert json.loads(meant.out)["n_training_rows"] == n
    assert meant.err == f"{n} of {n} rows were training rows: the scores flatter\n"


def test_evaluation_on_some_training_rows_says_so(qloom, trained, wine):
    test = held_out(trained)
    some = np.setdiff1d(np.arange(len(wine)), test)[:10]
    wine.loc[np.r_[test, some]].sample(frac=1, random_state=0).to_csv("mixed.csv", index=False)
    ended = qloom("evaluate", trained, "mixed.csv")
    assert ended.code == 0
    assert ended.err == f"10 of {len(test) + 10} rows were training rows: the scores flatter\n"
    wine.loc[test].iloc[:, ::-1].assign(more=1).to_parquet("new.parquet")
    assert qloom("evaluate", trained, "new.parquet").err == ""


def test_model_saved_without_its_rows(qloom, trained, wine, tmp_path):
    folder = shutil.copytree(trained / "model", tmp_path / "model")
    (folder / "training_rows.npy").unlink()
    wine.to_csv("t.csv", index=False)
    ended = qloom("evaluate", folder, "t.csv")
    assert ended.code == 0
    assert "saved without its training rows" in ended.err
    (folder / "training_rows.npy").write_bytes(b"odd")
    assert "training_rows.npy is damaged" in qloom("evaluate", folder, "t.csv").err


def test_one_class_is_answered_in_words(qloom, trained, wine):
    rows = wine.loc[held_out(trained)]
    rows[rows.cultivar == "class_1"].to_csv("one.csv", index=False)
    said = qloom("evaluate", trained, "one.csv")
    assert "macro ROC AUC not defined: every row is of the class 'class_1'" in " ".join(said.out.split())
    found = json.loads(qloom("evaluate", trained, "one.csv", "--json").out)  # NaN would not be JSON
    assert found["scores"]["macro_roc_auc"] == [None, None, None]
    assert found["undefined"] == {"macro_roc_auc": "every row is of the class 'class_1'"}


def test_prediction_says_what_is_new_and_copies_ids(qloom, trained, wine):
    rows = wine.head(19).assign(bottle=[f"b{i}" for i in range(19)])
    rows.loc[3, "alcohol"] = 40.0
    rows.to_csv("new.csv", index=False)
    ended = qloom("predict", trained, "new.csv", "--id", "bottle")
    found = pd.read_csv(io.StringIO(ended.out), keep_default_na=False)
    assert list(found.columns[:3]) == ["row", "bottle", "prediction"]
    assert list(found.bottle) == list(rows.bottle)
    assert found.unseen[3].startswith("alcohol is above 14.")
    assert "rows hold what training had not seen" in ended.err
    assert "in 1 of 19 rows" in ended.err
    assert "did you mean 'alcohol'" in qloom("predict", trained, "new.csv", "--id", "alcohl").err
    assert qloom("predict", trained, "new.csv", "--id", "unseen").code == 2
