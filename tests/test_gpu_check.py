"""The script that checks a GPU: what it says without one, and what it does, in order, where there is one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from qloom.cli.gpu import has_driver

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "gpu_check.sh"

# In place of Python: writes down what it is asked for, and fails where it is told to.
FAKE = """#!/bin/sh
case "$*" in
-) cat > /dev/null; echo "$GPUS" ;;
-*pip*) cat > /dev/null ;;
*) echo "$*" >> "$ASKED" ;;
esac
case "$*" in $FAILING) exit 1 ;; esac
"""


def check(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script, called from another folder."""
    given = {**os.environ, "ASKED": str(folder / "asked.txt"), "FAILING": "nothing", **environment}
    return subprocess.run([str(SCRIPT)], cwd=folder, env=given, capture_output=True, text=True)


@pytest.fixture
def fake(tmp_path):
    path = tmp_path / "python"
    path.write_text(FAKE)
    path.chmod(0o755)
    return path


def asked(folder: Path) -> list[str]:
    return (folder / "asked.txt").read_text().splitlines()


@pytest.mark.skipif(has_driver(), reason="a driver for GPUs is installed")
def test_without_a_gpu_it_ends_with_a_line(tmp_path):
    ended = check(tmp_path)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == "qloom: no GPU here: CUDA's driver finds none, expected one; see nvidia-smi\n"


def test_a_driver_that_finds_none(tmp_path, fake):
    ended = check(tmp_path, PYTHON=str(fake), GPUS="0")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("qloom: no GPU here")


def test_python_that_is_not_there(tmp_path):
    ended = check(tmp_path, PYTHON="/nowhere/python")
    assert ended.returncode == 1
    assert ended.stderr.startswith("qloom: /nowhere/python is not found, expected Python 3.11 or later")


def test_all_parts_in_order(tmp_path, fake):
    ended = check(tmp_path, PYTHON="./python", GPUS="1")  # of the folder that it is called from
    assert ended.returncode == 0, ended.stderr
    doctor, tests, *measured = asked(tmp_path)
    assert doctor == "-m qloom doctor --gpu"
    assert tests.startswith("-m pytest ")
    assert all((SCRIPT.parents[1] / test).exists() for test in tests.split()[-2:])
    assert measured == [f"-m benchmarks.gpu{word}" for word in ("", ".peers", " --table")]


def test_what_fails_is_named_and_the_rest_is_done(tmp_path, fake):
    ended = check(tmp_path, PYTHON=str(fake), GPUS="2", FAILING="*-m pytest*")
    assert ended.returncode == 1
    assert len(asked(tmp_path)) == 5
    assert ended.stderr == "qloom: these failed or were stopped: tests\n"


def test_what_takes_too_long_is_stopped(tmp_path, fake):
    fake.write_text(FAKE.replace("*) echo", "*peers*) exec sleep 30 ;;\n*) echo"))
    ended = check(tmp_path, PYTHON=str(fake), GPUS="1", PEERS_SECONDS="0.2")
    assert ended.returncode == 1
    assert "other systems: stopped after 0.2 s" in ended.stdout
    assert ended.stderr.endswith("stopped: other systems\n")
