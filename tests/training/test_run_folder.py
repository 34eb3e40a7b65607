"""The run folder: whole files, one process at a time, nothing left where nothing was written."""

import subprocess
import sys
from pathlib import Path

import pytest

from qloom.errors import ArtifactError
from qloom.files import read_json, replace_file, write_json
from qloom.training import folder as folder_module
from qloom.training.lock import locked

HOLD = """
import sys
from pathlib import Path
from qloom.training.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_folder_in_use(holder, tmp_path):
    with pytest.raises(ArtifactError, match=f"in use by process {holder.pid}"), locked(tmp_path / "run"):
        pass


def test_folder_is_free_again_after_kill(holder, tmp_path):
    holder.kill()
    holder.wait()
    with locked(tmp_path / "run"):
        pass


def test_unused_folder_is_removed(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "a" / "run"):
        raise ZeroDivisionError
    assert not (tmp_path / "a" / "run").exists()


def test_used_folder_stays(tmp_path):
    with locked(tmp_path / "run"):
        (tmp_path / "run" / "file").write_text("x")
    assert (tmp_path / "run" / "file").read_text() == "x"


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactError, match="cannot be made"), locked(tmp_path / "file" / "run"):
        pass


def test_failed_write_leaves_the_old_file(tmp_path):
    path = write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": 1}
    replace_file(path, b"{")
    with pytest.raises(ArtifactError, match="is not JSON"):
        read_json(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_files_are_named_in_one_place():
    """What writes and reads the files of a run is one module."""
    names = [name for name in vars(folder_module).values() if isinstance(name, str) and Path(name).suffix]
    assert {"config.yaml", "metrics.json", "predictions.parquet", "rounds.json"} <= set(names)
    root = Path(folder_module.__file__).parents[1]
    for path in root.rglob("*.py"):
        if path != Path(folder_module.__file__):
            assert not [name for name in names if f'"{name}"' in path.read_text("utf-8")], path
