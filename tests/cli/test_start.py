"""On a terminal something shows at once, and it is gone when the command speaks."""

import os
import pty
import sys
import time


def test_sign_on_a_terminal():
    """The first sign comes before the command's imports, so it waits for the interpreter and typer alone."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        os.execv(sys.executable, [sys.executable, "-m", "qloom", "predict", "none", "none.csv"])
    shown, first = b"", None
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the end of a terminal on Linux
            break
        if not part:
            break
        first = first or time.perf_counter() - began
        shown += part
    os.waitpid(pid, 0)
    total = time.perf_counter() - began
    assert shown.startswith(b"qloom predict is starting ...")
    assert b"\r\x1b[Kqloom: none does not exist" in shown
    assert first < 0.6 * total, "most of the time went by without a sign"
