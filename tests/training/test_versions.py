"""The ledger of versions: what is in force, and the way back."""

from __future__ import annotations

import json

import pytest

from qloom.errors import ArtifactError
from qloom.training.folder import find_model
from qloom.training.versions import LEDGER, VERSIONS, Ledger, Version, version_line


def entered(run, *, accepted=True) -> int:
    ledger = Ledger(run)
    number, folder = ledger.next_folder()
    (folder / "model").mkdir()
    data, how = {"source": "new.csv", "n_rows": 9}, {"method": "warm", "parts": "head"}
    ledger.enter(Version(number, ledger.number, data, how, {"loss": [0.5, 0.4]}, accepted, "was better"))
    return number


def test_without_versions_the_runs_own_model_is_in_force(tmp_path):
    ledger = Ledger(tmp_path)
    assert ledger.number == 0
    assert ledger.folder == tmp_path
    assert ledger.current == tmp_path / "model"
    assert find_model(tmp_path, None) == tmp_path
    assert version_line(tmp_path, None) == ""
    with pytest.raises(ArtifactError, match="no version before 0"):
        ledger.back()
    assert not (tmp_path / VERSIONS).exists()


def test_the_last_accepted_is_in_force_and_back_goes_step_by_step(tmp_path):
    assert [entered(tmp_path), entered(tmp_path, accepted=False), entered(tmp_path)] == [1, 2, 3]
    ledger = Ledger(tmp_path)
    assert ledger.number == 3
    assert [version.base for version in ledger.versions] == [0, 1, 1]
    assert find_model(tmp_path, None) == tmp_path / VERSIONS / "0003" / "model"
    assert version_line(tmp_path, None).startswith("version 3 ")
    assert version_line(tmp_path, "hybrid") == ""
    assert [Ledger(tmp_path).back(), Ledger(tmp_path).back()] == [1, 0]
    with pytest.raises(ArtifactError):
        Ledger(tmp_path).back()
    assert find_model(tmp_path, None) == tmp_path
    Ledger(tmp_path).accept(1)
    assert Ledger(tmp_path).number == 1
    assert entered(tmp_path) == 4


def test_what_a_killed_process_left_is_written_over(tmp_path):
    left = tmp_path / VERSIONS / "0001"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    number, folder = Ledger(tmp_path).next_folder()
    assert (number, list(folder.iterdir())) == (1, [])


@pytest.mark.parametrize("damage", [
    lambda record: record.update(version=9),
    lambda record: record.update(in_force=[0, 5]),
    lambda record: record.update(in_force=[]),
    lambda record: record["versions"][0].pop("rule"),
    lambda record: record.pop("versions"),
])  # fmt: skip
def test_damaged_ledgers_are_refused(tmp_path, damage):
    entered(tmp_path)
    path = tmp_path / VERSIONS / LEDGER
    record = json.loads(path.read_text())
    damage(record)
    path.write_text(json.dumps(record))
    with pytest.raises(ArtifactError, match=r"damaged|version"):
        Ledger(tmp_path)
    path.write_text("{")
    with pytest.raises(ArtifactError, match="not JSON"):
        Ledger(tmp_path)


def test_a_version_without_its_folder_can_be_left(tmp_path):
    entered(tmp_path)
    (tmp_path / VERSIONS / "0001" / "model").rmdir()
    with pytest.raises(ArtifactError, match="--back"):
        find_model(tmp_path, None)
    assert Ledger(tmp_path).back() == 0


def test_unknown_numbers_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="no version 7"):
        Ledger(tmp_path).accept(7)
    entered(tmp_path, accepted=False)
    with pytest.raises(ArtifactError, match="no version 1"):
        Ledger(tmp_path).accept(1)
