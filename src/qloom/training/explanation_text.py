"""Explanations of single predictions, and of what a circuit's parts do, in words."""

from __future__ import annotations

from math import floor, log10
from typing import Any

from qloom.models.tables.scores import METRICS, TITLES

_PARTS = {"train": ", a training row", "validation": ", a validation row", "test": ", a test row"}


def number_form(row: dict[str, Any]) -> str:
    """How numbers of a row are written: to four digits of a probability, or of how far predictions are apart."""
    spread = max(model["spread"] for model in row["models"].values())
    decimals = 4 if row["class"] is not None or not spread else min(max(3 - floor(log10(spread)), 0), 12)
    return f".{decimals}f"


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


def whole_sentence(found: dict[str, Any]) -> str:
    """What the circuit as a whole carries of the score, and how parts are taken out."""
    loss = next(part["loss"] for part in found["parts"] if part["kind"] == "circuit")
    metric = METRICS[found["metric"]]
    held = f"{metric.title} {'falls' if metric.higher_is_better else 'grows'} by {loss or 0.0:.4g} where all that "
    whole = f"The circuit as a whole: {held}is measured is held at its means, one prediction for all rows. "
    return (
        f"{'' if loss is None else whole}Qubits, angles and hidden units are held at their means too, gates are taken "
        "out. Nothing is trained anew: a part of little loss may be one that others stand in for, and whether the "
        "model needs a circuit is what its controls say."
    )


def columns_by_name(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each model."""
    return [{each["column"]: each for each in model["columns"]} for model in row["models"].values()]


def value_text(by_column: list[dict[str, Any]], name: str) -> str:
    """The row's cell of a column."""
    value = next(columns[name]["value"] for columns in by_column if name in columns)
    return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
