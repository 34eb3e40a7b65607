"""The leaderboard in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from qloom.models.scores import TITLES
from qloom.training.leaderboard import leaderboard_rows


def print_leaderboard(metrics: Mapping[str, Any]) -> None:
    """Print every model with its score, best first, and the verdict."""
    n_test = metrics["n_rows"]["test"]
    table = Table(title=f"{metrics['name']}: {metrics['target']} on {n_test} test rows", title_justify="left")
    for name in (
        "model",
        "role",
        TITLES[metrics["metric"]],
        "95% interval",
        "parameters",
        "training",
        "prediction",
    ):
        table.add_column(name, justify="left" if name in ("model", "role") else "right", no_wrap=True)
    for row in leaderboard_rows(metrics):
        title = metrics["models"][row["model"]]["title"]
        interval = f"{row['low']:.4f} to {row['high']:.4f}"
        times = f"{row['seconds_training']:.1f} s", f"{row['seconds_prediction']:.2f} s"
        table.add_row(title, row["role"], f"{row['score']:.4f}", interval, f"{row['n_parameters']}", *times)
    console = Console()
    Console(width=max(console.width, 116)).print(table, markup=False)
    print(metrics["verdict"])
