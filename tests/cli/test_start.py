"""On a terminal something shows at once, and it is gone when the command speaks."""

import os
import pty
import resource
import subprocess
import sys
import time

import pytest
from pyarrow import parquet

from qloom.training.demonstrations import demonstration_table

HEAVY = {"torch", "sklearn", "scipy", "pandas", "matplotlib", "duckdb"}


@pytest.mark.alone
def test_sign_on_a_terminal():
    """The first sign comes before the command's imports, so it waits for the interpreter and typer alone."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        os.execv(sys.executable, [sys.executable, "-m", "qloom", "predict", "none", "none.csv"])
    shown, first = b"", None
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the end of a terminal on Linux
            break
        if not part:
            break
        first = first or time.perf_counter() - began
        shown += part
    os.waitpid(pid, 0)
    total = time.perf_counter() - began
    assert shown.startswith(b"qloom predict is starting ...")
    assert b"\r\x1b[Kqloom: none does not exist" in shown
    assert first < 0.6 * total, "most of the time went by without a sign"


def test_quick_commands_load_nothing_heavy(trained, tmp_path):
    """What CPU they take is what they import: no torch, no scikit-learn, and no pandas by way of Arrow."""
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i}.5,{i % 2}\n" for i in range(60)))
    for words in (
        ["init", f"{tmp_path}/t.csv", "--target", "y", "--output", f"{tmp_path}/t.yaml"],
        ["doctor"],
        ["predict", str(trained), f"{tmp_path}/wine.parquet"],
        ["evaluate", str(trained), f"{tmp_path}/wine.parquet", "--force"],
    ):
        demonstration(tmp_path)
        code = (
            f"import sys; from qloom.cli import main\ntry: main({words!r})\n"
            f"except SystemExit as ended: assert not ended.code\n"
            f"loaded = {HEAVY!r} & set(sys.modules); assert not loaded, ({words[0]!r}, loaded)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def demonstration(folder):
    """The table of the trained run, as a file."""
    path = folder / "wine.parquet"
    if not path.exists():
        parquet.write_table(demonstration_table("demo:wine"), path)


def cpu_seconds(*words):
    """Of a process, with what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.slow
def test_predicting_takes_less_than_importing_torch(trained, tmp_path):
    """Six starts; that nothing heavy is loaded, which is what takes the time, the test above holds on every run."""
    demonstration(tmp_path)
    torch = min(cpu_seconds("-c", "import torch") for _ in range(2))
    predict = min(cpu_seconds("-m", "qloom", "predict", trained, tmp_path / "wine.parquet") for _ in range(2))
    doctor = min(cpu_seconds("-m", "qloom", "doctor") for _ in range(2))
    assert predict < torch
    assert doctor < 0.5 * torch
