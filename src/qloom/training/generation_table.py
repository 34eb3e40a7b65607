"""What was measured of generated rows, in a table and in sentences; for the terminal and the report alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qloom.models.tables.scores import METRICS, TITLES

# If the ratio of distances to the closest training row is below this for certain, the sentence on privacy warns.
NEAR = 0.8


def headings(record: Mapping[str, Any]) -> list[str]:
    """Of the columns of `table_rows`, with an arrow towards the better values."""
    names = ["marginals ↓", "pairs ↓", "told from real ↓"]
    if record["metric"] is not None:
        arrow = "↑" if METRICS[record["metric"]].higher_is_better else "↓"
        names.append(f"{record['target']}: {TITLES[record['metric']]} {arrow}")
    return [*names, "distance", "copies", "mended"]


def table_rows(record: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Title, role and figures of every model, those of real rows last."""
    return [(each["title"], each["role"], _figures(each, record["metric"])) for each in record["models"].values()]


def _figures(model: Mapping[str, Any], metric: str | None) -> list[str]:
    figures = [_text(model["marginal"]), _text(model["pairs"]), _with_interval(model["detection"])]
    if metric is not None:
        figures.append(_with_interval(model["usefulness"]))
    mended = "–" if model["repaired"] is None else f"{model['repaired']:.1%}"
    distance = "1" if model["role"] == "real" else _with_interval(model["privacy"], ".2f")
    return [*figures, distance, f"{model['copies']:.1%}", mended]


def _text(value: float | None, form: str = ".3f") -> str:
    return "–" if value is None else format(value, form)


def _with_interval(values: list[float | None], form: str = ".3f") -> str:
    value, low, high = values
    return _text(value, form) if low is None else f"{_text(value, form)} ({_text(low, '.2f')}–{_text(high, '.2f')})"


def sentences(record: Mapping[str, Any]) -> Iterator[str]:
    """What the figures say of the model that was asked for."""
    models = record["models"]
    chosen, real = models[record["chosen"]], models["real"]
    others = [(each["title"], each["detection"][0]) for each in models.values() if each["role"] == "control"]
    beside = ", ".join(f"{title} {_text(area)}" for title, area in [*others, ("training rows", real["detection"][0])])
    told = _with_interval(chosen["detection"])
    if chosen["detection"][0] is None:
        yield "The held-out rows are too few to ask whether a classifier can tell synthetic rows from them."
    else:
        yield (
            f"A classifier tells rows of the {chosen['title']} from real ones with ROC AUC {told}, 0.5 being chance; "
            f"{beside}."
        )
    if record["metric"] is not None:
        yield (
            f"A model of {record['target']} that learnt from synthetic rows has {TITLES[record['metric']]} "
            f"{_text(chosen['usefulness'][0])} on real rows held out, one that learnt from the training rows "
            f"{_text(real['usefulness'][0])}."
        )
    yield _privacy(chosen)


def _privacy(chosen: Mapping[str, Any]) -> str:
    ratio, low, high = chosen["privacy"]
    if ratio is None:
        return "Half of the held-out rows are equal to a training row, so that distances to training rows say nothing."
    times = f"{ratio:.2f} times ({_text(low, '.2f')}–{_text(high, '.2f')})"
    text = f"Synthetic rows are {times} as far from the closest training row as held-out rows are"
    return f"{text}: training rows show through." if high is not None and high < NEAR else f"{text}."
