"""docs/plots/wide.svg: words, seconds and errors against steps and cuts, from the newest rows.

Run: python -m benchmarks.propagation.picture   (after python -m benchmarks.propagation.wide size)
"""

from __future__ import annotations

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmarks.plots import STYLE, save
from benchmarks.results import Row, newest, read_rows

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "plots" / "wide.svg"
COLOURS = {"0.0001": "#0072b2", "1e-05": "#d55e00", "1e-06": "#009e73"}


def drawn(rows: list[Row]) -> Figure:
    with rc_context(STYLE):
        figure = Figure((9, 3), layout="constrained")
        axes = figure.subplots(1, 3)
        best = {row["steps"]: float(row["value"]) for row in rows if float(row["least"]) == 1e-6}
        for least, colour in COLOURS.items():
            mine = [row for row in rows if float(row["least"]) == float(least)]
            steps = [int(row["steps"]) for row in mine]
            for axis, name in zip(axes, ("words", "seconds"), strict=False):
                axis.plot(steps, [float(row[name]) for row in mine], "o-", ms=3, color=colour, label=f"cut {least}")
            axes[2].plot(steps, [float(row["bound"]) for row in mine], "o-", ms=3, color=colour)
            axes[2].plot(steps, [float(row["typical"]) for row in mine], "o--", ms=3, color=colour, mfc="white")
            if float(least) > 1e-6:
                off = [abs(float(row["value"]) - best[row["steps"]]) for row in mine]
                axes[2].plot(steps, off, "x:", ms=4, color=colour)
        for axis, title in zip(axes, ("Words", "Seconds", "Errors"), strict=True):
            axis.set(yscale="log", title=title, xlabel="steps")
        axes[0].legend()
        for style, label in (("-", "bound"), ("--", "typical"), (":", "from the value cut at 1e-6")):
            axes[2].plot([], [], style, color="#555555", label=label)
        axes[2].legend()
    return figure


if __name__ == "__main__":
    save(drawn(newest(read_rows("propagation_size"), key=lambda row: (row["least"], row["steps"]))), PICTURE)
    print(PICTURE)
