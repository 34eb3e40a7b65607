"""Whether a model's loss has risen: against rows held out from training, and within the new rows as they came."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import ndtri

from qloom.data.drift import LossSummary
from qloom.extras import package

_BLOCKS = 60


def watch_losses(losses: np.ndarray, missed: np.ndarray, held_out: LossSummary | None, level: float) -> dict[str, Any]:
    """Losses in the order of the rows, as plain JSON values.

    Args:
        losses: of every row, (B,), in order of time.
        missed: whether the prediction was wrong, or farther off than was usual, (B,).
        held_out: of rows held out from training; None where they were not kept.
        level: of the comparison with them.

    Returns:
        mean; held_out; rise with its interval [value, low, high] (Welch), None without held-out rows; adwin and ddm:
        rows (from 0) at which each said that the loss changed, adwin with the means before and after; blocks: mean loss
        and share of misses over time; risen: whether ADWIN or the comparison says that it rose. DDM does not count: on
        2,000 rows with a steady share of misses it fires in a fifth (of .2) to three quarters (of .007) of streams.
    """
    adwin, ddm = _adwin(losses), _ddm(missed)
    rise = None if held_out is None else _rise(losses, held_out, level)
    cuts = np.unique(np.linspace(0, len(losses), min(_BLOCKS, len(losses)) + 1).astype(int))
    blocks = [
        {"first": int(a), "n": int(b - a), "loss": float(losses[a:b].mean()), "missed": float(missed[a:b].mean())}
        for a, b in pairwise(cuts)
    ]
    risen = any(each["after"] > each["before"] for each in adwin) or (rise is not None and rise[1] > 0)
    return {
        "mean": float(losses.mean()), "missed": float(missed.mean()),
        "held_out": None if held_out is None else held_out.mean,
        "rise": rise, "adwin": adwin, "ddm": ddm, "blocks": blocks, "risen": risen,
    }  # fmt: skip


def _adwin(losses: np.ndarray) -> list[dict[str, float]]:
    """Changes of the mean, found by ADWIN (Bifet and Gavalda 2007, SIAM SDM, 443)."""
    detector, found, last = package("river.drift", "qloom watch", "watch").ADWIN(), [], 0
    for row, loss in enumerate(losses.tolist()):
        before = detector.estimation
        detector.update(loss)
        if detector.drift_detected:
            found.append({"row": row, "before": float(before), "after": float(detector.estimation), "since": last})
            last = row
    return found


def _ddm(missed: np.ndarray) -> list[int]:
    """Rows at which misses have become more frequent, by DDM (Gama et al. 2004, SBIA, 286)."""
    detector = package("river.drift.binary", "qloom watch", "watch").DDM()
    found = []
    for row, miss in enumerate(missed.tolist()):
        detector.update(bool(miss))
        if detector.drift_detected:
            found.append(row)
    return found


def _rise(losses: np.ndarray, held_out: LossSummary, level: float) -> list[float]:
    """How much the mean is above that of the held-out rows, with its interval."""
    value = float(losses.mean()) - held_out.mean
    error = math.sqrt(losses.var() / len(losses) + held_out.deviation**2 / held_out.n)
    half = float(ndtri(1 - level / 2)) * error
    return [value, value - half, value + half]
