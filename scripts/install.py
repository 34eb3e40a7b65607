"""Set up a virtual environment with qloom in it: ``python3 scripts/install.py .venv``.

Uses the standard library alone. It checks first what would otherwise fail late or cost dearly: the Python version, a
C++ compiler, and that torch comes as its CPU build instead of with several GB of CUDA packages.

Environment: TORCH_INDEX, address of a package index with CPU builds of torch, used beside pip's own;
ALLOW_CUDA=1 to take whatever torch pip finds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPILERS = ("c++", "g++", "clang++")


def main(folder: str) -> None:
    check_python()
    check_compiler()
    environment = Path(folder)
    if not (environment / "bin" / "python").exists():
        print(f"making {environment}", flush=True)
        venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    options = ["--quiet", "--disable-pip-version-check", "--constraint", str(ROOT / "constraints.txt")]
    if os.environ.get("TORCH_INDEX"):
        options += ["--extra-index-url", os.environ["TORCH_INDEX"]]
    if not os.environ.get("ALLOW_CUDA"):
        check_torch(python, options)
    print("installing qloom and what it needs (a few minutes the first time)", flush=True)
    install_requirements(python, options)
    run([python, "-m", "pip", "install", *options, "--no-build-isolation", "--no-deps", "--editable", str(ROOT)])


def install_requirements(python: Path, options: list[str]) -> None:
    """What qloom needs, and what builds it: in the environment itself, as pip would otherwise put the latter into a
    folder of another name each time, and all would be compiled anew. Others that come as source are built apart."""
    import tomllib  # not in Pythons that check_python refuses

    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())
    build_system, project = asked["build-system"], asked["project"]
    needed = [*project["dependencies"], *of_extra(project["optional-dependencies"], "dev")]
    run([python, "-m", "pip", "install", *options, *build_system["requires"], *needed])
    code = f"import {build_system['build-backend']} as backend; print(*backend.get_requires_for_build_editable())"
    more = subprocess.run([str(python), "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    if more.stdout.split():  # CMake and Ninja, where the machine has none
        run([python, "-m", "pip", "install", *options, *more.stdout.split()])


def of_extra(extras: dict[str, list[str]], name: str) -> Iterator[str]:
    """Requirements of an extra, those of extras that it names included."""
    for requirement in extras[name]:
        if requirement.startswith("qloom["):
            for other in requirement.removeprefix("qloom[").rstrip("]").split(","):
                yield from of_extra(extras, other)
        else:
            yield requirement


def check_python() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this script is run by whatever Python is there
        stop(
            f"Python {sys.version.split()[0]} found, expected 3.11 or later; name one with: make PYTHON=python3.12 ..."
        )


def check_compiler() -> None:
    given = os.environ.get("CXX")
    if not (shutil.which(given.split()[0]) if given else any(map(shutil.which, COMPILERS))):
        what = f"CXX is {given!r}, which is not found" if given else "no C++ compiler found"
        stop(f"{what}, expected one for C++20 such as GCC 12; on Debian or Ubuntu: apt-get install g++")


def check_torch(python: Path, options: list[str]) -> None:
    """Ask pip what torch would bring, and stop before it brings CUDA."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        run([python, "-m", "pip", "install", *options, "--dry-run", "--report", report.name, "torch"])
        cuda = cuda_packages(json.loads(Path(report.name).read_text()))
    if cuda:
        stop(
            f"pip would install torch with {len(cuda)} CUDA packages (several GB), expected its CPU build; "
            "give the address of PyTorch's CPU package index with: make TORCH_INDEX=... demo, "
            "or accept CUDA with: make ALLOW_CUDA=1 demo"
        )


def cuda_packages(plan: dict) -> list[str]:
    """Names of the CUDA packages in an installation report of pip."""
    names = [item["metadata"]["name"].lower() for item in plan["install"]]
    return [name for name in names if name.startswith(("nvidia-", "cuda-", "triton"))]


def run(command: list[str | Path]) -> None:
    finished = subprocess.run([str(word) for word in command], check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


def stop(sentence: str) -> None:
    sys.exit(f"qloom: {sentence}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".venv")
