"""How metrics, times and counts are written in a report."""

from __future__ import annotations

import math

from qloom.models.tables.scores import METRICS


def metric_title(metric: str) -> str:
    """A metric's name for people."""
    if metric not in METRICS:
        return metric.replace("_", " ")
    return capitalized(METRICS[metric].title.replace("R2", "R²"))


def metric_heading(metric: str) -> str:
    """Its name with an arrow towards the better values."""
    lower = metric in METRICS and not METRICS[metric].higher_is_better
    return f"{metric_title(metric)} {'↓' if lower else '↑'}"


def capitalized(text: str) -> str:
    """The text with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]


def score_text(value: float) -> str:
    """A score to four digits after the point; large and tiny ones to four digits in all."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 100 else f"{value:.4g}"


def signed_text(value: float) -> str:
    """A difference with its sign, a true minus."""
    return f"{value:+.4f}".replace("-", "−") if math.isfinite(value) else "–"


def seconds_text(seconds: float) -> str:
    """A time in the unit that reads best."""
    if not math.isfinite(seconds):
        return "–"
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def count_text(count: int | None) -> str:
    """A count with groups of three digits; a dash for none."""
    return "–" if count is None else f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
