"""The native engine built with sanitizers, and the engine's tests on the portable kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "engines" / "native_script.py"
OPTIONS = {
    # Python itself frees little when it ends.
    "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": f"halt_on_error=1:suppressions={SCRIPT.with_name('thread_sanitizer.txt')}",
}


def runtime(name: str) -> str:
    """Path of a sanitizer's runtime library; skips where the compiler has none."""
    compiler = os.environ.get("CXX", "g++")
    try:
        asked = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"{compiler} does not say where {name} is: {error}")
    path = asked.stdout.strip()
    if not os.path.isabs(path):
        pytest.skip(f"{compiler} has no {name}")
    return path


def build(sanitizers: str, folder: Path) -> None:
    """qloom with a sanitized native module, in folder/site."""
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
        "--disable-pip-version-check", "--target", str(folder / "site"),
        f"-Cbuild-dir={folder / 'build'}", f"-Ccmake.define.QLOOM_SANITIZE={sanitizers}", str(ROOT),
    ]  # fmt: skip
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize(("sanitizers", "library"), [("address,undefined", "libasan.so"), ("thread", "libtsan.so")])
def test_sanitizers_find_nothing(sanitizers, library, tmp_path):
    preloaded = runtime(library)
    build(sanitizers, tmp_path)
    packages = str(Path(pytest.__file__).parents[1])
    # -S leaves out the editable installation, which would come before the one that was just built.
    paths = {"LD_PRELOAD": preloaded, "PYTHONPATH": f"{tmp_path / 'site'}:{packages}"}
    for kernels in ("", "portable"):  # the best there are, then the ones that run everywhere
        finished = subprocess.run(
            [sys.executable, "-S", str(SCRIPT)], capture_output=True, text=True,
            env=os.environ | OPTIONS | paths | {"QLOOM_KERNELS": kernels},
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr[-6000:]
        assert finished.stdout.strip() == "agreed"
        assert "Sanitizer" not in finished.stderr
        assert "runtime error" not in finished.stderr


@pytest.mark.slow
def test_portable_kernels_pass_the_tests():
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/engines", "tests/gradients"],
        cwd=ROOT, env=os.environ | {"QLOOM_KERNELS": "portable"}, capture_output=True, text=True,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-3000:]
