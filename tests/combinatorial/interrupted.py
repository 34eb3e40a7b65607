"""Ctrl-C in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

RAISES = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A shell's background ignores Ctrl-C."""


def interrupt(code: str, *words: str, after: float, within: float) -> str:
    """What the code prints, interrupted some seconds after it printed "ready"; it ends in time, without an error."""
    process = subprocess.Popen([sys.executable, "-c", RAISES + code, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    start = time.perf_counter()
    out, _ = process.communicate(timeout=60)
    assert time.perf_counter() - start < within
    assert process.returncode == 0
    return out
