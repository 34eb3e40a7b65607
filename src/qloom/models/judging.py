"""The score of a network on validation rows while it is trained, in the target's own unit."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from qloom.models.calibration import learn_readout
from qloom.models.fitting import Rows
from qloom.models.preparation import PreparedTable
from qloom.models.scores import score, score_names


def judge_by(data: PreparedTable, metric: str | None = None) -> Callable[[Tensor, Rows], float]:
    """Outputs (B, C) and their rows -> the main score, with the readout that these rows would give."""
    name = score_names(data.task, len(data.coding.classes), metric)[0]
    loss, coding = data.loss, data.coding

    def judge(outputs: Tensor, rows: Rows) -> float:
        made = outputs.numpy()
        readout = learn_readout(data.goal, loss, coding, rows.y.numpy(), made, rows.scored_weights)
        return score(name, rows.truth, readout.predictions(coding, made), readout.level, rows.scored_weights)

    return judge
