"""The page of generated rows: what was measured of the model and its controls, beside real rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qloom.files import replace_file
from qloom.reports.pages import REPORT, page
from qloom.reports.pictures import as_address
from qloom.reports.wording import capitalized, seconds_text
from qloom.training.generation_folder import GenerationFolder
from qloom.training.generation_table import headings, sentences, table_rows

_REAL, _SYNTHETIC = "#9aa5b1", "#0072b2"
# Okabe and Ito's, the one of the model that was asked for first.
_COLOURS = (_SYNTHETIC, "#d98c00", "#009e73", "#b8528f", "#56b4e9", "#8a6d3b", "#777777")
_A_ROW = 4
_LONGEST = 14


def write_generation_report(folder: Path) -> Path:
    """Write report.html into the folder of a run of `qloom generate`, from the numbers in it alone.

    Raises:
        ArtifactError: if the folder holds no such run.
    """
    return replace_file(folder / REPORT, render(GenerationFolder(folder).metrics()))


def render(record: Mapping[str, Any]) -> str:
    """The page as text."""
    return page(
        "generation.html.jinja",
        run=record,
        sentences=list(sentences(record)),
        headings=[_heading(heading) for heading in headings(record)],
        rows=[
            {"title": title, "role": role, "figures": figures, "explanation": each["explanation"],
             "training": "–" if each["seconds"] is None else seconds_text(each["seconds"])}
            for (title, role, figures), each in zip(table_rows(record), record["models"].values(), strict=True)
        ],
        marginals=_marginals(record),
        pairs=_pairs(record),
        distances=_distances(record),
        settings=json.dumps(record["asked"], indent=1, ensure_ascii=False),
    )  # fmt: skip


def _heading(text: str) -> str:
    """With a capital where it begins with no name of a column; its arrow stays beside it."""
    text = text if ":" in text else capitalized(text)
    return text.replace(" ↓", "\N{NO-BREAK SPACE}↓").replace(" ↑", "\N{NO-BREAK SPACE}↑")


def _marginals(record: Mapping[str, Any]) -> str:
    """Shares of the cells of each column, real ones in grey, synthetic ones as an outline."""
    columns = record["pictures"]["marginals"]
    n_rows = -(-len(columns) // _A_ROW)

    def draw(figure: Figure) -> None:
        grid = np.ravel(figure.subplots(n_rows, _A_ROW, squeeze=False))
        for ax, column in zip(grid, columns, strict=False):
            (_bars if "labels" in column else _steps)(ax, column)
            ax.set_title(_short(column["name"], 26))
            ax.tick_params(labelsize=7)
        for ax in grid[len(columns) :]:
            ax.set_axis_off()
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)

    return as_address((10.5, 0.5 + 1.9 * n_rows), draw)


def _steps(ax: Axes, column: Mapping[str, Any]) -> None:
    ends = np.array(column["ends"])
    if column["kind"] == "date":
        ends = ends.astype("datetime64[D]")
    ax.stairs(column["real"], ends, fill=True, color=_REAL, label="real, held out")
    ax.stairs(column["synthetic"], ends, color=_SYNTHETIC, linewidth=1.6, label="synthetic")
    ax.set_ylim(0)
    if column["kind"] == "date":
        ax.tick_params(axis="x", rotation=30)


def _bars(ax: Axes, column: Mapping[str, Any]) -> None:
    places = np.arange(len(column["labels"]))
    ax.barh(places, column["real"], color=_REAL, height=0.8, label="real, held out")
    ax.barh(places, column["synthetic"], fill=False, edgecolor=_SYNTHETIC, linewidth=1.6, height=0.8, label="synthetic")
    ax.set_yticks(places, [_short(str(label), _LONGEST) for label in column["labels"]])
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _pairs(record: Mapping[str, Any]) -> str | None:
    """Correlations of synthetic against those of real rows, a panel a model; None of a single column."""
    found = record["pictures"]["pairs"]
    names = [name for name in found if name != "real"]
    if not found["real"]:
        return None

    n_rows = -(-len(names) // _A_ROW)

    def draw(figure: Figure) -> None:
        grid = np.ravel(figure.subplots(n_rows, _A_ROW, squeeze=False, sharex=True, sharey=True))
        for ax, name, colour in zip(grid, names, cycle(_COLOURS), strict=False):
            ax.plot([-1, 1], [-1, 1], color="#555555", linewidth=0.8)
            ax.plot(found["real"], found[name], ".", color=colour, markersize=3, alpha=0.5, rasterized=True)
            ax.set_title(capitalized(record["models"][name]["title"]))
            ax.set_xlabel("real, held out")
        for ax in grid[::_A_ROW]:
            ax.set_ylabel("synthetic")
        for ax in grid[len(names) :]:
            ax.set_axis_off()
        limit = 1.05 * max(np.abs(found["real"]).max(), *(np.abs(found[name]).max() for name in names))
        grid[0].set(xlim=(-limit, limit), ylim=(-limit, limit))

    return as_address((10.5, 0.3 + 2.5 * n_rows), draw)


def _distances(record: Mapping[str, Any]) -> str:
    """Shares of rows that are nearer to a training row than a distance."""

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        for (name, model), colour in zip(record["models"].items(), cycle(_COLOURS), strict=False):
            shares = np.linspace(0, 1, len(model["distances"]))
            if name == "real":
                ax.plot(model["distances"], shares, color="#111111", linewidth=2.2, label="real rows held out")
            else:
                ax.plot(model["distances"], shares, color=colour, linewidth=1.5, label=capitalized(model["title"]))
        ax.set(xlabel="distance to the closest training row", ylabel="share of rows within", ylim=(0, 1), xlim=0)
        ax.legend(loc="lower right")

    return as_address((6.4, 3.4), draw)
