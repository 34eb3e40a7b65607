"""The part of a report on what models hang on: columns shuffled, columns held at values, parts of the circuit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from qloom.circuits import Circuit
from qloom.reports.figures import circuit_drawing
from qloom.reports.pictures import as_address
from qloom.reports.wording import capitalized, metric_title, signed_text
from qloom.training.explanation_text import whole_sentence

_MOST_BARS = 12
_COLOURS = ("#0072b2", "#b8528f")
# Of a circuit's parts, those that have bars; the circuit as a whole would leave the others no room.
_BARS = {"trained gates": "#0072b2", "entangling gates": "#0072b2", "layer": "#56b4e9", "qubit": "#9aa7b4"}
_VERBS = {"trained gates": "without", "entangling gates": "without", "layer": "without", "qubit": "held:"}
_SHADE = "#e0731d"


def importance_pictures(
    found: dict[str, Any] | None, titles: dict[str, str], circuit: Circuit | None
) -> dict[str, Any] | None:  # fmt: skip
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
        "circuit": circuit_section(found["circuit"], circuit) if circuit is not None and found.get("circuit") else None,
    }


def circuit_section(found: dict[str, Any], circuit: Circuit) -> dict[str, Any]:
    """What is lost without parts of a circuit: a drawing, bars, and all of it as rows."""
    parts = [part for part in found["parts"] if part["loss"] is not None]
    gates = {part["place"]: part["loss"] for part in parts if part["kind"] == "gate"}
    darkest = max(gates.values(), default=0.0)
    left_out = {
        "outputs": "Layers and gates, which take longer on this circuit, are left out: qloom explain RUN --circuit.",
        "groups": "Single gates, which take longer on this circuit, are left out: qloom explain RUN --circuit.",
    }
    return {
        "metric": metric_title(found["metric"]), "n_rows": found["n_rows"], "left_out": left_out.get(found["level"]),
        "drawing": circuit_drawing(circuit, _shades(gates)) if darkest > 0 else None, "darkest": f"{darkest:.4f}",
        "bars": _part_bars([p for kind in _BARS for p in parts if p["kind"] == kind], metric_title(found["metric"])),
        "sentence": whole_sentence(found),
        "rows": [_part_row(part) for part in found["parts"]],
    }  # fmt: skip


def _shades(gates: Mapping[int, float]) -> dict[int, str]:
    """Colours by how much is lost, white for nothing."""
    darkest, (red, green, blue) = max(gates.values()), to_rgb(_SHADE)
    shares = {number: max(loss, 0.0) / darkest for number, loss in gates.items()}
    return {
        number: to_hex((1 + share * (red - 1), 1 + share * (green - 1), 1 + share * (blue - 1)))
        for number, share in shares.items()
    }


def _part_row(part: Mapping[str, Any]) -> dict[str, str]:
    if part["loss"] is None:
        return {"name": part["name"], "loss": "–", "interval": "–"}
    return {
        "name": part["name"], "loss": signed_text(part["loss"]),
        "interval": f"{signed_text(part['low'])} to {signed_text(part['high'])}",
    }  # fmt: skip


def _part_bars(parts: list[dict[str, Any]], metric: str) -> str | None:
    """Losses without groups of gates, layers and qubits, with their intervals."""
    if not parts:
        return None

    def draw(figure: Figure) -> None:
        ax, places = figure.subplots(), range(len(parts))
        ax.barh(places, [part["loss"] for part in parts], color=[_BARS[part["kind"]] for part in parts], height=0.7)
        ax.hlines(places, [part["low"] for part in parts], [part["high"] for part in parts], color="#333333", lw=0.9)
        ax.axvline(0, color="#555555", linewidth=0.9)
        ax.set_yticks(places, [f"{_VERBS[part['kind']]} {part['name']}" for part in parts])
        ax.invert_yaxis()
        ax.set(title=f"{metric}: what is lost without parts of the circuit")

    return as_address((6.4, 1.1 + 0.27 * len(parts)), draw)


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
    """The mean, and thinly single rows, moved to where the mean begins: it is how they change that a mean can hide."""
    values = entry["values"]
    if all(isinstance(value, int | float) for value in values):
        for curve in entry.get("curves", ()):
            moved = [value - curve[0] + entry["predictions"][0] for value in curve]
            ax.plot(values, moved, "-", color=colour, linewidth=0.6, alpha=0.25)
        ax.plot(values, entry["predictions"], "o-", color=colour, label=name, markersize=3)
    else:
        ax.plot([_cut(str(value)) for value in values], entry["predictions"], "o", color=colour, label=name)
        ax.tick_params("x", rotation=30)


def _cut(text: str) -> str:
    """Names of columns and classes can be of any length."""
    return text if len(text) <= 24 else text[:23] + "…"
