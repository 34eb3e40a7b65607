"""Columns of a table as blocks of features."""

from __future__ import annotations

import numpy as np

from qloom.data import Preprocessing


def blocks_of(preprocessing: Preprocessing) -> dict[str, np.ndarray]:
    """The numbers of the features that each column makes."""
    blocks: dict[str, list[int]] = {}
    first = 0
    for coding in preprocessing.codings:
        last = first + len(coding.feature_names)
        blocks.setdefault(coding.name, []).extend(range(first, last))
        first = last
    return {name: np.array(features, dtype=int) for name, features in blocks.items()}
