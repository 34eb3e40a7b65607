"""How many rows a second `qloom serve` predicts, and how soon, beside the same server with PennyLane's TorchLayer.

Goals: 3,000 rows a second in requests of 32 rows on two cores, client and server together; p99 under 30 ms at half of
that; 20 times the peer, in one run, in turns. The peer is asked in two ways: in batches as ours is, and every request
alone, as a page of a tutorial would have it.

The floor: 32 rows of 19 columns are 15 kB of JSON. Pieces by themselves, on a core of this kind: HTTP and routing
0.3 ms, parsing 0.16 ms, reading cells 0.1 ms, writing the answer 0.1 ms, and an eighth of what 256 rows take together,
0.2 ms to transform and 1.1 ms in the network: about 0.8 ms of processor a request, 40,000 rows a second on a core of
its own. The client takes 0.1 ms.

Run: python -m benchmarks.serving.rates [--peer PYTHON] [--seconds 10]   (PYTHON: one that has pennylane)
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.results import append_row, provenance
from benchmarks.serving.load import Measured, closed, paced
from benchmarks.serving.processes import free_port, qloom_serve, seconds_of, server
from benchmarks.serving.runs import ROWS_A_REQUEST, customers, make_run, requests

CONNECTIONS = 8
GOAL, HALF, WAIT_GOAL, TIMES = 3000, 1500, 30.0, 20


def report(what: str, connections: int, found: Measured, seconds: float, goal: str) -> dict[str, Any]:
    """A row of results.

    Args:
        seconds: processor time of the server meanwhile.
    """
    if set(found.statuses) != {200}:
        raise RuntimeError(f"{what} answered {found.statuses}, expected 200 alone")
    row = {
        "what": what, "connections": connections, "rows_a_request": ROWS_A_REQUEST,
        "rows_a_second": found.rate * ROWS_A_REQUEST, "p50_ms": found.quantile(0.5), "p99_ms": found.quantile(0.99),
        "server_ms_a_request": 1e3 * seconds / len(found.latencies), "goal": goal, "load_average": os.getloadavg()[0],
    }  # fmt: skip
    append_row("serving", {**row, **provenance()})
    print(
        ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{value}" for key, value in row.items()),
        flush=True,
    )
    return row


def measure(
    what: str, command: Any, sign: str, port: int, bodies: list[bytes], seconds: float, goal: str
) -> dict[str, Any]:  # fmt: skip
    """A server in a closed load."""
    with server(command, sign) as process:
        uvloop.run(closed(port, bodies, CONNECTIONS, min(2.0, seconds)))
        before = seconds_of(process.pid)
        found = uvloop.run(closed(port, bodies, CONNECTIONS, seconds))
        return report(what, CONNECTIONS, found, seconds_of(process.pid) - before, goal)


def measure_waits(run: Path, bodies: list[bytes], seconds: float, workers: int) -> None:
    """Latencies at a fixed rate."""
    port = free_port()
    with server(qloom_serve(run, port, "--workers", str(workers)), "curl") as process:
        uvloop.run(closed(port, bodies, CONNECTIONS, 2.0))
        before = seconds_of(process.pid)
        found = uvloop.run(paced(port, bodies, 2 * CONNECTIONS, seconds, HALF / ROWS_A_REQUEST))
        goal = f"p99 under {WAIT_GOAL:g} ms"
        report(f"qloom serve, {HALF} rows a second", 2 * CONNECTIONS, found, seconds_of(process.pid) - before, goal)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--run", type=Path)
    options = parser.parse_args()
    bodies = requests(customers())
    with tempfile.TemporaryDirectory() as name:
        run = options.run or make_run(Path(name))
        goal = f"at least {GOAL} rows a second"
        for turn in range(2):
            found = {}
            for workers in (1, 2):
                port = free_port()
                command = qloom_serve(run, port, "--workers", str(workers))
                what = f"qloom serve, {workers} process{'es' * (workers > 1)}"
                found[workers] = measure(what, command, "curl", port, bodies, options.seconds, goal)
            for batch, how in ((256, "in batches"), (1, "each request alone")) if options.peer else ():
                port = free_port()
                command = [options.peer, "-m", "benchmarks.serving.peer", str(run), str(port), str(batch)]
                peer = measure(f"PennyLane TorchLayer, {how}", command, "ready on", port, bodies, options.seconds, "")
                compare(found[1], peer, how)
            if turn == 0:
                measure_waits(run, bodies, 2 * options.seconds, 1)


def compare(ours: dict[str, Any], peer: dict[str, Any], how: str) -> None:
    """Say how many times the peer it is, by the clock and by processor time, which other work stretches less."""
    rate, work = (f"{a[key] / b[key]:.1f}" for key, a, b in (
        ("rows_a_second", ours, peer), ("server_ms_a_request", peer, ours),
    ))  # fmt: skip
    print(f"{rate} times PennyLane {how}, {work} times by processor time; expected {TIMES}", flush=True)


if __name__ == "__main__":
    main()
