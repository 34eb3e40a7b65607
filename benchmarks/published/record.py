"""Rows of results/published.csv: what others published, and what was found again."""

from __future__ import annotations

from benchmarks.results import append_row, provenance


def record(name: str, expected: str, measured: str, met: bool, seconds: float) -> None:
    """Print and append a row.

    Args:
        name: the work, model and data.
        expected: the published figure and how near it should be.
        measured: the figure found.
        met: whether it is as near.
        seconds: that it took, all of it.
    """
    print(f"{name}: {measured}; expected {expected}: {'reached' if met else 'MISSED'}, {seconds:.1f} s", flush=True)
    row = {"name": name, "expected": expected, "measured": measured, "met": met, "seconds": seconds}
    append_row("published", row | provenance())
