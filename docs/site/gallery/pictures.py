"""Pictures of the gallery: published points in black, ours in colour, on white."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plots import OURS, STYLE
from benchmarks.results import Row

COLOURS = (OURS, "#0072b2", "#009e73", "#cc79a7", "#b8860b", "#56b4e9")
PUBLISHED: dict[str, Any] = {"color": "#000000", "marker": "x", "linestyle": "", "markersize": 7, "zorder": 5}


def as_svg(draw: Callable[[Sequence[Row]], Figure], rows: Sequence[Row]) -> bytes:
    """The picture of some rows: no date in it, and names that depend on nothing else."""
    out = BytesIO()
    with mpl.rc_context(STYLE):
        draw(rows).savefig(out, format="svg", metadata={"Date": None}, bbox_inches="tight", facecolor="white")
    return out.getvalue()


def panels(n: int, width: float = 4.2, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """A figure of n panels side by side."""
    figure = Figure(figsize=(width * n, height), layout="constrained")
    return figure, list(figure.subplots(1, n, squeeze=False)[0])


def numbers(rows: Sequence[Row], *columns: str) -> list[list[float]]:
    """Columns of rows as numbers, a list a column."""
    return [[float(row[column]) for row in rows] for column in columns]
