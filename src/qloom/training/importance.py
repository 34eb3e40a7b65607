"""What the hybrid model of a run and the best of the others hang on, as a file of the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from qloom.files import write_json
from qloom.models.tables.importance import describe_importance
from qloom.models.tables.places import PLACES, best_model
from qloom.models.tables.run_files import IMPORTANCE, IMPORTANCE_FORMAT, IMPORTANCE_VERSION
from qloom.models.tables.served import read_served
from qloom.training.competitors import PreparedRound
from qloom.training.table import RunTable


def write_importance(
    folder: Path, loaded: RunTable, kept: PreparedRound, metrics: Mapping[str, Any], seed: int
) -> Path:
    """Shuffle columns of test rows of the round that is kept, for its saved models."""
    others = {key: model for key, model in metrics["models"].items() if key != "hybrid"}
    keys = ("hybrid", best_model({**metrics, "models": others}))
    models = {key: read_served(folder / PLACES[key]) for key in keys}
    rows = loaded.table.take(pa.array(kept.split.test))
    found = describe_importance(models, rows, kept.data.test.truth, metrics["metric"], seed)
    return write_json(folder / IMPORTANCE, {"format": IMPORTANCE_FORMAT, "version": IMPORTANCE_VERSION, **found})
