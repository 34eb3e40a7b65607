"""Explanations of single predictions, and of a circuit's parts, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from qloom.circuits import Circuit
from qloom.files import replace_file
from qloom.reports.importance import circuit_section
from qloom.reports.pages import page
from qloom.reports.pictures import as_address
from qloom.training.explanation_text import (
    circuit_sentences,
    columns_by_name,
    number_form,
    row_sentences,
    sampled_sentence,
    value_text,
)

_MOST_BARS = 15
_COLOURS = ("#0072b2", "#9aa7b4")


def write_explanation(path: Path, name: str, found: dict[str, Any]) -> Path:
    """Write one HTML file that asks for nothing outside itself.

    Args:
        found: what `explain_rows` and, as `circuit`, `explain_circuit` return.
    """
    circuit = found.get("circuit")
    return replace_file(path, page(
        "explanation.html.jinja", name=name, found=found, rows=[_section(found, row) for row in found.get("rows", ())],
        circuit=circuit and circuit_section(circuit, Circuit.from_json(circuit["circuit"])),
        circuit_text=circuit and circuit_sentences(circuit),
    ))  # fmt: skip


def _section(found: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    form = number_form(row)
    models, by_column = list(row["models"].values()), columns_by_name(row)
    names = list(dict.fromkeys(name for columns in by_column for name in columns))
    height = 1.3 + 0.3 * min(len(names), _MOST_BARS)
    return {
        "number": row["row"], "text": row_sentences(found, row), "sampled": sampled_sentence(row),
        "titles": [model["title"] for model in models],
        "picture": as_address((8.0, height), lambda figure: _draw(figure, row, names[:_MOST_BARS])),
        "left_out": max(0, len(names) - _MOST_BARS),
        "columns": [
            {"column": name, "value": value_text(by_column, name),
             "cells": [_cell(columns.get(name), form) for columns in by_column]}
            for name in names
        ],
    }  # fmt: skip


def _cell(each: dict[str, Any] | None, form: str) -> str:
    if each is None:
        return "–"
    return f"{each['contribution']:+{form}}" + (f" ± {each['error']:{form}}" if each["error"] else "")


def _draw(figure: Figure, row: dict[str, Any], names: list[str]) -> None:
    """Contributions of the columns that add most, one bar a model."""
    by_column, models = columns_by_name(row), list(row["models"].values())
    ax, height = figure.subplots(), 0.8 / len(models)
    for k, (model, known) in enumerate(zip(models, by_column, strict=True)):
        places = [place + (k - (len(models) - 1) / 2) * height for place in range(len(names))]
        values = [known[name]["contribution"] if name in known else 0.0 for name in names]
        errors = [known[name]["error"] if name in known else 0.0 for name in names]
        ax.barh(places, values, height, xerr=errors if any(errors) else None, color=_COLOURS[k % 2],
                label=model["title"], error_kw={"linewidth": 0.8})  # fmt: skip
    ax.set_yticks(range(len(names)), [_cut(f"{name} = {value_text(by_column, name)}") for name in names])
    ax.axvline(0, color="#555555", linewidth=0.9)
    ax.invert_yaxis()
    what = "" if row["class"] is None else f" to the probability of {_cut(row['class'])}"
    ax.set(title=f"what each column adds{what}")
    ax.legend(fontsize=8)


def _cut(text: str) -> str:
    """Names and cells can be of any length."""
    return text if len(text) <= 40 else text[:39] + "…"
