"""Tuning on real tables: the surrogate's sampler, TPE and random search at equal trials, over seeds.

Each seed fixes split, weights and sampler; the three see the same trainings. A trial's loss is on the validation rows.

Run: python -m benchmarks.combinatorial.tuning
"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from benchmarks.results import append_row, provenance
from qloom.training.configuration import Configuration, make_configuration
from qloom.training.trials import SAMPLERS, best_of
from qloom.training.tuning import tune

TABLES = {"wine": "cultivar", "breast_cancer": "diagnosis", "diabetes": "progression"}
CHOICES: dict[str, list[Any]] = {
    "model.n_qubits": [2, 3, 4, 6],
    "model.n_layers": [1, 2, 3],
    "model.ansatz": ["strongly_entangling", "basic_entangler"],
    "model.width": [8, 32, 64],
    "model.dropout": [0.0, 0.2, 0.5],
    "training.learning_rate": [0.001, 0.003, 0.01, 0.03],
    "training.weight_decay": [0.0, 0.1, 1.0],
}
N_TRIALS, SEEDS, EPOCHS = 30, 5, 8


def configuration(name: str, seed: int, folder: str) -> Configuration:
    """Of one tuning."""
    data = {"source": f"demo:{name}", "target": TABLES[name]}
    values = {"name": "tuning", "output": folder, "seed": seed, "data": data, "training": {"epochs": EPOCHS}}
    return make_configuration(values)


def measure(name: str, seed: int) -> dict[str, Any]:
    """The lowest loss of each sampler, and after half of the trials."""
    row: dict[str, Any] = {"table": name, "seed": seed, "n_trials": N_TRIALS}
    for sampler in SAMPLERS:
        with tempfile.TemporaryDirectory() as folder:
            trials = tune(configuration(name, seed, folder), CHOICES, N_TRIALS, sampler)  # type: ignore[arg-type]
        row[sampler] = best_of(trials).loss
        row[f"{sampler}_half"] = best_of(trials[: N_TRIALS // 2]).loss
        row[f"{sampler}_s"] = sum(trial.seconds for trial in trials)
    return row


def main() -> None:
    for name in TABLES:
        found = []
        for seed in range(SEEDS):
            found.append(measure(name, seed))
            print(found[-1], flush=True)
            append_row("tuning", found[-1] | provenance())
        medians = {sampler: float(np.median([row[sampler] for row in found])) for sampler in SAMPLERS}
        wins = {s: sum(row["surrogate"] < row[s] for row in found) for s in SAMPLERS[1:]}
        print(
            f"{name}: median of the best losses {medians}; the surrogate is lower in {wins} of {SEEDS} seeds",
            flush=True,
        )


if __name__ == "__main__":
    main()
