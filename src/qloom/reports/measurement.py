"""A measured circuit as a page: its drawing, its counts beside probabilities, its text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom

from qloom.circuits import Circuit
from qloom.circuits.drawing import draw_text
from qloom.errors import CircuitError, UnsupportedError
from qloom.files import replace_file
from qloom.reports.figures import circuit_drawing
from qloom.reports.pages import page
from qloom.reports.pictures import as_address

MOST_ROWS, MOST_BARS = 64, 16


def write_measurement(
    path: Path, name: str, circuit: Circuit, counts: Mapping[str, int], exact: Mapping[str, float] | None,
    seed: int | None,
) -> Path:  # fmt: skip
    """Write one HTML file that asks for nothing outside itself.

    Args:
        counts: by bit strings, bit 0 leftmost.
        exact: probabilities by the same, or None where they are not known.
        seed: that the measurements had; None for fresh entropy.
    """
    shots, ordered = sum(counts.values()), sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    bars, drawing = dict(ordered[:MOST_BARS]), circuit_drawing(circuit)
    return replace_file(path, page(
        "measurement.html.jinja", name=name, seed=seed, shots=shots, n_outcomes=len(counts),
        circuit=circuit, gates=", ".join(f"{n} {gate}" for gate, n in circuit.gate_counts().items()) or "none",
        drawing=drawing, drawn=drawing and draw_text(circuit, 110), text=drawing and _text(circuit),
        picture=as_address((bars_width(bars), 3.5), lambda figure: draw_counts(figure, bars, exact, shots)),
        rows=[_row(bits, count, exact, shots) for bits, count in ordered[:MOST_ROWS]], exact=exact is not None,
        distance=None if exact is None else [f"{each:.4f}" for each in distances(counts, exact)],
    ))  # fmt: skip


def distances(counts: Mapping[str, int], exact: Mapping[str, float]) -> tuple[float, float]:
    """Total variation distance of shares from probabilities, and what shot noise alone makes of it on average.

    Source: De Moivre's mean distance of a binomial count X from n p, 2 (1 - p) m P(X = m), m the integer above n p.
    """
    shots = sum(counts.values())
    found = sum(abs(counts.get(bits, 0) / shots - exact.get(bits, 0.0)) for bits in {*counts, *exact}) / 2
    p = np.clip(np.array(list(exact.values())), 0.0, 1.0)
    above = np.minimum(np.floor(shots * p) + 1, shots)
    away = np.where(p < 1, 2 * (1 - p) * above * binom.pmf(above, shots, p), 0.0)
    return float(found), float(away.sum() / shots / 2)


def bars_width(bars: Mapping[str, int]) -> float:
    """Inches."""
    return max(4.0, 0.5 * len(bars) + 2)


def draw_counts(figure: Figure, bars: Mapping[str, int], exact: Mapping[str, float] | None, shots: int) -> None:
    """Shares of outcomes as bars, probabilities as marks on them."""
    ax = figure.subplots()
    ax.bar(list(bars), [count / shots for count in bars.values()], color="#0072b2", label=f"{shots:,} shots")
    if exact is not None:
        ax.plot(list(bars), [exact.get(bits, 0.0) for bits in bars], "_", color="#d55e00", ms=16, mew=2,
                label="probability")  # fmt: skip
    ax.set_ylabel("share")
    ax.set_xlabel("bits, bit 0 leftmost")
    ax.tick_params(axis="x", rotation=90)
    ax.legend()


def _row(bits: str, count: int, exact: Mapping[str, float] | None, shots: int) -> dict[str, Any]:
    p = None if exact is None else exact.get(bits, 0.0)
    error = "" if p is None else f"{np.sqrt(p * (1 - p) / shots):.4f}"
    return {"bits": bits, "count": count, "share": f"{count / shots:.4f}", "p": p and f"{p:.4f}", "error": error}


def _text(circuit: Circuit) -> str | None:
    """OpenQASM 3; None for gates that it cannot say."""
    try:
        return circuit.to_qasm(version=3)
    except (CircuitError, UnsupportedError):
        return None
