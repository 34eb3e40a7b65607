"""The leaderboard in the terminal: one table where there is room, else scores above and details below."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from qloom.engines.choice import choose_engine
from qloom.models.tables.scores import TITLES
from qloom.training.leaderboard import leaderboard_rows

# Columns that the one table takes; also what a pipe or file gets, which has no width of its own.
WIDE = 132
_DETAILS = ("parameters", "training", "prediction")


def print_leaderboard(metrics: Mapping[str, Any]) -> None:
    """Print every model with its score, best first, and the verdict."""
    console = console_of_width()
    score, details = TITLES[metrics["metric"]], _DETAILS
    spread, rows = ("± spread", "95% interval"), [_cells(metrics, row) for row in leaderboard_rows(metrics)]
    if console.width >= WIDE:
        _print(console, _title(metrics), ("model", "role", score, *spread, *details), rows)
    else:
        _print(console, _title(metrics), ("model", score, *spread), [(row[0], *row[2:5]) for row in rows])
        _print(console, None, ("model", *details), [(row[0], *row[5:]) for row in rows])
    print_wrapped(console, metrics["verdict"])


def console_of_width() -> Console:
    """A console as wide as the terminal; in pipes and files wide enough for all, unless COLUMNS says otherwise."""
    console = Console()
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(width=WIDE)


def print_wrapped(console: Console, text: str) -> None:
    """Print a paragraph in lines that end between words."""
    print(textwrap.fill(text, console.width, break_long_words=False, break_on_hyphens=False))


def number_text(value: float | None, form: str = ".4f") -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else format(value, form)


def _title(metrics: Mapping[str, Any]) -> str:
    n_test, n_rounds = metrics["n_rows"]["test"], metrics["rounds"]["n"]
    rounds = "in one round" if n_rounds == 1 else f"a round, {n_rounds} rounds ({metrics['rounds']['kind']})"
    engine = choose_engine(metrics["engine"])
    measured = "" if engine.is_exact else f", circuits with {engine.title}"
    return f"{metrics['name']}: {metrics['target']} on {n_test} test rows {rounds}{measured}"


def _cells(metrics: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
    interval = "–" if row["low"] is None else f"{row['low']:.4f} to {row['high']:.4f}"
    times = f"{row['seconds_training']:.1f} s", f"{row['seconds_prediction']:.2f} s"
    title = metrics["models"][row["model"]]["title"]
    scores = number_text(row["score"]), number_text(row["deviation"])
    return (title, row["role"], *scores, interval, number_text(row["n_parameters"], "d"), *times)


def _print(console: Console, title: str | None, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name, justify="left" if name in ("model", "role") else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table, markup=False)
