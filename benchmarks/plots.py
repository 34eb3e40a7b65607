"""The plots of the page, SVG files that stay the same as long as the results do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.peers.running import TOO_LONG
from benchmarks.results import Row
from benchmarks.tables import number_of, ours_at, point_of, size_of

STYLE: dict[str, Any] = {
    "font.size": 9, "axes.titlesize": 10, "axes.titlelocation": "left", "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": "#555555", "axes.grid": True, "axes.axisbelow": True,
    "grid.color": "#e3e3e3", "grid.linewidth": 0.7, "legend.frameon": False, "svg.hashsalt": "qloom",
}  # fmt: skip
OURS = "#d55e00"
# Okabe and Ito's colours, then greys, with markers of their own.
_COLOURS = ("#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#b8860b", "#000000", "#888888")
_MARKERS = "osD^vP*X<>"


def save(figure: Figure, path: Path) -> None:
    """Write an SVG file without a date in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight", facecolor="white")


def thinned(curve: Sequence[tuple[float, float]], most: int = 250) -> tuple[np.ndarray, np.ndarray]:
    """What a logarithmic axis shows of a long curve: at most so many points, the first and the last among them."""
    places = np.unique(np.geomspace(1, len(curve), most).astype(int)) - 1
    first, second = np.array(curve)[places].T
    return first, second


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def _plain_numbers(axis: Any) -> None:
    """1,000 instead of 10^3; on a logarithmic axis over less than two decades 2 and 5 as well."""
    low, high = axis.get_view_interval()
    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def plot_times(rows: Sequence[Row], path: Path, title: str) -> None:
    """Milliseconds at every point, one mark a system."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = _figure(8.5, 4.6)
        ours = ours_at(rows)
        points = list(ours)
        axes.plot(range(len(points)), list(ours.values()), "-s", color=OURS, linewidth=2, label="qloom", zorder=5)
        for (peer, mine), look in zip(_by_peer(rows), _looks(), strict=False):
            done = [(points.index(point_of(row)), float(row["median_ms"])) for row in mine if row["status"] == "ok"]
            axes.plot(*zip(*sorted(done), strict=True) if done else ([], []), label=peer, **look)
        _time_axes(axes, points, title)
        figure.legend(loc="outside right upper", fontsize=8)
        save(figure, path)


def _by_peer(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    return [(peer, [row for row in rows if row["peer"] == peer]) for peer in dict.fromkeys(row["peer"] for row in rows)]


def _looks() -> Iterable[dict[str, Any]]:
    """Looks of systems: a colour and a marker, a second round dashed."""
    for k, (colour, marker) in enumerate(zip(cycle(_COLOURS), cycle(_MARKERS), strict=False)):
        dashes = "-" if k < len(_COLOURS) else "--"
        yield {"color": colour, "marker": marker, "markersize": 5, "linewidth": 0.9, "linestyle": dashes}


def _looks_of_points(points: Sequence[tuple[int, int, int]]) -> dict[tuple[int, int, int], dict[str, Any]]:
    """Looks of points: the larger the darker."""
    shades = mpl.colormaps["viridis_r"]
    return {
        point: {"color": shades(0.1 + 0.9 * k / max(1, len(points) - 1)), "marker": marker, "markersize": 6}
        for k, (point, marker) in enumerate(zip(points, cycle(_MARKERS), strict=False))
    }


def _time_axes(axes: Axes, points: Sequence[tuple[int, int, int]], title: str) -> None:
    labels = ["\n".join(f"{letter}={value}" for letter, value in zip("nBL", point, strict=True)) for point in points]
    axes.set_xticks(range(len(points)), labels)
    axes.set_yscale("log")
    axes.set_ylabel("milliseconds")
    axes.set_title(title)
    _plain_numbers(axes.yaxis)


def plot_ratios(rows: Sequence[Row], path: Path, title: str) -> None:
    """How many times as long each peer takes, one mark a point; open marks are only a lower bound."""
    with mpl.rc_context(STYLE):
        peers = _by_peer([row for row in rows if row["ratio"]])
        peers.sort(key=lambda peer: min(float(row["ratio"]) for row in peer[1]), reverse=True)
        figure, (axes,) = _figure(8.5, 0.7 + 0.36 * max(3, len(peers)))
        looks = _looks_of_points(list(ours_at(rows)))
        for height, (_, mine) in enumerate(peers):
            for row in mine:
                look = looks[point_of(row)] | ({"markerfacecolor": "white"} if row["status"] == TOO_LONG else {})
                axes.plot(float(row["ratio"]), height, linestyle="", **look)
        for point, look in looks.items():
            axes.plot([], [], linestyle="", label=f"({','.join(map(str, point))})", **look)
        _ratio_axes(axes, [peer for peer, _ in peers], title)
        figure.legend(loc="outside right upper", title="(n,B,L)", fontsize=8)
        save(figure, path)


def _ratio_axes(axes: Axes, names: Sequence[str], title: str) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xscale("log")
    axes.axvline(1, color=OURS, linewidth=1.5)
    axes.set_xlabel("times as long as qloom (orange line); open: at least, the peer was stopped")
    axes.set_title(title)
    _plain_numbers(axes.xaxis)


def plot_fractions(rows: Sequence[Row], path: Path) -> None:
    """The fraction of P that each training step reaches, by one and two threads."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = _figure(8.5, 3.2)
        sizes = list(dict.fromkeys(row["size"] for row in rows))
        for offset, threads, colour in ((-0.2, "1", "#f0b58a"), (0.2, "2", OURS)):
            mine = {row["size"]: float(row["fraction"]) for row in rows if row["threads"] == threads}
            heights = [100 * mine.get(size, 0) for size in sizes]
            label = f"{threads} thread{'s' * (threads != '1')}"
            bars = axes.bar([i + offset for i in range(len(sizes))], heights, 0.38, color=colour, label=label)
            axes.bar_label(bars, fmt="%.0f", fontsize=7)
        points = [tuple(size_of({"size": size}).values()) for size in sizes]
        axes.set_xticks(
            range(len(sizes)), ["\n".join(f"{k}={v}" for k, v in zip("nBL", p, strict=True)) for p in points]
        )
        for row in rows:
            if row["goal_fraction"]:
                place, goal = sizes.index(row["size"]), 100 * float(row["goal_fraction"])
                axes.plot([place - 0.45, place + 0.45], [goal, goal], color="#000000", linewidth=1.5)
        axes.plot([], [], color="#000000", label="goal")
        axes.set_ylabel("% of P")
        axes.set_title("Fraction of the multiply-add rate a training step reaches")
        figure.legend(loc="outside right upper", fontsize=8)
        save(figure, path)


