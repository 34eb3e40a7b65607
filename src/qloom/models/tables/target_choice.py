"""On which scale numbers are learnt: one transformation for all models of a table, chosen on validation rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sklearn.linear_model import Ridge

from qloom.data import Schema, Split, TargetCoding
from qloom.models.tables.calibration import learn_readout
from qloom.models.tables.goals import Goal
from qloom.models.tables.losses import Loss
from qloom.models.tables.scores import score

# A transformation is taken where it leaves a tenth less of the variance: less is within what a redraw of rows changes.
_CLEARLY = 0.1
WORDS = {
    "log": "its logarithm",
    "log1p": "the logarithm of 1 + it",
    "yeo_johnson": "its power by Yeo and Johnson",
}


def code_target(
    table: pa.Table, schema: Schema, split: Split, goal: Goal, loss: Loss, x: np.ndarray
) -> tuple[TargetCoding, tuple[str, ...]]:
    """The target's coding, learnt on the training rows, and what was found out about it."""
    if schema.task == "classification":
        return TargetCoding.fit(table, schema, split.train), ()
    if loss.name == "poisson":
        return TargetCoding.fit(table, schema, split.train, shifted=False), ()
    if goal.target_transformation != "auto" or loss.quantile is not None or not len(split.validation):
        kind = goal.target_transformation.replace("auto", "none")
        return TargetCoding.fit(table, schema, split.train, kind), ()
    return _best_coding(table, schema, split, x, goal, loss)


def _best_coding(
    table: pa.Table, schema: Schema, split: Split, x: np.ndarray, goal: Goal, loss: Loss
) -> tuple[TargetCoding, tuple[str, ...]]:
    """The coding under which ridge regression validates clearly best, in the target's own unit; else the plain one."""
    plain = TargetCoding.fit(table, schema, split.train)
    truth = plain.truth(table)
    found = {"none": (plain, _unexplained(plain, table, truth, split, x, goal, loss))}
    for kind in _candidates(truth[split.train]):
        coding = TargetCoding.fit(table, schema, split.train, kind)
        found[kind] = (coding, _unexplained(coding, table, truth, split, x, goal, loss))
    best = min(found, key=lambda kind: found[kind][1])
    before, after = found["none"][1], found[best][1]
    if not after <= (1 - _CLEARLY) * before:
        return plain, ()
    note = (
        f"the target is learnt as {WORDS[best]}: a linear model leaves {100 * after:.1f}% of its variance on the "
        f"validation rows, {100 * before:.1f}% without; predictions are taken back to means in its own unit"
    )
    return found[best][0], (note,)


def _candidates(values: np.ndarray) -> list[str]:
    lowest = values.min()
    logarithm = ["log"] if lowest > 0 else ["log1p"] if lowest >= 0 else []
    return [*logarithm, "yeo_johnson"]


def _unexplained(
    coding: TargetCoding, table: pa.Table, truth: np.ndarray, split: Split, x: np.ndarray, goal: Goal, loss: Loss
) -> float:
    """1 - R2 of ridge regression on the validation rows, in the target's own unit."""
    y = coding.encode(table)
    fitted = Ridge(alpha=1.0).fit(x[split.train], y[split.train])
    outputs = fitted.predict(x[split.validation])[:, None]
    readout = learn_readout(goal, loss, coding, y[split.validation], outputs)
    return 1 - score("r2", truth[split.validation], readout.predictions(coding, outputs))
