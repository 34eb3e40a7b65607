"""Workers on this machine: as many processes of one command, started again from the last checkpoint where one is lost.

It does what torchrun does for one machine, tells its processes the same, and says what happens in a line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from qloom.errors import UnsupportedError, WorkerError
from qloom.fitting.surroundings import COUNT, COUNT_HERE, MEETING, RANK, RANK_HERE, RESTARTS

# Exit codes: of a worker whose companions have gone, of a mistake of the user, of Ctrl-C.
ABANDONED, MISTAKE, INTERRUPTED = 75, 2, 130
# The end of a pipe that is closed when the launcher is no more.
LIFELINE = "QLOOM_LIFELINE"
# Seconds between looks at the workers, and those that the others have to end by themselves when one has ended.
_LOOK, _GRACE = 0.05, 5.0


def launch(command: Sequence[str], count: int, restarts: int, say: Callable[[str], None]) -> int:
    """Run a command as so many workers until all are done; the exit code of the first.

    Args:
        command: each worker's; it goes on from checkpoints where `is_started_again`.
        restarts: how often workers are started again, when one was lost.
        say: takes a line for the user.

    Raises:
        WorkerError: if one is lost once more than that.
        UnsupportedError: on Windows.
    """
    if sys.platform == "win32":
        raise UnsupportedError("workers are started here on Linux and macOS alone, got Windows; use torchrun")
    for attempt in range(restarts + 1):
        codes = _run_once(command, count, attempt)
        lost = _what_was_lost(codes)
        if lost is None:
            return next((code for code in (codes[0], *codes) if code), 0)
        if attempt < restarts:
            say(f"{lost}; all go on from the last checkpoint, {attempt + 1} of {restarts} times")
    raise WorkerError(f"{lost}, after {restarts} times before; go on with --resume, or raise --restarts")


def _what_was_lost(codes: Sequence[int]) -> str | None:
    """Which worker ended by a signal, or cannot be told; None where all ended by themselves."""
    by_signal = [(rank, -code) for rank, code in enumerate(codes) if code < 0 and -code != signal.SIGINT]
    if by_signal:
        rank, number = by_signal[0]
        return f"worker {rank + 1} of {len(codes)} was ended by {signal.Signals(number).name}"
    if ABANDONED in codes and all(code in (0, ABANDONED) for code in codes):
        return f"workers of {len(codes)} lost each other"
    return None


def _run_once(command: Sequence[str], count: int, attempt: int) -> list[int]:
    """Exit codes of all workers; of those that are ended because another one has, `ABANDONED`."""
    with TemporaryDirectory(prefix="qloom-workers-") as folder, _lifeline() as line:
        logs = [Path(folder) / f"{rank}.txt" for rank in range(count)]
        workers = [
            _start(command, rank, count, attempt, Path(folder) / "meeting", logs[rank], line) for rank in range(count)
        ]
        try:
            codes = _waited(workers)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        _pass_on(codes, logs)
    return codes


def _start(
    command: Sequence[str], rank: int, count: int, attempt: int, meeting: Path, log: Path, line: int
) -> subprocess.Popen[bytes]:
    told = {RANK: rank, RANK_HERE: rank, COUNT: count, COUNT_HERE: count, RESTARTS: attempt, LIFELINE: line}
    environment = {**os.environ, **{name: str(value) for name, value in told.items()}, MEETING: f"file://{meeting}"}
    environment.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    if rank == 0:
        return subprocess.Popen(command, env=environment, pass_fds=[line])
    with log.open("wb") as file:
        return subprocess.Popen(
            command, env=environment, pass_fds=[line], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file
        )


def _waited(workers: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """Exit codes when all have ended or one is lost; when one has failed, the others have a moment to fail too."""
    end = float("inf")
    while None in (codes := [worker.poll() for worker in workers]) and time.monotonic() < end:
        if any(code is not None and code < 0 for code in codes):
            break
        try:
            time.sleep(_LOOK)
        except KeyboardInterrupt:  # on a terminal the workers have it too
            end = min(end, time.monotonic() + _GRACE)
        if any(codes):
            end = min(end, time.monotonic() + _GRACE)
    return [ABANDONED if code is None else code for code in codes]


def _pass_on(codes: Sequence[int], logs: Sequence[Path]) -> None:
    """What the first failed worker said, where the first of all said nothing of it."""
    if codes[0] not in (0, ABANDONED):
        return
    for code, log in zip(codes[1:], logs[1:], strict=True):
        if code > 0 and code != ABANDONED and log.exists():
            sys.stderr.write(log.read_text(errors="replace"))
            return


@contextmanager
def _lifeline() -> Iterator[int]:
    """The reading end of a pipe that has its end when this process has."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def end_with_launcher() -> None:
    """Let this process end at once when its launcher does, however that is ended."""
    if (line := os.environ.pop(LIFELINE, None)) is None:
        return

    def wait() -> None:
        os.read(int(line), 1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
