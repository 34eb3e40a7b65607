"""Five trainings of a network in one stack beside one training, on a table of 5,000 rows; seconds of wall and CPU.

Goal: at most 2.5 times the time of one, for each kind of network.

Run: python -m benchmarks.training.together
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import pyarrow as pa

from benchmarks.results import append_row, provenance
from qloom.data import inspect_table, split_rows
from qloom.models import HybridClassifier, fit_together
from qloom.models.tables.preparation import PreparedTable, prepare_table

N_ROWS, N_TRAININGS, EPOCHS, PAIRS = 5_000, 5, 6, 3


def made_table() -> pa.Table:
    """Twelve numbers and a category; two classes that overlap."""
    rng = np.random.default_rng(0)
    x, letters = rng.normal(size=(N_ROWS, 12)), rng.choice(list("abcde"), N_ROWS)
    score = x[:, 0] * x[:, 1] + x[:, 2] + (letters == "a") + rng.logistic(size=N_ROWS)
    columns = {f"x{i}": values for i, values in enumerate(x.T)}
    return pa.table({**columns, "letter": letters, "y": np.where(score > 0, "yes", "no")})


def prepared(table: pa.Table) -> list[PreparedTable]:
    """The table cut anew for each training."""
    schema = inspect_table(table, "y")
    splits = [split_rows(table, schema, seed=seed) for seed in range(N_TRAININGS)]
    return [prepare_table(table, schema, split) for split in splits]


def timed(layer: str, tables: list[PreparedTable]) -> tuple[float, float]:
    """Seconds of wall and of CPU for one training a table."""
    models = [HybridClassifier(layer=layer, epochs=EPOCHS, patience=EPOCHS) for _ in tables]
    wall, cpu = time.perf_counter(), time.process_time()
    fit_together(models, tables, list(range(len(tables))))
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    tables = prepared(made_table())
    for layer in ("quantum", "separable", "classical"):
        timed(layer, tables[:1])  # what is loaded and prepared once
        pairs = [(timed(layer, tables[:1]), timed(layer, tables)) for _ in range(PAIRS)]
        one, five = (median(pair[k][0] for pair in pairs) for k in range(2))
        ratios = [median(pair[1][k] / pair[0][k] for pair in pairs) for k in range(2)]
        row = {
            "layer": layer,
            "one_seconds": one,
            "five_seconds": five,
            "wall_ratio": ratios[0],
            "cpu_ratio": ratios[1],
        }
        append_row("together", {**row, "goal": 2.5, **provenance()})
        print(f"{layer:10s} one {one:.2f} s, five {five:.2f} s: {ratios[0]:.2f} times (CPU {ratios[1]:.2f}), goal 2.5")


if __name__ == "__main__":
    main()