def plot_growth(rows: Sequence[Row], path: Path) -> None:
    """Time against qubits, samples and layers, beside what P allows."""
    with mpl.rc_context(STYLE):
        figure, panels = _figure(9.5, 3.2, 3)
        for axes, (letter, title, fixed) in zip(panels, (
            ("n", "qubits n (B = 64, L = 4)", {"batch": 64, "layers": 4}),
            ("batch", "samples B (n = 8, L = 4)", {"n": 8, "layers": 4}),
            ("layers", "layers L (n = 8, B = 256)", {"n": 8, "batch": 256}),
        ), strict=True):  # fmt: skip
            chosen = [(size_of(row), row) for row in rows]
            chosen = [(size, row) for size, row in chosen if fixed.items() <= size.items()]
            chosen.sort(key=lambda pair: pair[0][letter])
            _growth_panel(axes, [size[letter] for size, _ in chosen], [row for _, row in chosen], title, letter != "n")
        panels[0].set_ylabel("milliseconds")
        panels[0].legend(fontsize=8)
        save(figure, path)


def _growth_panel(axes: Axes, places: Sequence[int], rows: Sequence[Row], title: str, logarithmic: bool) -> None:
    times = [float(row["median"]) for row in rows]
    floors = [time * (number_of(row, "fraction") or 0) for time, row in zip(times, rows, strict=True)]
    axes.plot(places, times, "-s", color=OURS, markersize=4, label="qloom")
    axes.plot(places, floors, "--", color="#555555", label="F / P")
    axes.set_yscale("log")
    if logarithmic:
        axes.set_xscale("log", base=2)
    _plain_numbers(axes.yaxis)
    axes.set_xticks(places, [f"{place:,}" for place in places])
    axes.minorticks_off()
    axes.set_xlabel(title)


def plot_first_calls(rows: Sequence[Row], path: Path) -> None:
    """Seconds of the first call of what is compiled."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = _figure(8.5, 3.0)
        points = list(ours_at(rows))
        for (peer, mine), look in zip(_by_peer(rows), _looks(), strict=False):
            done = [(points.index(point_of(row)), float(row["first_call_s"])) for row in mine if row["status"] == "ok"]
            axes.plot(*zip(*sorted(done), strict=True) if done else ([], []), label=peer, **look)
        _time_axes(axes, points, "First call of a training step, compilation included")
        axes.set_ylabel("seconds")
        figure.legend(loc="outside right upper", fontsize=8)
        save(figure, path)
