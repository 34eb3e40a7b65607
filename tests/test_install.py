"""Set-up says in one sentence what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "install.py"


def install(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder / "venv")],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def test_no_compiler(tmp_path):
    """An empty PATH has none; nothing is made before that is found out."""
    without_name = {"CXX": ""}
    finished = install(tmp_path, PATH=str(tmp_path), **without_name)
    assert finished.returncode == 1
    assert finished.stderr.strip() == (
        "qloom: no C++ compiler found, expected one for C++20 such as GCC 12; on Debian or Ubuntu: apt-get install g++"
    )
    assert not (tmp_path / "venv").exists()


def test_named_compiler_that_is_not_there(tmp_path):
    finished = install(tmp_path, CXX="no-such-compiler -O3")
    assert finished.returncode == 1
    assert "CXX is 'no-such-compiler -O3', which is not found" in finished.stderr


def test_cuda_is_refused():
    """The plan pip reports is read for CUDA packages; here a plan as pip writes it."""
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        from install import cuda_packages
    finally:
        sys.path.pop(0)
    plan = {"install": [{"metadata": {"name": name}} for name in ("torch", "nvidia-cublas-cu12", "triton", "sympy")]}
    assert cuda_packages(plan) == ["nvidia-cublas-cu12", "triton"]
    assert cuda_packages({"install": [{"metadata": {"name": "torch"}}]}) == []


def test_requirements_of_an_extra():
    """Those of extras that it names are among them."""
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        from install import of_extra
    finally:
        sys.path.pop(0)
    extras = {"dev": ["qloom[plot,all]", "ruff>=1"], "plot": ["matplotlib"], "all": ["qloom[excel]"], "excel": ["xlrd"]}
    assert list(of_extra(extras, "dev")) == ["matplotlib", "xlrd", "ruff>=1"]
