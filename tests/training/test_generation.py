"""From a table to synthetic rows: what pairs say comes back with a model of pairs, and not without."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qloom.errors import ArtifactError, ConfigError, DataError
from qloom.models.generative.competitors import COMPETITORS, Competitor, controls_of
from qloom.training.generation import Generation, generate
from qloom.training.generation_folder import GenerationFolder, find_model, read_coding


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> str:
    """A column that is a copy of another nine times of ten, and one that is of no other."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2, 600)
    second = np.where(rng.random(600) < 0.9, first, 1 - first)
    table = pa.table({
        "first": np.array(["no", "yes"])[first], "second": np.array(["left", "right"])[second],
        "other": np.round(rng.normal(size=600), 3), "fixed": ["same"] * 600,
    })  # fmt: skip
    path = tmp_path_factory.mktemp("table") / "pairs.parquet"
    pq.write_table(table, path)
    return str(path)


@pytest.fixture(scope="module")
def made(source, tmp_path_factory):
    """A run of the Chow-Liu tree: its rows, folder and what it said."""
    folder, said = tmp_path_factory.mktemp("runs") / "pairs", []
    rows = generate(Generation(source, 1000, "chow-liu", target="second", time_limit=0.2), folder, said.append)
    return rows, GenerationFolder(folder), said


def agreement(rows: pa.Table) -> float:
    first, second = (np.array(rows[name].to_pylist()) for name in ("first", "second"))
    return float(((first == "yes") == (second == "right")).mean())


def test_a_tree_brings_the_dependency_back_and_independent_bits_do_not(made):
    """Nine of ten rows agree; 450 training rows and 1,000 drawn ones are off by .014 and .009: five deviations. Half of
    the rows agree by chance."""
    rows, folder, _ = made
    assert rows.num_rows == 1000
    assert abs(agreement(rows) - 0.9) < 5 * np.hypot(0.014, 0.009)
    independent = find_model(folder.path, "independent")
    coding = read_coding(independent)
    from qloom.models import load_model

    drawn = coding.decode(load_model(independent).sample(1000, random_state=0), 0)
    assert abs(agreement(drawn) - 0.5) < 5 * 0.016 + 0.01
    assert rows["fixed"].to_pylist() == ["same"] * 1000


def test_every_figure_of_model_controls_and_real_rows(made):
    _, folder, said = made
    record = folder.metrics()
    assert list(record["models"]) == ["chow-liu", *(each.name for each in controls_of("chow-liu")), "real"]
    assert [each["role"] for each in record["models"].values()][:2] == ["asked for", "control"]
    tree, independent, real = (record["models"][name] for name in ("chow-liu", "independent", "real"))
    assert abs(tree["usefulness"][0] - real["usefulness"][0]) < 0.15
    assert real["usefulness"][0] > 0.8
    assert independent["usefulness"][0] < 0.75
    assert tree["pairs"] < 0.2 < independent["pairs"]
    assert record["n_rows"] == {"training": 450, "held out": 150, "written": 1000}
    assert "450 training rows and 150 held out, 5 bits" in said
    assert "column 'fixed' is the same in every row and comes back so" in said


def test_models_are_kept_with_their_coding_and_without_pickle(made):
    _, folder, _ = made
    files = sorted(str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file())
    each = ("coding.json", "model.json", "weights.safetensors")
    controls = [f"controls/{other.name}/{name}" for other in controls_of("chow-liu") for name in each]
    expected = [*controls, *(f"model/{name}" for name in each), "environment.json", "lock", "metrics.json"]
    assert files == sorted(expected)


def test_the_same_seed_gives_the_same_rows(source, made, tmp_path):
    asked = Generation(source, 1000, "chow-liu", time_limit=0.2)
    assert generate(asked, tmp_path / "again").equals(made[0])


def test_a_finished_run_and_another_run_are_not_written_over(source, made, tmp_path):
    with pytest.raises(ArtifactError, match="exists already, expected a new one; choose another name"):
        generate(Generation(source), made[1].path)
    (tmp_path / "config.yaml").write_text("")
    with pytest.raises(ArtifactError, match="exists already"):
        generate(Generation(source), tmp_path)


def test_too_many_bits_name_the_coding_that_has_fewer(source, monkeypatch, tmp_path):
    narrow = Competitor("narrow", "narrow model", "", "IndependentBits", most_bits=3)
    monkeypatch.setitem(COMPETITORS, "narrow", narrow)
    told = (
        r"3 columns are 5 bits, expected at most 3 for rows of narrow; 3 are enough with bins=2 categories='binary', "
        r"or take fewer columns with columns=\.\.\., or take another model such as chow-liu"
    )
    with pytest.raises(ConfigError, match=told):
        generate(Generation(source, model="narrow"), tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert (
        generate(Generation(source, 10, "narrow", coding=(("bins", 2),), time_limit=0.2), tmp_path / "b").num_rows == 10
    )


def test_what_is_taken_where_no_model_is_named_is_said(source, monkeypatch, tmp_path):
    monkeypatch.setitem(COMPETITORS, "narrow", Competitor("narrow", "narrow model", "", "IndependentBits", most_bits=3))
    monkeypatch.setattr("qloom.training.generation.USUAL", ("narrow", "chow-liu"))
    said = []
    generate(Generation(source, 10, time_limit=0.2), tmp_path / "a", said.append)
    assert "Chow-Liu tree is taken: 3 columns are 5 bits" in "\n".join(said)


def test_models_that_need_fewer_columns_than_there_are(source, monkeypatch, tmp_path):
    monkeypatch.setitem(COMPETITORS, "tiny", Competitor("tiny", "tiny model", "", "IndependentBits", most_bits=1))
    with pytest.raises(ConfigError, match=r"expected at most 1 for rows of tiny; take fewer columns with columns="):
        generate(Generation(source, model="tiny"), tmp_path / "a")


@pytest.mark.parametrize(("asked", "error", "message"), [
    ({"rows": 0}, ConfigError, "rows=0, expected an integer of at least 1"),
    ({"time_limit": 0.0}, ConfigError, "time_limit=0.0, expected seconds above 0"),
    ({"seed": -1}, ConfigError, "seed=-1"),
    ({"model": "gan"}, ConfigError, "no model 'gan', expected one of iqp, "),
    ({"columns": ("frst",)}, DataError, "no column 'frst' .* did you mean 'first'"),
    ({"target": "secnd"}, DataError, "no column 'secnd' .* did you mean 'second'"),
    ({"query": "select * from data limit 39"}, DataError, "has 39 rows, expected at least 40"),
    ({"columns": ("fixed",)}, DataError, "no column of 1 can be coded and varies"),
    ({"coding": (("bins", 1),)}, ConfigError, "bins=1"),
])  # fmt: skip
def test_what_cannot_be_asked_for(source, asked, error, message, tmp_path):
    with pytest.raises(error, match=message):
        generate(Generation(source, **asked), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_records_that_are_damaged(made, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    with pytest.raises(ArtifactError, match=r"has no coding\.json"):
        read_coding(model)
    (model / "coding.json").write_text("[]")
    with pytest.raises(ArtifactError):
        read_coding(model)
    for content, message in (({"format": "qloom.run"}, "is not the record of generated rows"), (
        {"format": "qloom.generation", "version": 9}, "has version 9",
    )):  # fmt: skip
        (tmp_path / "metrics.json").write_text(json.dumps(content))
        with pytest.raises(ArtifactError, match=message):
            GenerationFolder(tmp_path).metrics()
    with pytest.raises(ArtifactError, match="has no model 'rbn', expected one of chow-liu"):
        find_model(made[1].path, "rbn")
