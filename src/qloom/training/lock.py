"""One process at a time in a run folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from qloom.errors import ArtifactError
from qloom.training.folder import STREAM

LOCK = "lock"


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


def holder(folder: Path) -> str | None:
    """The number of the process that holds a folder; None where none does.

    Whether it still lives is asked first: the lock itself is tried only where a process of that number is there, so
    that one that begins meanwhile is not refused.
    """
    path = folder / LOCK
    try:
        owner = path.read_text("utf-8", errors="replace").strip()
        if not owner.isdigit() or not psutil.pid_exists(int(owner)):
            return None
        with path.open("a+") as file:
            return None if _try_lock(file) else owner
    except OSError:  # the folder went away, or is not ours to lock
        return None


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"run folder {folder} cannot be made ({error.strerror}); choose another output") from None
    return folder


def _remove_unused(folder: Path) -> None:
    """Leave nothing behind where a run was refused before it began, not even rows that it wrote to disk for itself."""
    if {path.name for path in folder.iterdir()} <= {LOCK, STREAM}:
        shutil.rmtree(folder / STREAM, ignore_errors=True)
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
