"""Five trainings of one published classifier from five seeds at once, beside one; seconds of wall and CPU a step.

Goal: at most 2 times the time of one, for each classifier.

Run: python -m benchmarks.training.seeds
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
from sklearn.base import clone

from benchmarks.results import append_row, provenance
from qloom.models import CircuitCentricClassifier, DressedCircuitClassifier, ReuploadingClassifier, fit_seeds

N_ROWS, N_FEATURES, N_SEEDS, STEPS, PAIRS = 300, 8, 5, 1000, 3
MODELS = (ReuploadingClassifier(), CircuitCentricClassifier(), DressedCircuitClassifier())


def made_rows() -> tuple[np.ndarray, np.ndarray]:
    """Eight numbers; two classes by a product and a sum."""
    x = np.random.default_rng(0).normal(size=(N_ROWS, N_FEATURES))
    return x, (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(int)


def timed(model: object, rows: tuple[np.ndarray, np.ndarray], n_seeds: int, steps: int) -> tuple[float, float]:
    """Wall and CPU seconds a step; one seed by `fit`, as a user would."""
    given = clone(model).set_params(max_steps=steps, convergence_interval=None)
    wall, cpu = time.perf_counter(), time.process_time()
    if n_seeds == 1:
        given.fit(*rows)
    else:
        fit_seeds(given, *rows, range(n_seeds))
    return (time.perf_counter() - wall) / steps, (time.process_time() - cpu) / steps


def main() -> None:
    rows = made_rows()
    for model in MODELS:
        for n_seeds in (1, N_SEEDS):
            timed(model, rows, n_seeds, 3)  # what is loaded and prepared once
        pairs = [(timed(model, rows, 1, STEPS), timed(model, rows, N_SEEDS, STEPS)) for _ in range(PAIRS)]
        one, five = (median(pair[k][1] for pair in pairs) for k in range(2))
        ratios = [median(pair[1][k] / pair[0][k] for pair in pairs) for k in range(2)]
        row = {"model": type(model).__name__, "one_cpu_seconds": one, "five_cpu_seconds": five,
               "wall_ratio": ratios[0], "cpu_ratio": ratios[1]}  # fmt: skip
        append_row("seeds", {**row, "goal": 2.0, **provenance()})
        print(f"{row['model']:26s} five {ratios[0]:.2f} times one (CPU {ratios[1]:.2f}), goal 2", flush=True)


if __name__ == "__main__":
    main()
