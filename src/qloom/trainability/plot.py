"""The picture of a diagnosis: variances of gradients over the number of qubits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom.errors import ConfigError
from qloom.trainability.diagnosis import Diagnosis
from qloom.trainability.variance import Decay


def plot_decay(found: Diagnosis, ax: Any = None) -> Any:
    """Variances at random angles and squares at the start, their lines, and the decay of random circuits; gives axes.

    Args:
        found: of at least two widths with a gradient.
        ax: matplotlib axes to draw on; new ones if None.

    Raises:
        ConfigError: for fewer widths.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if found.decay is None:
        raise ConfigError(f"{_seen(found.variances)} widths with a gradient, expected at least 2 to draw a decay")
    if ax is None:
        ax = Figure(figsize=(5.6, 3.8), layout="constrained").add_subplot()
    angles = "random angles" if found.spread is None else f"angles of deviation {found.spread:g}"
    _draw(ax, found.widths, found.variances, found.decay, angles, "o", "#0072b2")
    _draw(ax, found.widths, found.squares_at_start, found.decay_at_start, found.start.label, "s", "#d55e00")
    first = next(k for k, variance in enumerate(found.variances) if variance > 0)
    widths = np.array(found.widths[first:], float)
    random = found.variances[first] * 2.0 ** (widths[0] - widths)
    ax.semilogy(widths, random, ":", color="#777777", label="random circuits: halved by every qubit")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("qubits")
    ax.set_ylabel("mean square of a gradient")
    ax.legend(frameon=False, fontsize="small")
    return ax


def _draw(
    ax: Any, widths: Sequence[int], values: Sequence[float], decay: Decay | None, name: str, marker: str, color: str
) -> None:  # fmt: skip
    """Points, and the fitted line where there is one."""
    x, y = np.array(widths, float), np.array(values)
    seen = y > 0
    slope = "" if decay is None else f", slope {decay.slope:+.2f}"
    ax.semilogy(x[seen], y[seen], marker, color=color, label=f"{name}{slope}")
    if decay is not None:
        line = np.exp(np.log(y[seen]).mean() + decay.slope * (x - x[seen].mean()))
        ax.semilogy(x, line, "-", color=color, linewidth=1)


def _seen(variances: Sequence[float]) -> int:
    return sum(variance > 0 for variance in variances)
