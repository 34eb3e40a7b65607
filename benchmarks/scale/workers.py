"""Training by two workers beside one: wall time and CPU seconds of all processes, an epoch, at equal threads in total.

Of the epochs of all turns the one that took least counts: what runs beside only adds to it.

Goal: two workers on one core each at most 5% slower than one on both, in CPU seconds as in wall time; weights that
agree to 1e-5. Some weights of a circuit have no slope but rounding, and AdamW moves them by it: the 99th percentile and
what the models answer stand beside the largest difference. What a sum over workers costs is measured too: through
shared memory, and through gloo's sockets.

Run: python -m benchmarks.scale.workers [--pairs 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from benchmarks.results import append_row, provenance
from qloom.engines import StatevectorEngine
from qloom.fitting.workers import joined
from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.fitting import Fit, Recipe, Rows
from qloom.models.tables.inference import predict_rows
from qloom.models.threads import numeric_threads
from qloom.training.launching import launch

N_ROWS, N_VALIDATION, N_FEATURES, N_QUBITS, EPOCHS, SUMS = 20_000, 4_000, 20, 8, 8, 500
# Layers of the circuit, rows a step.
CASES = ((3, 256), (12, 256), (3, 1024))


def made_rows(n: int, seed: int) -> Rows:
    x = torch.from_numpy(np.random.default_rng(seed).normal(size=(n, N_FEATURES)).astype(np.float32))
    return Rows(x, (x[:, 0] * x[:, 1] + x[:, 2] > 0).long())


def made_fit(layers: int, batch: int, threads: int) -> Fit:
    architecture = Architecture(N_FEATURES, 2, N_QUBITS, layers)
    network = build_network(
        architecture, architecture.circuit(), observables_of(N_QUBITS), 0, StatevectorEngine(threads)
    )
    return Fit(network, "classification", Recipe(epochs=EPOCHS + 1, batch_size=batch, n_layers=layers))


def sum_costs(workers: Any, n: int) -> dict[str, float]:
    """Microseconds of wall and CPU time of a sum, by memory and by sockets."""
    costs, numbers = {}, torch.ones(n)
    for way, each in (("memory", workers), ("sockets", replace(workers, sums=None))):
        each.add(numbers)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(SUMS):
            each.add(numbers)
        costs[f"{way}_wall"] = (time.perf_counter() - wall) / SUMS * 1e6
        costs[f"{way}_cpu"] = (time.process_time() - cpu) / SUMS * 1e6
    return costs


def work(layers: int, batch: int, threads: int, folder: Path) -> None:
    """What a worker does: an epoch to warm up, then those that are timed."""
    with joined() as workers, numeric_threads(1):
        fit, times = made_fit(layers, batch, threads), list[tuple[float, float]]()
        fit.workers = workers
        watch = lambda fit: times.append((time.perf_counter(), time.process_time()))  # noqa: E731
        fit.run(made_rows(N_ROWS, 0), made_rows(N_VALIDATION, 1), watch)
        wall, cpu = (np.diff([each[k] for each in times]).tolist() for k in range(2))
        n = sum(parameter.numel() for parameter in fit.network.parameters()) + 1
        costs = sum_costs(workers, n) if workers.count > 1 else {}
        (folder / f"{workers.rank}.json").write_text(json.dumps({"wall": wall, "cpu": cpu, "numbers": n, **costs}))
        if workers.leads:
            save_file(fit.network.state_dict(), folder / "weights.safetensors")


def measured(count: int, layers: int, batch: int, threads: int, folder: Path) -> list[dict[str, Any]]:
    """Of each of so many workers."""
    folder.mkdir()
    words = ["--work", *map(str, (layers, batch, threads, folder))]
    command = [sys.executable, "-m", "benchmarks.scale.workers", *words]
    if count == 1:
        subprocess.run(command, check=True)
    elif launch(command, count, 0, print):
        raise SystemExit("a worker failed")
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(count)]


def differences(one: Path, other: Path, layers: int, batch: int) -> dict[str, float]:
    """Between weights, the largest and the 99th percentile, and between outputs for the validation rows."""
    fits = [made_fit(layers, batch, 1) for _ in range(2)]
    for fit, folder in zip(fits, (one, other), strict=True):
        fit.network.load_state_dict(load_file(folder / "weights.safetensors"))
    ours, theirs = (torch.cat([p.detach().flatten() for p in fit.network.parameters()]) for fit in fits)
    outputs, others = (predict_rows(fit.network, made_rows(N_VALIDATION, 1).x) for fit in fits)
    apart = (ours - theirs).abs()
    return {
        "weights_apart": float(apart.max()), "weights_apart_99": float(apart.quantile(0.99)),
        "outputs_apart": float((outputs - others).abs().max()),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        *numbers, folder = given.work
        work(*map(int, numbers), Path(folder))
        return
    for layers, batch in CASES:
        with tempfile.TemporaryDirectory() as name:
            place, pairs = Path(name), []
            for k in range(given.pairs):
                one = measured(1, layers, batch, 2, place / f"one-{k}")
                two = measured(2, layers, batch, 1, place / f"two-{k}")
                pairs.append((one, two))
            apart = differences(place / "one-0", place / "two-0", layers, batch)
        cpus = [min(np.sum([each["cpu"] for each in pair[k]], 0).min() for pair in pairs) for k in range(2)]
        walls = [min(np.max([each["wall"] for each in pair[k]], 0).min() for pair in pairs) for k in range(2)]
        ways = ("memory_wall", "memory_cpu", "sockets_wall", "sockets_cpu")
        row = {
            "layers": layers, "batch": batch, "numbers_a_sum": int(pairs[0][1][0]["numbers"]),
            "one_cpu_seconds": cpus[0], "cpu_ratio": cpus[1] / cpus[0],
            "one_wall_seconds": walls[0], "wall_ratio": walls[1] / walls[0],
            **{f"{way}_us": median(two[0][way] for _, two in pairs) for way in ways},
            **apart, "goal_ratio": 1.05, "goal_apart": 1e-5, "load": os.getloadavg()[0],
        }  # fmt: skip
        append_row("workers", {**row, **provenance()})
        print(", ".join(f"{key} {value:.3g}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
