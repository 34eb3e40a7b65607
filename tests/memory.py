"""The peak of a fresh process's memory."""

from __future__ import annotations

import subprocess
import sys

# Not ru_maxrss, which a process that was forked off inherits: it begins with what its parent held.
PEAK = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1e6
"""


def outcome(code: str) -> list[str]:
    """The words that code prints in a fresh process, where `peak()` is the most memory so far in GB."""
    command = [sys.executable, "-c", PEAK + code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
