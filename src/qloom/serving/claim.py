"""One server a run folder: two would count drift apart and answer by versions of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qloom.errors import ArtifactError


@contextmanager
def claimed(run: Path) -> Iterator[None]:
    """Hold a run folder for this server; the system lets go of it even after kill -9, and nothing is written.

    Raises:
        ArtifactError: if another server holds it.
    """
    if sys.platform == "win32":  # pragma: no cover
        yield  # folders cannot be locked there
        return
    import fcntl

    folder = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(folder)
        raise ArtifactError(
            f"{run} is served already{_holder(run)}, expected one server a run; give that one --workers, or stop it"
        ) from None
    try:
        yield
    finally:
        os.close(folder)


def _holder(run: Path) -> str:
    """Which process it is, where the system tells."""
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return ""
    inode = str(run.stat().st_ino)
    for words in map(str.split, lines):
        if "FLOCK" in words and len(words) > 5 and words[5].rsplit(":", 1)[-1] == inode:
            return f" by process {words[4]}"
    return ""
