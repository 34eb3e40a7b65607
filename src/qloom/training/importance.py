"""What the hybrid model of a run and the best of the others hang on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from qloom.models.tables.competitors import UNDER_TEST
from qloom.models.tables.importance import describe_importance
from qloom.models.tables.served import read_served
from qloom.training.competitors import PreparedRound
from qloom.training.folder import RunFolder, best_model
from qloom.training.table import RunTable


def find_importance(
    folder: RunFolder, loaded: RunTable, kept: PreparedRound, metrics: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Shuffle columns of test rows of the round that is kept, for its saved models."""
    others = {key: model for key, model in metrics["models"].items() if key != UNDER_TEST}
    keys = (UNDER_TEST, best_model({**metrics, "models": others}))
    models = {key: read_served(folder.model(key)) for key in keys}
    rows = loaded.table.take(pa.array(kept.split.test))
    return describe_importance(models, rows, kept.data.test.truth, metrics["metric"], seed)
