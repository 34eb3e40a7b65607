"""Explanations of single predictions, and of a circuit's parts, in words and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from qloom.circuits import Circuit
from qloom.files import replace_file
from qloom.models.tables.scores import TITLES
from qloom.reports.importance import circuit_section, whole_sentence
from qloom.reports.pages import page
from qloom.reports.pictures import as_address

_MOST_BARS = 15
_PARTS = {"train": ", a training row", "validation": ", a validation row", "test": ", a test row"}
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


def number_form(row: dict[str, Any]) -> str:
    """How numbers of a row are written: probabilities to four digits after the point, others to five in all."""
    return ".4f" if row["class"] is not None else ".5g"


def row_sentences(found: dict[str, Any], row: dict[str, Any]) -> str:
    """What is predicted for a row, from which base, beside the control, and what the row has that training had not."""
    form, what = number_form(row), found["target"] if row["class"] is None else f"probability of {row['class']}"
    part = _PARTS.get(row["part"], "")
    truth = "" if row["truth"] is None else f", {found['target']} = {row['truth']}"
    models = "; ".join(
        f"{model['title']} {model['prediction']:{form}}, base {model['base']:{form}}"
        for model in row["models"].values()
    )
    background = found["background"]
    text = (
        f"Row {row['row']} of {found['source']}{part}{truth}. {what[:1].upper()}{what[1:]}: {models}. "
        f"The base is the mean prediction of {background['n_rows']} {background['of']} (drawn with seed "
        f"{background['seed']}); contributions add up to the prediction minus the base."
    )
    if row["unseen"] is None:
        return f"{text} What is new in the row is not known: the model was saved without what it had seen."
    return f"{text} New in this row: {row['unseen']}." if row["unseen"] else text


def sampled_sentence(row: dict[str, Any]) -> str | None:
    """How contributions were sampled; None where all are exact."""
    form, texts = number_form(row), []
    for model in row["models"].values():
        if not model["exact"]:
            reached = "reached" if model["reached"] else f"not reached after {model['predictions']:,} predictions"
            texts.append(f"{model['title']} {model['sweeps']} sweeps, {model['wanted']:{form}} wanted, {reached}")
    return f"Sampled, ± is a standard error: {'; '.join(texts)}." if texts else None


def circuit_sentences(found: dict[str, Any]) -> str:
    """The score beside those of the controls, what the circuit as a whole carries of it, how parts are taken out."""
    title, score = TITLES[found["metric"]], found["score"]
    exactly = "" if found["exact"] else " The circuit is run exactly here, unlike in training."
    if score is None:
        return f"{title} is not defined on these {found['n_rows']} rows.{exactly}"
    beside = "".join(f"; {name} {value:.4f}" for name, value in found["beside"].items() if value is not None)
    return f"{title} {score:.4f} on {found['n_rows']} {found['source']}{beside}. {whole_sentence(found)}{exactly}"


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


def columns_by_name(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each model."""
    return [{each["column"]: each for each in model["columns"]} for model in row["models"].values()]


def value_text(by_column: list[dict[str, Any]], name: str) -> str:
    """The row's cell of a column."""
    value = next(columns[name]["value"] for columns in by_column if name in columns)
    return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


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
