"""A training of 30 steps on a device in the background, killed at random moments until it has been killed often enough.

Goal: nothing bought twice, the same final weights as in one piece, the budget never passed, the estimate within 5%.

Run: python -m benchmarks.devices.killed [--kills 100] [DEVICE ...]   (needs the extra 'devices')
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import append_row, provenance
from qloom.engines.hardware import Journal, LocalDevice

ROOT = Path(__file__).resolve().parents[2]
STEPS, SHOTS = 30, 100
# Of two samples a step: six values, and two shifts of three weights each.
EXPECTED = STEPS * (6 + 36) * SHOTS
# Seconds after its start within which a run is killed: it imports, replays what it has, and goes on.
EARLIEST, LATEST = 2.0, 6.0


def command(name: str, folder: Path) -> list[str]:
    script = ROOT / "tests" / "engines" / "hardware" / "training.py"
    return [sys.executable, str(script), name, str(folder), str(STEPS), str(SHOTS), str(EXPECTED)]


def trained(name: str, folder: Path) -> list[float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command(name, folder), capture_output=True, text=True, env=environment, check=True)
    weights: list[float] = json.loads(done.stdout)
    return weights


def killed(name: str, folder: Path, n_kills: int) -> tuple[list[float], int]:
    """Weights, and how many kills hit a run that had not ended; the training is begun anew when it is done."""
    drawn, environment = random.Random(0), {**os.environ, "PYTHONPATH": str(ROOT)}
    found, hits, part = [], 0, 0
    while hits < n_kills:
        place = folder / str(part)
        place.mkdir(exist_ok=True)
        process = subprocess.Popen(
            command(name, place), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        try:
            process.wait(drawn.uniform(EARLIEST, LATEST))
            part += 1
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            hits += 1
        if (place / "journal.sqlite").exists():
            assert Journal(place / "journal.sqlite").spent.shots <= EXPECTED
    for each in range(part + 1):
        (folder / str(each)).mkdir(exist_ok=True)
        found.append(trained(name, folder / str(each)))
    assert all(weights == found[0] for weights in found)
    return found[0], part + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["qiskit FakeManilaV2", "braket braket_sv"])
    parser.add_argument("--kills", type=int, default=100)
    given = parser.parse_args()
    for name in given.names:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            whole = Path(folder) / "whole"
            whole.mkdir()
            right = trained(name, whole)
            weights, trainings = killed(name, Path(folder), given.kills)
            twice = spent = 0
            for part in range(trainings):
                bought = LocalDevice("", Path(folder) / str(part) / "service", name).bought
                twice += sum(sent > 1 for sent in bought.values())
                spent = max(spent, Journal(Path(folder) / str(part) / "journal.sqlite").spent.shots)
            row = {
                "device": name, "kills": given.kills, "trainings": trainings, "bought_twice": twice,
                "same_weights": weights == right, "shots": spent, "estimated": EXPECTED,
                "seconds": round(time.perf_counter() - began),
            }  # fmt: skip
            append_row("devices_killed", {**row, **provenance()})
            print(row, flush=True)
            assert twice == 0
            assert weights == right


if __name__ == "__main__":
    main()
