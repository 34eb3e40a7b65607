"""The part of a report on devices: what the hybrid model scores exact, measured, noisy, mitigated and corrected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qloom.reports.pictures import as_address
from qloom.reports.wording import capitalized, metric_title, score_text

_COLOURS = {"exact": "#009e73", "shots": "#56b4e9", "noisy": "#d98c00", "mitigated": "#0072b2", "corrected": "#b8528f"}
_CONTROL = "#666666"


def under_noise_section(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Picture, tables and sentences; None where nothing was found."""
    if found is None:
        return None
    names = list(found["control"]["scores"])
    return {
        "picture": _picture(found),
        "titles": [metric_title(name) for name in names],
        "n_rows": found["n_rows"],
        "devices": [
            {
                "name": each["name"],
                "rows": list(_rows(each, found, names)),
                "sentences": list(sentences(each, found)),
            }
            for each in found["devices"]
        ],
    }


def score_with_interval(ends: Sequence[float | None]) -> str:
    """A score and its ends."""
    value, low, high = ends
    if value is None or low is None or high is None:
        return "not defined"
    return f"{score_text(value)} ({score_text(low)} to {score_text(high)})"


def sentences(device: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Where the circuit stands on a device, what was done, and what could not be."""
    gates = ", ".join(f"{count} {name}" for name, count in device["gates"].items())
    if device["qubits"] is None:
        yield f"{device['name']} is no device: its noise is that of the circuit's own gates."
    else:
        yield (
            f"{device['name']} runs the circuit as {gates} on its qubits {', '.join(map(str, device['qubits']))}; "
            f"nothing goes wrong in {device['success']:.0%} of the runs."
        )
    scales = " and ".join(map(str, found["scales"]))
    yield (
        f"Mitigated is: readout inverted, then a line through circuits folded {scales} times back to no noise. What is "
        "mitigated by extrapolation is not bound to be better."
    )
    if any(each["key"].startswith("corrected") for each in device["executions"]):
        yield (
            "Corrected is: gates that fail as often as logical qubits of a rotated surface code whose physical rates "
            "are the device's mean ones, or a tenth of them; a code does harm above its threshold, near 1% a gate or "
            "readout."
        )
    for each in device["executions"]:
        if each["refused"]:
            yield f"{capitalized(each['title'])}: {each['refused']}."


def _rows(device: Mapping[str, Any], found: Mapping[str, Any], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for each in device["executions"]:
        known = not each["refused"]
        cells = [score_with_interval(each["scores"][name]) if known else "not known" for name in names]
        yield {"title": each["title"], "cells": cells, "off": score_text(each["off"]) if known else ""}
    control = found["control"]
    cells = [score_with_interval(control["scores"][name]) for name in names]
    yield {"title": f"{control['title']} (control)", "cells": cells, "off": ""}


def _picture(found: Mapping[str, Any]) -> str:
    devices, shown = found["devices"], _shown(found)
    longest = max(len(each["executions"]) for each in devices)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(1, len(devices), squeeze=False, sharex=True, sharey=True)[0]
        for ax, device in zip(grid, devices, strict=True):
            _panel(ax, device, found, shown)
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper right", fontsize=8)
        figure.supxlabel(f"{metric_title(shown)} on {found['n_rows']:,} test rows, 95% intervals", fontsize=9)

    return as_address((2.2 + 3.1 * len(devices), 1.4 + 0.3 * longest), draw)


def _shown(found: Mapping[str, Any]) -> str:
    """Accuracy where there is one: noise shrinks what classes are decided by, which scores of ranks do not see."""
    return "accuracy" if "accuracy" in found["control"]["scores"] else str(found["metric"])


def _panel(ax: Axes, device: Mapping[str, Any], found: Mapping[str, Any], shown: str) -> None:
    """A point and its interval for each execution; the control as a band behind them."""
    value, low, high = found["control"]["scores"][shown]
    if value is not None:
        ax.axvspan(low, high, color=_CONTROL, alpha=0.12, linewidth=0)
        ax.axvline(value, color=_CONTROL, linewidth=1.2, linestyle=":", label=found["control"]["title"])
    executions = device["executions"]
    for place, each in enumerate(executions):
        ends = each["scores"].get(shown, [None] * 3)
        colour = _COLOURS[each["key"].split("-")[0]]
        if ends[0] is None:
            continue
        hollow: dict[str, Any] = {"markerfacecolor": "white"} if each["key"].endswith("shots") else {}
        ax.plot(ends[1:], [place, place], color=colour, linewidth=1.4)
        ax.plot(ends[0], place, "o", color=colour, markersize=5, **hollow)
    ax.set_yticks(range(len(executions)), [capitalized(each["title"]) for each in executions])
    ax.set_ylim(len(executions) - 0.4, -0.6)
    ax.set_title(device["name"])
