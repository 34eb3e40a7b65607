"""Pictures of error rates: over the noise, where distances cross, and over the distance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from qloom.correction.scaling import fit_suppression, fit_threshold
from qloom.correction.statistics import LogicalErrors
from qloom.errors import ConfigError

_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_MARKERS = "osD^P*X"
_UNSEEN = "no error seen: 95% below this"


def plot_threshold(results: Iterable[LogicalErrors], ax: Any = None) -> Any:
    """Errors per round over the physical error, a curve for each distance; gives axes.

    Bars are 95% intervals; points without errors are the upper end of theirs, as arrows. Where neighbouring curves
    cross, their crossing is marked.

    Args:
        results: of one code, basis and decoder.
        ax: matplotlib axes to draw on; new ones if None.

    Raises:
        ConfigError: for results of several codes, bases or decoders.
    """
    found = _of_one_code(results)
    ax = _axes(ax)
    for place, (distance, group) in enumerate(_grouped(found, "distance").items()):
        _draw(ax, [one.strength for one in group], group, f"distance {distance}", place)
    _mark_threshold(ax, found)
    noises = sorted({one.strength for one in found})
    ax.plot(noises, noises, ":", color="#777777", linewidth=1, label="no code: error per round = p")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("physical error p")
    ax.set_ylabel("logical error per round")
    _name(ax, found)
    return ax


def plot_distance(results: Iterable[LogicalErrors], ax: Any = None) -> Any:
    """Errors per round over the distance, a line for each physical error with its slope; gives axes.

    Args:
        results: of one code, basis and decoder.
        ax: matplotlib axes to draw on; new ones if None.

    Raises:
        ConfigError: for results of several codes, bases or decoders.
    """
    from matplotlib.ticker import FixedLocator

    found = _of_one_code(results)
    ax = _axes(ax)
    for place, (noise, group) in enumerate(_grouped(found, "strength").items()):
        x = np.array([one.distance for one in group], float)
        counted = [one for one in group if one.errors and one.error_rate < 0.5]
        label = f"p = {noise:g}"
        if len({one.distance for one in counted}) > 1:
            fit = fit_suppression(counted)
            label += f": slope {fit.slope:.2f} ± {fit.error:.2f}"
            fitted = np.array([one.distance for one in counted], float)
            ax.plot(
                fitted,
                np.exp(fit.intercept + fit.slope * fitted),
                "-",
                color=_COLORS[place % len(_COLORS)],
                linewidth=1,
            )
        _draw(ax, x, group, label, place, line="")
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(FixedLocator(sorted({one.distance for one in found})))
    ax.set_xlabel("code distance d")
    ax.set_ylabel("logical error per round")
    _name(ax, found)
    return ax


def _draw(ax: Any, x: Any, group: Sequence[LogicalErrors], label: str, place: int, line: str = "-") -> None:
    """Points with intervals; those without errors as arrows that point down."""
    color, marker = _COLORS[place % len(_COLORS)], _MARKERS[place % len(_MARKERS)]
    x = np.asarray(x, float)
    low, high = np.array([one.per_round_interval for one in group]).T
    seen = np.array([one.errors > 0 for one in group])
    y = np.where(seen, [one.per_round for one in group], high)
    spread = np.abs(np.stack([y - low, high - y]))
    style = {
        "color": color,
        "marker": marker,
        "markersize": 4,
        "capsize": 2,
        "linewidth": 1,
        "linestyle": line or "none",
    }
    ax.errorbar(x[seen], y[seen], spread[:, seen], label=label, **style)
    if not seen.all():
        known = any(line.get_label() == _UNSEEN for line in ax.lines)
        label = "_" if known else _UNSEEN
        ax.plot(x[~seen], y[~seen], "v", color=color, markerfacecolor="none", label=label)


def _mark_threshold(ax: Any, found: Sequence[LogicalErrors]) -> None:
    """A line where the curves cross, if they do at these noises."""
    try:
        threshold = fit_threshold(found)
    except ConfigError:
        return
    ax.axvline(threshold.p, color="#777777", linewidth=1, linestyle="--")
    ax.annotate(
        f"cross at {threshold.p:.2g}", (threshold.p, 0.03), xycoords=("data", "axes fraction"), rotation=90,
        xytext=(-3, 0), textcoords="offset points", ha="right", va="bottom", fontsize="small", color="#555555",
    )  # fmt: skip


def _of_one_code(results: Iterable[LogicalErrors]) -> list[LogicalErrors]:
    found = sorted(results, key=lambda one: (one.distance, one.strength))
    kinds = {(one.code, one.basis, one.decoder) for one in found}
    if len(kinds) != 1:
        raise ConfigError(
            f"results of {len(kinds)} codes, bases or decoders, expected one in a picture: {sorted(kinds)}"
        )
    return found


def _grouped(found: Iterable[LogicalErrors], by: str) -> dict[Any, list[LogicalErrors]]:
    groups: dict[Any, list[LogicalErrors]] = {}
    for one in sorted(found, key=lambda one: (getattr(one, by), one.distance, one.strength)):
        groups.setdefault(getattr(one, by), []).append(one)
    return groups


def _axes(ax: Any) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(5.6, 4.2), layout="constrained").add_subplot() if ax is None else ax


def _name(ax: Any, found: Sequence[LogicalErrors]) -> None:
    one = found[0]
    ax.set_title(f"{one.code.replace('_', ' ')} code, basis {one.basis}, {one.decoder}", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
