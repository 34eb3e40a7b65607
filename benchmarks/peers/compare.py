"""Ours and theirs on the same checked work, one after the other: rows of results/peers.csv.

Run: make bench-peers, or python -m benchmarks.peers.compare --peers qulacs --points 8,32,4. A row is not measured again
at the same commit, so that a run that was stopped goes on, unless other processes were busy meanwhile; --again measures
it all the same.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.others import BUSY, noting_others
from benchmarks.peers.registry import PEERS
from benchmarks.peers.running import TOO_LONG, run_worker
from benchmarks.peers.tasks import check_ours, ours, write_problem
from benchmarks.results import append_row, provenance, read_rows
from qloom.benchmarking import Work, measure

STEPS = [(4, 32, 2), (4, 256, 4), (8, 32, 4), (8, 256, 4), (10, 128, 4), (12, 64, 4), (20, 1, 4), (16, 16, 4),
         (22, 1, 2), (12, 256, 6)]  # fmt: skip
POINTS: dict[str, list[tuple[int, int, int]]] = {
    "step": STEPS,
    "forward": [(8, 256, 4), (20, 1, 4), (16, 16, 4), (22, 1, 2)],
    "large state": [(20, 1, 10), (24, 1, 10), (26, 1, 10)],
    "probabilities": [(20, 1, 1)],
    "variance": [(20, 1, 1)],
    "samples": [(20, 1, 1)],
    "kernel": [(10, 2000, 1)],
}
FIGURES = (
    "status", "version", "precision", "setup_s", "first_call_s", "error", "median_ms", "minimum_ms", "spread",
    "repeats",
)  # fmt: skip
Point = tuple[int, int, int]


def compare(name: str, task: str, work: Work, path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """A row: ours before, theirs, ours after."""
    mine, seen = ours(task, work, options.threads), {"others": 0.0}
    with noting_others(seen):
        before = measure(mine, options.threads, options.seconds / 2, least=2)
        theirs = run_worker(name, task, path, options.threads, options.seconds, options.limit)
        after = measure(mine, options.threads, options.seconds / 2, least=2)
    ours_ms = 500 * (before.median + after.median)
    slowest = theirs.get("median_ms", 1e3 * options.limit if theirs["status"] == TOO_LONG else None)
    return {
        "peer": name, "title": PEERS[name].title, "task": task, "n": work.n_qubits, "batch": work.batch,
        "layers": work.n_layers, "threads": options.threads, **{key: theirs.get(key) for key in FIGURES},
        "limit_s": options.limit, "ours_ms": ours_ms, "ours_spread": max(before.spread, after.spread),
        "ratio": None if slowest is None else slowest / ours_ms, "fma_rate": (before.fma_rate + after.fma_rate) / 2,
        **seen, **provenance(),
    }  # fmt: skip


def wanted(options: argparse.Namespace) -> Iterator[tuple[str, Point, list[str]]]:
    """Tasks and points with the peers to run there."""
    for task, points in POINTS.items():
        for point in points:
            able = [name for name in options.peers or PEERS if task in PEERS[name].tasks]
            peers = [name for name in able if PEERS[name].points is None or point in PEERS[name].points]
            if task in (options.tasks or POINTS) and (not options.points or point in options.points) and peers:
                yield task, point, peers


def hopeless(row: dict[str, str], name: str, task: str, point: Point) -> bool:
    """Whether a row tells that the peer took too long at a point that is smaller in every respect."""
    smaller = all(int(row[key]) <= value for key, value in zip(("n", "batch", "layers"), point, strict=True))
    return row["peer"] == name and row["task"] == task and row["status"] == TOO_LONG and smaller


def run_point(task: str, point: Point, peers: list[str], options: argparse.Namespace) -> None:
    """Compare with every peer at a point."""
    work, commit = Work(*point), provenance()["commit"]
    rows = [row for row in read_rows("peers") if row["commit"] == commit and row["threads"] == str(options.threads)]
    rows = [row for row in rows if float(row["others"]) <= BUSY]
    done = {
        row["peer"]
        for row in rows
        if (row["task"], int(row["n"]), int(row["batch"]), int(row["layers"])) == (task, *point)
    }
    left = [name for name in peers if options.again or name not in done]
    left = [name for name in left if not any(hopeless(row, name, task, point) for row in rows)]
    if not left:
        return
    check_ours(task, work, options.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.npz"
        write_problem(task, work, path)
        for name in left:
            row = compare(name, task, work, path, options)
            print(describe(row), flush=True)
            if not options.dry:
                append_row("peers", row)


def describe(row: dict[str, Any]) -> str:
    """A row in a line for the terminal."""
    text = (
        f"{row['task']:12s} ({row['n']},{row['batch']},{row['layers']}) {row['peer']:20s} ours {row['ours_ms']:9.3f} ms"
    )
    busy = f"; OTHERS WERE BUSY on {row['others']:.1f} cores" if row["others"] > BUSY else ""
    if row["status"] != "ok":
        return f"{text}, {row['status']}" + ("" if row["error"] is None else f", error {row['error']:.1e}") + busy
    return (
        f"{text}, theirs {row['median_ms']:9.3f} ms, {row['ratio']:.1f} times; "
        f"first call {row['first_call_s']:.2f} s, error {row['error']:.0e}{busy}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", nargs="+", choices=PEERS)
    parser.add_argument("--tasks", nargs="+", choices=POINTS)
    parser.add_argument("--points", nargs="+", type=lambda text: tuple(map(int, text.split(","))), metavar="N,B,L")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="of timing a peer")
    parser.add_argument(
        "--limit", type=float, default=60.0, help="seconds a peer may take at a point, first call included"
    )
    parser.add_argument("--again", action="store_true", help="measure what this commit has rows for")
    parser.add_argument("--dry", action="store_true", help="print, append nothing")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for task, point, peers in wanted(options):
        run_point(task, point, peers, options)


if __name__ == "__main__":
    main()
