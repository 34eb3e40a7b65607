"""Set up a second environment with other packages for circuits: ``python scripts/sdks.py .venv .venv-sdks``.

Its own packages come first; qloom and what it needs are those of the first environment.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def packages_of(environment: Path) -> Path:
    return next((environment.resolve() / "lib").glob("python3.*")) / "site-packages"


def main(first: str, second: str) -> None:
    environment = Path(second).resolve()
    if not (environment / "bin" / "python").exists():
        print(f"making {environment}", flush=True)
        venv.create(environment, with_pip=True)
    install = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for options in (["--requirement", "sdks.txt"], ["--no-deps", "--requirement", "sdks-alone.txt"]):
        subprocess.run([*install, *options], check=True, cwd=ROOT / "tests")
    there, here = packages_of(Path(first)), packages_of(environment)
    (here / "zz_first.pth").write_text(f"{there}\n")
    for hook in there.glob("_editable*qloom*.pth"):  # that finds qloom in its sources
        (here / f"zzz{hook.name}").write_text(hook.read_text())


if __name__ == "__main__":
    main(*sys.argv[1:])
