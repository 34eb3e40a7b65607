"""The run folder: whole files only, and one process at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from qloom.errors import ArtifactError
from qloom.files import read_json

LOCK = "lock"
# Its files, and the format of metrics.json. `start` holds copies of the networks that a run begins with, so that it can
# go on without the earlier run.
CONFIG, ENVIRONMENT, METRICS_FILE, START = "config.yaml", "environment.json", "metrics.json", "start"
FORMAT, VERSION = "qloom.run", 2


def read_metrics(folder: Path) -> dict[str, Any]:
    """The record of a finished run, of whatever version.

    Raises:
        ArtifactError: if the folder is no finished run, or its record is damaged.
    """
    path = folder / METRICS_FILE
    if not path.is_file():
        state = "has no metrics.json" if folder.is_dir() else "is not a folder"
        raise ArtifactError(f"{folder} {state}, expected the folder of a finished run such as runs/NAME")
    metrics = read_json(path)
    if not isinstance(metrics, dict) or metrics.get("format") != FORMAT:
        raise ArtifactError(f"{path} is not the record of a run, expected JSON with format {FORMAT!r}")
    return metrics


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder for this process; the system lets go of it even after kill -9.

    Raises:
        ArtifactError: if another process holds it.
    """
    path = _make_folder(folder) / LOCK
    with path.open("a+") as file:
        if not _try_lock(file):
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise ArtifactError(
                f"run folder {folder} is in use by process {owner}, expected a free one; wait or use another name"
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            _remove_unused(folder)


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"run folder {folder} cannot be made ({error.strerror}); choose another output") from None
    return folder


def _remove_unused(folder: Path) -> None:
    """Leave nothing behind where a run was refused before it wrote a file."""
    if [path.name for path in folder.iterdir()] == [LOCK]:
        (folder / LOCK).unlink()
        folder.rmdir()


if sys.platform == "win32":  # pragma: no cover

    def _try_lock(file: IO[str]) -> bool:
        import msvcrt

        try:
            file.seek(0x7FFF0000)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _try_lock(file: IO[str]) -> bool:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
