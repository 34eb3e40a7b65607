"""`qloom compare`: two real runs side by side, at 80 columns and as JSON."""

import json

import pytest


@pytest.fixture(scope="module")
def second(trained, tmp_path_factory):
    """A run on the same table with other settings."""
    from qloom.cli import main

    words = ("--seeds", "3", "--set", "model.n_qubits=2", "--set", "model.n_layers=1", "--epochs", "1")
    with pytest.raises(SystemExit) as ended:
        main(["train", "demo:wine", "--output", str(trained.parent), "--name", "second", *words])
    assert not ended.value.code
    return trained.parent / "second"


def test_side_by_side_in_80_columns(qloom, trained, second, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ended = qloom("compare", trained, second)
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    words = " ".join(ended.out.split())
    assert "second and wine cut the same table alike in 2 rounds: differences are paired." in words
    assert "gradient boosting" in words


def test_json_has_no_nan(qloom, trained, second):
    found = json.loads(qloom("compare", trained, second, "--json").out, parse_constant=pytest.fail)
    assert [run["rounds"]["n"] for run in found["runs"]] == [2, 3]
    assert {each["model"] for each in found["differences"]} == set(found["runs"][0]["models"])


def test_mistakes_are_one_line(qloom, trained, tmp_path):
    assert qloom("compare", trained).err == "qloom: 1 run, expected at least two to compare; give more run folders\n"
    assert "has no metrics.json" in qloom("compare", trained, tmp_path).err
