"""The figures of a report, each an SVG image as a data address that needs no other file."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qloom.circuits import Circuit
from qloom.circuits.drawing import draw_figure, figure_size
from qloom.reports.curves import area, reliability, roc
from qloom.reports.pictures import as_address
from qloom.reports.record import ModelRecord, RunRecord
from qloom.reports.wording import capitalized, metric_title

# Okabe and Ito's colours with dashes of their own, so that the lines differ in grey too.
_STYLES: dict[str, dict[str, Any]] = {
    "hybrid": {"color": "#0072b2", "linewidth": 2.2, "linestyle": "-", "zorder": 4},
    "hybrid_separable": {"color": "#d98c00", "linewidth": 1.6, "linestyle": "--"},
    "hybrid_classical": {"color": "#009e73", "linewidth": 1.6, "linestyle": "-."},
    "linear": {"color": "#666666", "linewidth": 1.4, "linestyle": ":"},
    "boosting": {"color": "#b8528f", "linewidth": 1.4, "linestyle": (0, (5, 1, 1, 1, 1, 1))},
}
_MOST_POINTS = 5000
# One of two pictures side by side, or one below the other where the page is narrow; inches.
_PANEL = (5.2, 3.6)
_LONGEST_CIRCUIT = 1500


def learning_curves(record: RunRecord) -> list[str]:
    """Loss, and validation metric, by epoch of every model that has a history, two pictures; none if none has."""
    models = [model for model in record.models.values() if model.history]
    if not models:
        return []

    def draw_loss(figure: Figure) -> None:
        ax = figure.subplots()
        for model, style in _styled(models):
            epochs = _history(model, "epoch")
            ax.plot(epochs, _history(model, "train_loss"), **{**style, "linewidth": 1, "alpha": 0.45})
            ax.plot(epochs, _history(model, "validation_loss"), **style)
        _over(ax, record.unit, "Loss: validation, and training (thin)")

    def draw_metric(figure: Figure) -> None:
        ax = figure.subplots()
        for model, style in _styled(models):
            epochs = _history(model, "epoch")
            ax.plot(epochs, _history(model, "validation_metric"), label=capitalized(model.title), **style)
            _mark_best(ax, model, style)
        _over(ax, record.unit, f"{metric_title(record.metric)} on the validation rows")
        ax.legend()

    return [as_address(_PANEL, draw) for draw in (draw_loss, draw_metric)]


def _over(ax: Axes, unit: str, title: str) -> None:
    ax.set(title=title, xlabel=unit)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def roc_curves(record: RunRecord) -> str:
    """Receiver operating characteristic of every model of a binary classification."""

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        ax.plot((0, 1), (0, 1), color="#999999", linewidth=0.8)
        for model, style in _styled(list(record.models.values())):
            curve = roc(record.targets == 1, record.probabilities[model.key][:, 1])
            ax.plot(*curve, label=f"{capitalized(model.title)} ({area(*curve):.3f})", **style)
        ax.set(title="ROC (area)", xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        ax.legend(loc="lower right", fontsize=8)

    return as_address((5.0, 4.7), draw)


def calibration(record: RunRecord) -> str:
    """Reliability diagram of the hybrid model of a binary classification."""

    def draw(figure: Figure) -> None:
        ax, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        probability = record.probabilities["hybrid"][:, 1]
        bins = reliability(record.targets == 1, probability)
        bars = (bins.observed - bins.low, bins.high - bins.observed)
        style = _STYLES["hybrid"]
        ax.plot((0, 1), (0, 1), color="#999999", linewidth=0.8)
        ax.errorbar(bins.predicted, bins.observed, np.maximum(bars, 0), color=style["color"], marker="o",
                    markersize=4, linewidth=1.2, elinewidth=1, capsize=2)  # fmt: skip
        ax.set(title="Calibration of the hybrid model, 95% intervals", ylabel="observed frequency")
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        below.hist(probability, bins=40, range=(0, 1), color=style["color"], alpha=0.6)
        below.set(xlabel=f"predicted probability of {_cut(record.classes[1])}", ylabel="rows")
        below.grid(False)

    return as_address((5.0, 4.7), draw)


def residuals(record: RunRecord) -> list[str]:
    """Prediction against truth, and residual against prediction, of the hybrid model of a regression."""
    chosen = _spread(len(record.targets))
    truth, predicted = record.targets[chosen], record.predictions["hybrid"][chosen]
    dots = {"s": 9, "alpha": 0.35, "color": _STYLES["hybrid"]["color"], "linewidths": 0, "rasterized": True}

    def draw_truth(figure: Figure) -> None:
        ax = figure.subplots()
        ax.scatter(truth, predicted, **dots)
        ends = (min(truth.min(), predicted.min()), max(truth.max(), predicted.max()))
        ax.plot(ends, ends, color="#555555", linewidth=0.9)
        ax.set(title="Hybrid model: predicted and true", xlabel=f"true {_cut(record.target)}", ylabel="predicted")

    def draw_residuals(figure: Figure) -> None:
        ax = figure.subplots()
        ax.scatter(predicted, truth - predicted, **dots)
        ax.axhline(0, color="#555555", linewidth=0.9)
        ax.set(title="Residuals (true minus predicted)", xlabel="predicted", ylabel="residual")

    return [as_address(_PANEL, draw) for draw in (draw_truth, draw_residuals)]


def circuit_drawing(circuit: Circuit, shades: Mapping[int, str] | None = None) -> str | None:
    """The circuit, its gates in some colours by their numbers; None for so many gates that it would say nothing."""
    if len(circuit) > _LONGEST_CIRCUIT:
        return None
    return as_address(
        figure_size(circuit), lambda figure: draw_figure(circuit, figure.add_axes((0, 0, 1, 1)), shades), tight=False
    )


def _styled(models: list[ModelRecord]) -> list[tuple[ModelRecord, dict[str, Any]]]:
    """Models with their line styles."""
    others = cycle(({"color": "#222222"}, {"color": "#8c6d31"}, {"color": "#56b4e9"}))
    return [(model, _STYLES.get(model.key) or next(others)) for model in models]


def _history(model: ModelRecord, name: str) -> list[float]:
    values = [epoch.get(name) for epoch in model.history]
    return [float("nan") if value is None else float(value) for value in values]


def _mark_best(ax: Axes, model: ModelRecord, style: dict[str, Any]) -> None:
    """A dot at the epoch whose weights were kept."""
    epochs = _history(model, "epoch")
    if model.best_epoch in epochs:
        at = epochs.index(model.best_epoch)
        ax.plot(epochs[at], _history(model, "validation_metric")[at], "o", color=style["color"], markersize=5)


def _spread(n_rows: int) -> np.ndarray:
    """At most 5000 row numbers, evenly spread."""
    return np.unique(np.linspace(0, n_rows - 1, min(n_rows, _MOST_POINTS)).astype(int))


def _cut(text: str) -> str:
    """Names of columns and classes can be of any length."""
    return text if len(text) <= 30 else text[:29] + "…"
