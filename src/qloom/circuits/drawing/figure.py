"""A circuit as a matplotlib figure; lengths are in units of the distance between two wires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from qloom.circuits.circuit import Circuit
from qloom.circuits.drawing.layout import CONTROL, EXCHANGE, Item, Kind, by_column, fold, layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Folds = list[tuple[int, int]]

_INCHES = 0.46
_NAME_POINTS, _ANGLE_POINTS, _SYMBOL_POINTS = 9.0, 6.6, 7.5
_BOX, _GAP, _HEAD, _TAIL = 0.68, 0.26, 0.75, 0.3
_ABOVE, _BELOW, _LEGEND = 0.55, 0.75, 0.5
_LONGEST_ROW = 26.0
_INK, _WIRE = "#1f2933", "#8a94a0"
_FILLS: dict[Kind, str] = {"number": "#ffffff", "weight": "#e2edf9", "input": "#f4bf6a"}
_MEANINGS: dict[Kind, str] = {"input": "depends on an input x", "weight": "on a weight w", "number": "fixed"}


def draw_figure(circuit: Circuit, ax: Axes | None = None, shades: Mapping[int, str] | None = None) -> Axes:
    """The circuit drawn into matplotlib axes, folded into several rows if long.

    Boxes that depend on an input, on a weight and on neither have fills of their own, unless gates have shades: colours
    by their number in the circuit. Without `ax` a figure of fitting size is made; with it the drawing is folded and
    scaled to fill the axes at their present size.
    """
    drawn = layout(circuit)
    numbers = {id(item): k - len(drawn) + len(circuit) for k, item in enumerate(drawn)}
    columns = by_column(drawn)
    widths = [max(map(_width, items)) for items in columns]
    ax = _new_axes(figure_size(circuit)) if ax is None else ax
    scale, folds = _largest(circuit.n_qubits, widths, ax)
    width, height = _extent(circuit.n_qubits, widths, folds)
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_axis_off()
    pen = _Pen(ax, scale)
    for row, (first, end) in enumerate(folds):
        top = _ABOVE + row * _row_height(circuit.n_qubits)
        _draw_wires(pen, circuit.n_qubits, top, sum(widths[first:end]), first > 0, end < len(widths))
        x = _HEAD
        for items, room in zip(columns[first:end], widths[first:end], strict=True):
            for item in items:
                fill = None if shades is None else shades.get(numbers[id(item)], _FILLS["number"])
                _draw_item(pen, item, x + room / 2, top, fill)
            x += room
    if shades is None:
        _draw_legend(pen, {item.kind for items in columns for item in items if item.name}, height - _LEGEND / 2)
    return ax


# -- size


def figure_size(circuit: Circuit) -> tuple[float, float]:
    """Width and height in inches of the figure `draw_figure` makes, mostly below 12.5 inches wide."""
    widths = [max(map(_width, items)) for items in by_column(layout(circuit))]
    folds = _balanced(widths, len(fold(widths, _LONGEST_ROW)))
    width, height = _extent(circuit.n_qubits, widths, folds)
    return width * _INCHES, height * _INCHES


def _row_height(n_qubits: int) -> float:
    return _ABOVE + n_qubits - 1 + _BELOW


def _extent(n_qubits: int, widths: Sequence[float], folds: Folds) -> tuple[float, float]:
    """Width and height of the whole drawing."""
    longest = max(sum(widths[first:end]) for first, end in folds)
    return max(_HEAD + longest + _TAIL, 8.0), len(folds) * _row_height(n_qubits) + _LEGEND


def _new_axes(inches: tuple[float, float]) -> Axes:
    import matplotlib.pyplot as plt

    return plt.figure(figsize=inches).add_axes((0, 0, 1, 1))


def _largest(n_qubits: int, widths: Sequence[float], ax: Axes) -> tuple[float, Folds]:
    """The scale and folds that draw the circuit largest in the axes."""
    box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    options = []
    for n_rows in range(1, max(1, len(widths)) + 1):
        folds = _balanced(widths, n_rows)
        width, height = _extent(n_qubits, widths, folds)
        options.append((min(box.width / width, box.height / height) / _INCHES, folds))
    return max(options, key=lambda option: option[0])


def _balanced(widths: Sequence[float], n_rows: int) -> Folds:
    """Folds into at most n_rows rows of about equal length."""
    room = sum(widths) / n_rows
    while len(folds := fold(widths, room)) > n_rows:
        room *= 1.02
    return folds


def _width(item: Item) -> float:
    """Room an item takes along the wires."""
    return (_box_width(item) if item.roles else 0.4) + _GAP


def _box_width(item: Item) -> float:
    text = max(_text_width(item.name, _NAME_POINTS), _text_width(item.short, _ANGLE_POINTS))
    return max(_BOX, text + 0.3 + (2 * _role_width(item) if len(item.roles) > 1 else 0))


def _role_width(item: Item) -> float:
    return max(_text_width(role, _ANGLE_POINTS) for role in item.roles.values()) + 0.08


@cache
def _text_width(text: str, points: float) -> float:
    from matplotlib.textpath import TextPath

    return TextPath((0, 0), text, size=points).get_extents().width / 72 / _INCHES if text else 0.0


# -- ink


@dataclass(frozen=True)
class _Pen:
    """Axes to draw on, and how much larger than at 0.46 inches a unit."""

    ax: Axes
    scale: float

    def line(self, x: Sequence[float], y: Sequence[float], color: str, width: float, style: str = "-") -> None:
        self.ax.plot(x, y, color=color, linewidth=width * self.scale, linestyle=style, zorder=1, clip_on=False)

    def text(self, x: float, y: float, text: str, points: float, align: str = "center") -> None:
        self.ax.text(x, y, text, fontsize=points * self.scale, ha=align, va="center_baseline", color=_INK, zorder=4)

    def box(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        from matplotlib.patches import FancyBboxPatch

        style: dict[str, Any] = {
            "boxstyle": "round,pad=0,rounding_size=0.09",
            "facecolor": fill,
            "edgecolor": _INK,
        }
        line = 0.9 * self.scale
        self.ax.add_patch(FancyBboxPatch((x, y), width, height, linewidth=line, zorder=3, **style))

    def strip(self, x: float, first: float, last: float, fill: str) -> None:
        from matplotlib.patches import FancyBboxPatch

        style: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.09", "facecolor": fill, "linewidth": 0}
        self.ax.add_patch(FancyBboxPatch((x - 0.26, first - 0.26), 0.52, last - first + 0.52, zorder=0.5, **style))

    def circle(self, x: float, y: float, radius: float, fill: str) -> None:
        from matplotlib.patches import Circle

        self.ax.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=_INK, linewidth=1.1 * self.scale, zorder=3))


def _draw_wires(pen: _Pen, n_qubits: int, top: float, length: float, continued: bool, continues: bool) -> None:
    """One row of wires with qubit names; dotted ends where the circuit goes on in another row."""
    end = _HEAD + length
    for qubit in range(n_qubits):
        y = top + qubit
        pen.text(_HEAD - 0.25, y, f"q{qubit}", _NAME_POINTS, "right")
        pen.line((_HEAD - 0.15, _HEAD), (y, y), _WIRE, 1.0, ":" if continued else "-")
        pen.line((_HEAD, end), (y, y), _WIRE, 1.0)
        pen.line((end, end + _TAIL - 0.1), (y, y), _WIRE, 1.0, ":" if continues else "-")


def _draw_item(pen: _Pen, item: Item, x: float, top: float, fill: str | None) -> None:
    """An operation; with a fill instead of that of its kind, a gate without a box is drawn on a strip of it."""
    rows = item.rows
    if fill is not None and not item.roles:
        pen.strip(x, top + rows[0], top + rows[-1], fill)
    if len(rows) > 1:
        pen.line((x, x), (top + rows[0], top + rows[-1]), _INK, 1.1)
    for qubit, symbol in item.symbols.items():
        _draw_symbol(pen, symbol, x, top + qubit)
    for k, run in enumerate(_runs(sorted(item.roles))):
        _draw_box(pen, item, run, x, top, k == 0, fill or _FILLS[item.kind])


def _draw_symbol(pen: _Pen, symbol: str, x: float, y: float) -> None:
    if symbol == CONTROL:
        pen.circle(x, y, 0.1, _INK)
        return
    r = 0.13 if symbol == EXCHANGE else 0.2
    if symbol == EXCHANGE:
        pen.line((x - r, x + r), (y - r, y + r), _INK, 1.4)
        pen.line((x - r, x + r), (y + r, y - r), _INK, 1.4)
        return
    pen.circle(x, y, r, "#ffffff")
    for dx, dy in ((r, 0), (0, r)):
        pen.ax.plot((x - dx, x + dx), (y - dy, y + dy), color=_INK, linewidth=1.1 * pen.scale, zorder=4)


def _runs(qubits: Sequence[int]) -> list[list[int]]:
    """Neighbouring qubits put together: [0, 1, 4] -> [[0, 1], [4]]."""
    runs: list[list[int]] = []
    for qubit in qubits:
        if runs and runs[-1][-1] == qubit - 1:
            runs[-1].append(qubit)
        else:
            runs.append([qubit])
    return runs


def _draw_box(
    pen: _Pen, item: Item, run: Sequence[int], x: float, top: float, named: bool, fill: str
) -> None:  # fmt: skip
    """A box over neighbouring qubits: their roles at its left side and, if named, name and angles."""
    width, y = _box_width(item), top + run[0]
    pen.box(x - width / 2, y - _BOX / 2, width, run[-1] - run[0] + _BOX, fill)
    for qubit in run:
        pen.text(x - width / 2 + 0.09, top + qubit, item.roles[qubit], _ANGLE_POINTS, "left")
    if not named:
        return
    middle = (y + top + run[-1]) / 2
    pen.text(x, middle - (0.11 if item.short else 0), item.name, _NAME_POINTS)
    pen.text(x, middle + 0.18, item.short, _ANGLE_POINTS)


def _draw_legend(pen: _Pen, kinds: Iterable[Kind], y: float) -> None:
    x = _HEAD
    for kind in (kind for kind in _MEANINGS if kind in set(kinds)):
        pen.box(x, y - 0.12, 0.24, 0.24, _FILLS[kind])
        pen.text(x + 0.36, y, _MEANINGS[kind], _ANGLE_POINTS, "left")
        x += 0.36 + _text_width(_MEANINGS[kind], _ANGLE_POINTS) + 0.5
