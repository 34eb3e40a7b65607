"""`python -m benchmarks`: measure every case of benchmarks/engine."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from benchmarks.cases import run


def main() -> None:
    for path in sorted((Path(__file__).parent / "engine").glob("*.py")):
        run(path.stem, import_module(f"benchmarks.engine.{path.stem}").CASES, sys.argv[1:])


if __name__ == "__main__":
    main()
