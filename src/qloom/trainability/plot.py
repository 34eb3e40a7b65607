"""The picture of a diagnosis: variances of gradients over the number of qubits."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.errors import ConfigError
from qloom.trainability.diagnosis import Diagnosis


def plot_decay(found: Diagnosis, ax: Any = None) -> Any:
    """Variances, the fitted line, and the decay of random circuits for comparison; gives back the axes.

    Args:
        found: of at least two widths with a gradient.
        ax: matplotlib axes to draw on; new ones if None.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if found.decay is None:
        raise ConfigError(f"{len(found.widths)} widths with a gradient, expected at least 2 to draw a decay")
    if ax is None:
        ax = Figure(figsize=(5.2, 3.6), layout="constrained").add_subplot()
    widths, variances = np.array(found.widths, float), np.array(found.variances)
    seen = variances > 0
    center = np.exp(np.log(variances[seen]).mean() + found.decay.slope * (widths - widths[seen].mean()))
    ax.semilogy(widths[seen], variances[seen], "o", color="#0072b2", label="this circuit")
    ax.semilogy(widths, center, "-", color="#0072b2", label=f"{found.decay.slope:+.2f} a qubit in ln Var")
    random = variances[seen][0] * 2.0 ** (widths[seen][0] - widths)
    ax.semilogy(widths, random, ":", color="#777777", label="random circuit: halved by every qubit")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("qubits")
    ax.set_ylabel("variance of a gradient")
    ax.legend(frameon=False)
    return ax
