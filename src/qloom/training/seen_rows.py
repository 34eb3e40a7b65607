"""Which rows a run learnt from: a key a row, kept beside the model, so that an evaluation on them is noticed."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from qloom.data import Preprocessing, TargetCoding
from qloom.data.row_keys import row_keys
from qloom.errors import ArtifactError
from qloom.files import replace_file

FILE = "training_rows.npy"


@dataclass(frozen=True)
class SeenRows:
    """Keys of the rows that were learnt from, uint64 (K,), each once, and the share of all rows that repeat another.

    Where rows repeat by themselves, new rows may equal training rows and be new.
    """

    keys: np.ndarray
    repeats: float

    def share(self, keys: np.ndarray) -> float:
        """The share of keys that are among these."""
        return float(np.isin(keys, self.keys).mean())

    def flatters(self, keys: np.ndarray) -> bool:
        """Whether most rows were learnt from, more than repeat by themselves."""
        return self.share(keys) > (1 + self.repeats) / 2


def keys_of(preprocessing: Preprocessing, coding: TargetCoding, table: pa.Table) -> np.ndarray:
    """Keys of rows by what the model reads of them, and their target.

    Shapes: B rows -> uint64 (B,).
    """
    cells = preprocessing.cells(table)
    target = np.asarray(coding.encode(table), dtype=np.float64)
    return row_keys([*(cells[name] for name in sorted(cells)), target], table.num_rows)


def write_seen_rows(folder: Path, keys: np.ndarray, learnt_from: np.ndarray) -> Path:
    """Keep the keys of the rows learnt from in a model folder.

    Args:
        keys: of all rows of the run's table, (B,).
        learnt_from: numbers of the rows of training and validation.
    """
    repeats = 1 - len(np.unique(keys)) / len(keys)
    buffer = io.BytesIO()
    np.save(buffer, np.r_[np.float64(repeats).view(np.uint64), np.unique(keys[learnt_from])], allow_pickle=False)
    return replace_file(folder / FILE, buffer.getvalue())


def read_seen_rows(folder: Path) -> SeenRows | None:
    """What a model folder keeps; None for a model that was saved without.

    Raises:
        ArtifactError: for a damaged file.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        found = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ArtifactError(f"{path} is damaged ({error}), expected keys of rows; delete it or train again") from None
    if found.dtype != np.uint64 or found.ndim != 1 or not len(found):
        raise ArtifactError(
            f"{path} holds {found.dtype} {found.shape}, expected keys of rows; delete it or train again"
        )
    return SeenRows(found[1:], float(found[:1].view(np.float64)[0]))
