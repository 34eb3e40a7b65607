"""What errors of a circuit's values can change of a prediction, of any size: by the head's Lipschitz constants.

A head is one linear map, or two with SiLU between, whose slope is never above 1.1. The difference of two scores changes
by at most sum_o |(w_c - w_k)| 1.1 |W| e_o, and with it the logit of a class by the largest of these: a probability p of
logit l stays between the logistic function of l - D and of l + D.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from qloom.portable.steps import AnyStep, Step, run

# Of SiLU; its largest is 1.0998.
_SLOPE = 1.1


def _hidden(head: Sequence[AnyStep], errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the input of the last linear map can change, (B, H), and its weight (C, H)."""
    weights = [np.abs(cast(Step, step).arrays["weight"]) for step in head if step.kind == "affine"]
    for weight in weights[:-1]:
        errors = _SLOPE * (errors @ weight.T)
    return errors, cast(Step, head[-1]).arrays["weight"]


def score_changes(head: Sequence[AnyStep], errors: np.ndarray) -> np.ndarray:
    """What each score less each other can change; of a single score, what it can change itself.

    Shapes: errors (B, O), of the circuit's values -> (B, C, C), or (B, 1, 1).
    """
    hidden, last = _hidden(head, errors)
    if len(last) == 1:
        return np.asarray(hidden @ np.abs(last).T)[:, :, None]
    return np.asarray(np.einsum("bh,ckh->bck", hidden, np.abs(last[:, None] - last[None])))


def lipschitz_constant(head: Sequence[AnyStep], n_outputs: int) -> float:
    """The largest change of a difference of scores when every value of the circuit is off by one, to first order."""
    return float(score_changes(head, np.ones((1, n_outputs))).max())


def prediction_changes(
    head: Sequence[AnyStep], readout: Sequence[Step], outputs: np.ndarray, errors: np.ndarray
) -> np.ndarray:  # fmt: skip
    """What predictions can change.

    Shapes: outputs (B, C) of the head, errors (B, O) or (1, O) of its inputs -> (B, C), or (B,) for numbers.
    """
    changes = score_changes(head, errors).max(axis=2)
    if readout[-1].kind != "softmax":
        read, low, high = (run(readout, outputs + sign * changes) for sign in (0, -1, 1))
        return np.asarray(np.maximum(high - read, read - low))
    p = run(readout, outputs)
    with np.errstate(divide="ignore", over="ignore"):
        odds = p / (1 - p)
        up, down = (1 / (1 + 1 / (odds * np.exp(sign * changes))) for sign in (1, -1))
    return np.asarray(np.maximum(np.nan_to_num(up, nan=1.0) - p, p - np.nan_to_num(down, nan=0.0)))
