"""`qloom train --workers 2` killed by signal 9 at random times, a worker or the whole job, until it was often enough.

Goal: 50 kills, and all runs end with the weights and predictions of one that was left alone, bit for bit.

Run: python -m benchmarks.scale.killed_workers [--kills 50] [--workers 2]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.results import append_row, provenance

RESULTS = ("model/weights.safetensors", "controls/classical/weights.safetensors", "predictions.parquet")
# Each step waits a moment, so that there is something to be killed in.
TRAIN = """
import sys, time
from qloom.cli import main
from qloom.models.tables.stacking import Stack

step = Stack._step

def slow_step(*given):
    time.sleep(0.02)
    return step(*given)

Stack._step = slow_step
sys.argv[0] = "qloom"
main()
"""
SETTINGS = ("comparison.seeds=2", "model.n_qubits=2", "model.n_layers=1", "model.width=8", "training.epochs=15")
# Seconds after a checkpoint was written by a job within which it is killed.
LATEST = 2.0


def command(folder: Path, name: str, workers: int) -> list[str]:
    """Workers are processes of this very script."""
    launch = (
        "import sys; from qloom.training import launching; import qloom.cli.train as train; launch = train.launch;"
        f"train.launch = lambda words, *rest: launch([sys.executable, '-c', {TRAIN!r}, *words[3:]], *rest);"
        "from qloom.cli import main; main()"
    )
    words = ["train", "demo:breast_cancer", "--output", str(folder), "--name", name, "--workers", str(workers)]
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return [sys.executable, "-c", launch, *words, "--restarts", "1000", *settings]


def started(words: list[str], run: Path) -> psutil.Popen:
    resume = ["--resume"] if (run / "config.yaml").exists() else []
    return psutil.Popen([*words, *resume], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def newest(run: Path) -> float:
    """When a checkpoint was last written."""
    return max((path.stat().st_mtime for path in run.glob("checkpoints/**/*.safetensors")), default=0.0)


def kill_in_training(job: psutil.Popen, run: Path, drawn: random.Random, since: float) -> str | None:
    """Kill a worker, or the job, at a random moment after it wrote a checkpoint; None if it ended before."""
    while newest(run) <= since:
        if job.poll() is not None:
            return None
        time.sleep(0.01)
    time.sleep(drawn.uniform(0, LATEST))
    workers = [] if job.poll() is not None else job.children()
    if not workers:
        return None
    whole = drawn.random() < 0.5
    victim = job if whole else drawn.choice(workers)
    os.kill(victim.pid, signal.SIGKILL)
    if whole:
        job.wait()
        assert not psutil.wait_procs(workers, timeout=60)[1], "workers outlived their launcher"
    return "job" if whole else "worker"


def killed(folder: Path, n_kills: int, workers: int) -> tuple[dict[str, int], list[Path]]:
    """Kills by what was killed, and the runs; when one has ended the next one begins."""
    drawn, hits, runs = random.Random(0), {"worker": 0, "job": 0}, list[Path]()
    while sum(hits.values()) < n_kills:
        runs.append(folder / f"killed-{len(runs)}")
        words, job = command(folder, runs[-1].name, workers), None
        while True:
            job = job or started(words, runs[-1])
            enough = sum(hits.values()) >= n_kills
            what = None if enough else kill_in_training(job, runs[-1], drawn, time.time())
            if what is None:
                assert job.wait() == 0, f"{runs[-1]} ended with {job.returncode}"
                break
            hits[what] += 1
            print(hits, flush=True)
            job = None if what == "job" else job
    return hits, runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, began = Path(name), time.perf_counter()
        assert started(command(folder, "whole", given.workers), folder / "whole").wait() == 0
        hits, runs = killed(folder, given.kills, given.workers)
        same = sum(
            all((run / result).read_bytes() == (folder / "whole" / result).read_bytes() for result in RESULTS)
            for run in runs
        )
        row = {
            "workers": given.workers, "kills_of_a_worker": hits["worker"], "kills_of_the_job": hits["job"],
            "runs": len(runs), "runs_with_the_same_bits": same, "seconds": round(time.perf_counter() - began),
        }  # fmt: skip
    append_row("killed_workers", {**row, **provenance()})
    print(row)
    assert same == len(runs)


if __name__ == "__main__":
    main()
