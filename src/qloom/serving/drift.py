"""How far the rows that a server was asked about lie from those its model learnt from, over all of its processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from qloom.data.drift import Counts, find_drift
from qloom.files import read_json, write_json
from qloom.serving.live_model import LiveModel
from qloom.serving.reading import Reading, joined

_FOLD = 16_384  # rows that are counted at once: a row costs a few microseconds then
_FEWEST = 50


class DriftMeter:
    """Counts of what was predicted since a version is in force.

    Args:
        model: the version, with what its training rows looked like.
        shared: folder where the processes of one server leave their counts for each other; None for one process.
    """

    def __init__(self, model: LiveModel, shared: Path | None = None):
        self.model, self._shared = model, shared
        self._pending: list[tuple[Reading, np.ndarray]] = []
        self._n_pending = 0
        self._counts = Counts({}, 0)
        self._lock, self._arriving, self._is_closed = Lock(), Lock(), False
        self._thread = ThreadPoolExecutor(1, "qloom-drift")

    def add(self, reading: Reading, predictions: np.ndarray) -> None:
        """Rows that were predicted; they are counted later."""
        if self.model.reference is None or self._is_closed:
            return
        with self._arriving:
            self._pending.append((reading, predictions))
            self._n_pending += reading.n_rows
            is_much = self._n_pending >= _FOLD
        if is_much:
            self._fold_soon()

    def _fold_soon(self) -> Future[None]:
        with self._arriving:
            pending, self._pending, self._n_pending = self._pending, [], 0
        return self._thread.submit(self._fold, pending)

    def _fold(self, pending: Sequence[tuple[Reading, np.ndarray]]) -> None:
        reference = self.model.reference
        if not pending or reference is None:
            return
        with self._lock:
            for reading, predictions in joined(pending):
                self._counts += reference.counts(self.model.reader.table(reading), predictions)
            if self._shared is not None:
                write_json(self._file(os.getpid()), counts_to_json(self._counts))

    def _file(self, process: int) -> Path:
        assert self._shared is not None
        return self._shared / f"drift-{self.model.version}-{process}.json"

    def counts(self) -> Counts:
        """Of this process, all rows, and of the others, what they left."""
        self._fold_soon().result()
        with self._lock:
            total = self._counts
        if self._shared is not None:
            others = set(self._shared.glob(f"drift-{self.model.version}-*.json")) - {self._file(os.getpid())}
            for file in others:
                total += counts_from_json(read_json(file))
        return total

    def report(self) -> dict[str, Any]:
        """What `/drift` answers, as plain JSON values."""
        reference = self.model.reference
        found: dict[str, Any] = {"version": self.model.version, "n_rows": 0, "matters": [], "columns": []}
        if reference is None:
            return {**found, "note": "the model was saved without what its training rows looked like; train it again"}
        counts = self.counts()
        found |= {"n_rows": counts.n_rows, "n_training_rows": reference.counted.n_rows}
        if counts.n_rows < _FEWEST:
            return {
                **found,
                "note": f"{counts.n_rows} rows were predicted, expected {_FEWEST} to say how far they moved",
            }
        drifts = find_drift(reference, counts)
        found["matters"] = [drift.column for drift in drifts if drift.matters]
        return {**found, "columns": [drift.to_json() for drift in drifts]}

    def close(self) -> None:
        """Count what is left and end the thread."""
        self._is_closed = True  # what is still in flight is of a version that is gone
        self._fold_soon().result()
        self._thread.shutdown(wait=True)


def counts_to_json(counts: Counts) -> dict[str, Any]:
    """Plain JSON values."""
    return {"n_rows": counts.n_rows, "columns": {name: each.tolist() for name, each in counts.columns.items()}}


def counts_from_json(found: dict[str, Any]) -> Counts:
    """What `counts_to_json` made plain."""
    return Counts({name: np.array(each, np.int64) for name, each in found["columns"].items()}, found["n_rows"])
