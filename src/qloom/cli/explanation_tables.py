"""Contributions of columns, and losses without parts of a circuit, as tables with bars of text."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from qloom.cli.leaderboard import number_text
from qloom.models.tables.scores import TITLES
from qloom.training.explanation_text import columns_by_name, number_form, value_text

# Lines of a table: columns, parts of a kind, hidden units.
_MOST_COLUMNS, _MOST_PARTS, _MOST_UNITS = 30, 12, 3
_BAR = 7


def contributions_table(row: dict[str, Any]) -> Table:
    """A line a column of the table: its cell, and what it adds in each model."""
    models = list(row["models"].values())
    by_column = columns_by_name(row)
    names = list(dict.fromkeys(name for columns in by_column for name in columns))
    largest = max((abs(each["contribution"]) for columns in by_column for each in columns.values()), default=0.0)
    table, form = Table(), number_form(row)
    table.add_column("column", overflow="fold")
    table.add_column("value", overflow="fold", justify="right")
    for model in models:
        table.add_column(model["title"], justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    for name in names[:_MOST_COLUMNS]:
        cells = (_cells(columns.get(name), largest, form) for columns in by_column)
        table.add_row(name, value_text(by_column, name), *(text for pair in cells for text in pair))
    if len(names) > _MOST_COLUMNS:
        rest = [sum(columns[n]["contribution"] for n in names[_MOST_COLUMNS:] if n in columns) for columns in by_column]
        cells = ((f"{each:+{form}}", signed_bar(each, largest)) for each in rest)
        others = f"{len(names) - _MOST_COLUMNS} others together (--json and --page have all)"
        table.add_row(others, "", *(text for pair in cells for text in pair))
    return table


def _cells(each: dict[str, Any] | None, largest: float, form: str) -> tuple[str, str]:
    if each is None:
        return "–", ""
    error = f" ± {each['error']:{form}}" if each["error"] else ""
    return f"{each['contribution']:+{form}}{error}", signed_bar(each["contribution"], largest)


def parts_table(found: dict[str, Any]) -> Table:
    """A line a part, of many of a kind those that matter most."""
    table = Table()
    largest = max((abs(part["loss"] or 0.0) for part in found["parts"] if part["kind"] != "circuit"), default=0.0)
    table.add_column("without", overflow="fold")
    table.add_column(f"{TITLES[found['metric']]} lost", justify="right", no_wrap=True)
    table.add_column("95% interval", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for kind in dict.fromkeys(part["kind"] for part in found["parts"]):
        parts = [part for part in found["parts"] if part["kind"] == kind]
        most = _MOST_UNITS if kind == "unit" else _MOST_PARTS
        for part in parts[:most]:
            interval = "–" if part["low"] is None else f"{part['low']:+.4f} to {part['high']:+.4f}"
            bar = "" if kind == "circuit" or part["loss"] is None else signed_bar(part["loss"], largest)
            table.add_row(part["name"], number_text(part["loss"], "+.4f"), interval, bar)
        if len(parts) > most:
            least = parts[most:]
            span = f"{least[-1]['loss']:+.4f} to {least[0]['loss']:+.4f}"
            table.add_row(f"{len(least)} more of these (--json and --page have all)", span, "", "")
        table.add_section()
    return table


def signed_bar(value: float, largest: float) -> str:
    """A bar from the middle to the right, or to the left where a value is negative."""
    halves = round(2 * _BAR * abs(value) / largest) if largest else 0
    whole, half = divmod(halves, 2)
    if value < 0:
        return ("▐" * half + "█" * whole).rjust(_BAR) + "│" + " " * _BAR
    return " " * _BAR + "│" + ("█" * whole + "▌" * half).ljust(_BAR)
