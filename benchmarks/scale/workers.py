"""Two trainings one after the other, by two workers each, beside the two at once, by one worker each.

Both keep two cores busy, which matters where cores are threads of one: each is slower beside the other. Times are of an
epoch; of all turns' epochs the one that took least counts, as what else runs only adds to it.

Goal: at most 5% more, in CPU seconds as in wall time; weights that agree to 1e-5. Some weights of a circuit have no
slope but rounding, and AdamW moves them by it: the 99th percentile and what the models answer stand beside the largest
difference. What a sum over workers costs is measured too: through shared memory, and through gloo's sockets. A step has
costs beside its rows, which each worker has: CPU seconds of a step of 64 rows stand beside those of a whole one.

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

STEPS, N_VALIDATION, N_FEATURES, EPOCHS, SUMS = 40, 2_000, 20, 6, 500
# Qubits and layers of the circuit, rows a step.
CASES = ((8, 3, 256), (8, 12, 1024), (12, 6, 256))


def made_rows(n: int, seed: int) -> Rows:
    x = torch.from_numpy(np.random.default_rng(seed).normal(size=(n, N_FEATURES)).astype(np.float32))
    return Rows(x, (x[:, 0] * x[:, 1] + x[:, 2] > 0).long())


def made_fit(n_qubits: int, layers: int, batch: int) -> Fit:
    architecture = Architecture(N_FEATURES, 2, n_qubits, layers)
    network = build_network(architecture, architecture.circuit(), observables_of(n_qubits), 0, StatevectorEngine(1))
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


def work(n_qubits: int, layers: int, batch: int, core: int, folder: Path) -> None:
    """What a worker does: an epoch to warm up, then those that are timed.

    Args:
        core: of one that is alone; the others choose.
    """
    with joined() as workers, numeric_threads(1):
        if workers.count == 1 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, [sorted(os.sched_getaffinity(0))[core]])
        fit, times = made_fit(n_qubits, layers, batch), list[tuple[float, float]]()
        fit.workers = workers
        watch = lambda fit: times.append((time.perf_counter(), time.process_time()))  # noqa: E731
        fit.run(made_rows(STEPS * batch, 0), made_rows(N_VALIDATION, 1), watch)
        wall, cpu = (np.diff([each[k] for each in times]).tolist() for k in range(2))
        n = sum(parameter.numel() for parameter in fit.network.parameters()) + 1
        costs = sum_costs(workers, n) if workers.count > 1 else {}
        (folder / f"{workers.rank}.json").write_text(json.dumps({"wall": wall, "cpu": cpu, "numbers": n, **costs}))
        if workers.leads:
            save_file(fit.network.state_dict(), folder / "weights.safetensors")


def small_step(n_qubits: int, layers: int) -> float:
    """CPU seconds of a step of 64 rows, the least of some epochs."""
    with numeric_threads(1):
        fit, times = made_fit(n_qubits, layers, 64), list[float]()
        fit.run(made_rows(STEPS * 64, 0), made_rows(1, 1), lambda fit: times.append(time.process_time()))
    return float(np.diff(times).min()) / STEPS


def command(n_qubits: int, layers: int, batch: int, core: int, folder: Path) -> list[str]:
    folder.mkdir()
    return [
        sys.executable,
        "-m",
        "benchmarks.scale.workers",
        "--work",
        *map(str, (n_qubits, layers, batch, core, folder)),
    ]


def two_alone(n_qubits: int, layers: int, batch: int, place: Path) -> list[dict[str, Any]]:
    """Two trainings at once, of one worker each."""
    folders = [place.with_name(f"{place.name}-{core}") for core in range(2)]
    running = [subprocess.Popen(command(n_qubits, layers, batch, core, folder)) for core, folder in enumerate(folders)]
    assert [each.wait() for each in running] == [0, 0]
    return [json.loads((folder / "0.json").read_text()) for folder in folders]


def two_together(n_qubits: int, layers: int, batch: int, folder: Path) -> list[dict[str, Any]]:
    """One training by two workers."""
    assert launch(command(n_qubits, layers, batch, 0, folder), 2, 0, print) == 0
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def differences(one: Path, other: Path, n_qubits: int, layers: int, batch: int) -> dict[str, float]:
    """Between weights, the largest and the 99th percentile, and between outputs for the validation rows."""
    fits = [made_fit(n_qubits, layers, batch) for _ in range(2)]
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
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        *numbers, folder = given.work
        work(*map(int, numbers), Path(folder))
        return
    for n_qubits, layers, batch in CASES:
        with tempfile.TemporaryDirectory() as name:
            place, pairs = Path(name), []
            for k in range(given.pairs):
                alone = two_alone(n_qubits, layers, batch, place / f"alone-{k}")
                pairs.append((alone, two_together(n_qubits, layers, batch, place / f"together-{k}")))
            apart = differences(place / "alone-0-0", place / "together-0", n_qubits, layers, batch)
        cpus = [min(np.sum([each["cpu"] for each in pair[k]], 0).min() for pair in pairs) for k in range(2)]
        walls = [min(np.max([each["wall"] for each in pair[k]], 0).min() for pair in pairs) for k in range(2)]
        cpus[0], walls[0] = cpus[0] / 2, walls[0] / 2  # two trainings, one here
        ways = ("memory_wall", "memory_cpu", "sockets_wall", "sockets_cpu")
        row = {
            "qubits": n_qubits, "layers": layers, "batch": batch, "numbers_a_sum": int(pairs[0][1][0]["numbers"]),
            "small_step_ms": small_step(n_qubits, layers) * 1e3, "step_ms": cpus[0] / STEPS * 1e3,
            "cpu_ratio": cpus[1] / cpus[0],
            "wall_ratio": walls[1] / walls[0],
            **{f"{way}_us": median(two[0][way] for _, two in pairs) for way in ways},
            **apart, "goal_ratio": 1.05, "goal_apart": 1e-5, "load": os.getloadavg()[0],
        }  # fmt: skip
        append_row("workers", {**row, **provenance()})
        print(", ".join(f"{key} {value:.3g}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
