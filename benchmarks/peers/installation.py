"""The peers' virtual environments, one for each file in requirements/, in a folder git does not see."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements"
ENVIRONMENTS = HERE / "environments"


def names() -> list[str]:
    """The environments there are to make."""
    return sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def python_of(name: str) -> Path:
    """The interpreter of an environment."""
    return ENVIRONMENTS / name / "bin" / "python"


def is_installed(name: str) -> bool:
    """Whether the environment holds what its requirements ask for now."""
    stamp = _stamp(name)
    return stamp.exists() and stamp.read_text() == (REQUIREMENTS / f"{name}.txt").read_text()


@cache
def install(name: str) -> str | None:
    """Make an environment; what went wrong, in one line, if it could not be made. Tried once a process."""
    if is_installed(name):
        return None
    folder, wanted = ENVIRONMENTS / name, REQUIREMENTS / f"{name}.txt"
    _run([sys.executable, "-m", "venv", str(folder)])
    problem = _run([str(python_of(name)), "-m", "pip", "install", "--quiet", "--requirement", str(wanted)])
    if problem is None:
        _stamp(name).write_text(wanted.read_text())
    return problem


def _stamp(name: str) -> Path:
    return ENVIRONMENTS / name / "installed.txt"


def _run(command: list[str]) -> str | None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode == 0:
        return None
    errors = [line for line in finished.stderr.splitlines() if line.startswith("ERROR")]
    return (errors or finished.stderr.splitlines() or ["no message"])[0]


if __name__ == "__main__":
    for wanted in sys.argv[1:] or names():
        print(wanted, install(wanted) or "installed", flush=True)
