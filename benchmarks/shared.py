"""Where real tables, instances and published numbers are, which are no part of the project: beside or above it.

The folder is `shared` in the nearest folder above the project that has one, or what QLOOM_SHARED names
(`make test SHARED=FOLDER`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from benchmarks.results import ROOT


def find_shared(root: Path, environment: Mapping[str, str]) -> Path:
    """The folder; beside the project, whether it is there or not, if there is none above.

    Raises:
        SystemExit: if the folder that was named is not there.
    """
    if named := environment.get("QLOOM_SHARED"):
        if not Path(named).is_dir():
            raise SystemExit(f"QLOOM_SHARED is {named!r}, expected a folder with data/ and instances/ in it")
        return Path(named).resolve()
    beside = [parent / "shared" for parent in root.parents]
    return next((folder for folder in beside if (folder / "instances").is_dir()), beside[0])


SHARED = find_shared(ROOT, os.environ)
DATA, INSTANCES = SHARED / "data", SHARED / "instances"
