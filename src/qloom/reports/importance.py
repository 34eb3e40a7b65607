"""The part of a report on what models hang on: columns shuffled, and columns held at one value after another."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qloom.reports.pictures import as_address
from qloom.reports.wording import capitalized, metric_title

_MOST_BARS = 12
_COLOURS = ("#0072b2", "#b8528f")


def importance_pictures(found: dict[str, Any] | None, titles: dict[str, str]) -> dict[str, Any] | None:
    """The pictures with what they show in words; None without the file."""
    if found is None:
        return None
    names = [capitalized(titles.get(key, key)) for key in found["models"]]
    models = list(found["models"].values())
    defined = all(each["mean"] is not None for model in models for each in model["importance"])
    return {
        "bars": _bars(models, names, metric_title(found["metric"])) if defined else None,
        "curves": [_curves(entries, names) for entries in _by_column(models)],
        "n_rows": found["n_rows"],
    }


def _bars(models: list[dict[str, Any]], names: list[str], metric: str) -> str:
    columns = [each["column"] for each in models[0]["importance"][:_MOST_BARS]]

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        height = 0.8 / len(models)
        for k, (model, name) in enumerate(zip(models, names, strict=True)):
            by_column = {each["column"]: each for each in model["importance"]}
            known = [by_column[column] for column in columns]
            places = [place + (k - (len(models) - 1) / 2) * height for place in range(len(columns))]
            ax.barh(places, [each["mean"] for each in known], height, xerr=[each["deviation"] for each in known],
                    color=_COLOURS[k % 2], label=name, error_kw={"linewidth": 0.8})  # fmt: skip
        ax.set_yticks(range(len(columns)), [_cut(column) for column in columns])
        ax.invert_yaxis()
        ax.set(title=f"{metric}: what is lost when a column is shuffled")
        ax.legend(fontsize=8)

    return as_address((5.2, 1.2 + 0.35 * len(columns)), draw)


def _by_column(models: list[dict[str, Any]]) -> list[list[dict[str, Any] | None]]:
    """The curves of each column, one a model."""
    curves = [{each["column"]: each for each in model["dependence"]} for model in models]
    columns = list(dict.fromkeys(column for of_model in curves for column in of_model))
    return [[of_model.get(column) for of_model in curves] for column in columns]


def _curves(entries: list[dict[str, Any] | None], names: list[str]) -> str:
    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        for k, (entry, name) in enumerate(zip(entries, names, strict=True)):
            if entry is not None:
                _draw_curve(ax, entry, name, _COLOURS[k % 2])
        first = next(entry for entry in entries if entry is not None)
        of = "mean prediction" if first["shown"] is None else f"mean probability of {_cut(first['shown'])}"
        ax.set(title=_cut(first["column"]), ylabel=of)
        ax.legend(fontsize=8)

    return as_address((5.2, 3.0), draw)


def _draw_curve(ax: Axes, entry: dict[str, Any], name: str, colour: str) -> None:
    values = entry["values"]
    if all(isinstance(value, int | float) for value in values):
        ax.plot(values, entry["predictions"], "o-", color=colour, label=name, markersize=3)
    else:
        ax.plot([_cut(str(value)) for value in values], entry["predictions"], "o", color=colour, label=name)
        ax.tick_params("x", rotation=30)


def _cut(text: str) -> str:
    """Names of columns and classes can be of any length."""
    return text if len(text) <= 24 else text[:23] + "…"
