"""The score of a network on validation rows while it is trained, in the target's own unit."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from qloom.models.tables.calibration import learn_readout
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.rows import Rows
from qloom.models.tables.scores import score


@dataclass(frozen=True)
class Judge:
    """The main score of a prepared table, of outputs with the readout that their own rows would give."""

    data: PreparedTable

    @property
    def metric(self) -> str:
        """Its name."""
        return self.data.score_names[0]

    def __call__(self, outputs: Tensor, rows: Rows) -> float:
        """Shapes: outputs (B, C) of B rows."""
        data, made, weights = self.data, outputs.numpy(), rows.scored_weights
        readout = learn_readout(data.goal, data.loss, data.coding, rows.y.numpy(), made, weights)
        return score(self.metric, rows.truth, readout.predictions(data.coding, made), readout.level, weights)
