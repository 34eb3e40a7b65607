"""Servers as processes of their own: started, watched, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def server(command: Sequence[str], sign: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has said a sign on stdout.

    Raises:
        RuntimeError: if it ends before.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        while sign not in (line := process.stdout.readline()):
            if not line:
                raise RuntimeError(f"{command} ended with {process.wait()}, expected it to answer")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


def qloom_serve(run: Path, port: int, *options: str) -> Sequence[str]:
    """The command, and the sign that it answers is "curl"."""
    return [sys.executable, "-m", "qloom", "serve", str(run), "--port", str(port), *options]


def seconds_of(process: int) -> float:
    """Processor time of a process and its children so far."""
    return sum(sum(each.cpu_times()[:2]) for each in _family(process))


def memory_of(process: int) -> int:
    """Bytes that a process and its children hold."""
    return sum(int(each.memory_info().rss) for each in _family(process))


def _family(process: int) -> list[psutil.Process]:
    parent = psutil.Process(process)
    return [parent, *parent.children(recursive=True)]


def free_port() -> int:
    """One that nobody listens at now."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until(moment: float) -> None:
    """Sleep until a time of the monotonic clock."""
    time.sleep(max(0.0, moment - time.monotonic()))
