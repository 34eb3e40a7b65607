"""Every kernel under sanitizers on the host: no address beyond an end, no race; and kernels that have one are found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qloom.engines.gpu.cuda import kernel_names
from qloom.engines.gpu.machine import KERNELS, digest, source_files
from tests.engines.gpu import kernel_script
from tests.engines.test_sanitizers import OPTIONS, ROOT, runtime

ADDRESS, THREAD = ("address,undefined", "libasan.so"), ("thread", "libtsan.so")
SLOWEST = 1200  # seconds
# Of a wrong kernel: its file, what comes before the place, what the right one has there, and what instead.
BARRIER = ("walk.h", "sweep_forward", "    Place::sync();\n", "")
END = ("state.h", "KERNEL(sum_rows)", "sums[threadIdx.x]", "sums[threadIdx.x + 1]")
SIGN = ("walk.h", "sweep_forward", "turn.tangent", "-turn.tangent")


def run(sanitizers: str, library: str, source: Path | str = "") -> subprocess.CompletedProcess[str]:
    """The script in a process of its own."""
    loaded = {"LD_PRELOAD": runtime(library)} if library else {}
    return subprocess.run(
        [sys.executable, kernel_script.__file__, sanitizers, str(source)], capture_output=True, text=True, cwd=ROOT,
        env=os.environ | OPTIONS | loaded | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, timeout=SLOWEST,
    )  # fmt: skip


def changed_kernels(folder: Path, change: tuple[str, str, str, str]) -> Path:
    """A copy of the sources with one place changed: in a file, the first such words after others."""
    for path in source_files(".h", ".hpp", ".cu"):
        shutil.copy(path, folder)
    name, after, old, new = change
    text = (folder / name).read_text()
    start = text.index(after)
    assert old in text[start:], f"{name} has no {old!r} after {after!r}"
    (folder / name).write_text(text[:start] + text[start:].replace(old, new, 1))
    source = folder / "kernels.cu"
    # What is compiled is known by its source, and by headers of the right kernels.
    source.write_text(source.read_text() + f"// of {digest(*sorted(folder.iterdir()))}\n")
    return source


def test_the_script_launches_every_kernel(monkeypatch, capsys):
    kernel_script.cut_small(monkeypatch.setattr)  # as the script does it; undone afterwards
    kernel_script.main()
    assert capsys.readouterr().out.strip() == "agreed"
    assert len(kernel_names(KERNELS / "kernels.cu")) > 10


@pytest.mark.slow
def test_the_script_finds_wrong_numbers(tmp_path):
    finished = run("", "", changed_kernels(tmp_path, SIGN))
    assert finished.returncode == 1
    assert "Not equal to tolerance" in finished.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("sanitizers", "library"), [ADDRESS, THREAD])
def test_sanitizers_find_nothing(sanitizers, library):
    finished = run(sanitizers, library)
    assert finished.returncode == 0, finished.stderr[-6000:]
    assert finished.stdout.strip() == "agreed"
    assert "Sanitizer:" not in finished.stderr
    assert "runtime error" not in finished.stderr


@pytest.mark.slow
def test_a_missing_barrier_is_found(tmp_path):
    finished = run(*THREAD, changed_kernels(tmp_path, BARRIER))
    assert finished.returncode != 0
    assert "WARNING: ThreadSanitizer: data race" in finished.stderr, finished.stderr[-3000:]
    assert "/walk.h:" in finished.stderr
    assert "qloom_gpu::sweep_forward" in finished.stderr


@pytest.mark.slow
def test_a_step_beyond_the_end_is_found(tmp_path):
    finished = run(*ADDRESS, changed_kernels(tmp_path, END))
    assert finished.returncode != 0
    assert "ERROR: AddressSanitizer: heap-buffer-overflow" in finished.stderr, finished.stderr[-3000:]
    assert "/state.h:" in finished.stderr
    assert "sum_rows" in finished.stderr
