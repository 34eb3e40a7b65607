"""What pictures of synthetic beside real rows are drawn from, as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.training.cell_features import CellFeatures
from qloom.training.fidelity import FidelityMeasure, pair_correlations

MOST_COLUMNS, MOST_LEVELS, MOST_PAIRS, N_BARS = 24, 10, 2000, 20


def pictures_of(measure: FidelityMeasure, rows: Mapping[str, pa.Table], chosen: str) -> dict[str, Any]:
    """Shares of the cells of each column, and correlations of pairs.

    Args:
        rows: synthetic ones of each model.
        chosen: the model whose marginals are shown.
    """
    return {
        "marginals": marginals(measure.features, measure.held_out, rows[chosen]),
        "pairs": pairs(measure.features, measure.held_out, rows),
    }


def marginals(features: CellFeatures, real: pa.Table, synthetic: pa.Table) -> list[dict[str, Any]]:
    """For the first columns shares of rows: in twenty equal parts of the middle 98% of real numbers, what lies beyond
    being at the ends, or of the most frequent levels; and of missing cells.
    """
    cells = list(zip(features.plain(real).T, features.plain(synthetic).T, strict=True))[:MOST_COLUMNS]
    return [
        {"name": features.names[k], "kind": features.columns[k].kind, **_marginal(features, k, *pair)}
        for k, pair in enumerate(cells)
    ]


def _marginal(features: CellFeatures, k: int, real: np.ndarray, synthetic: np.ndarray) -> dict[str, Any]:
    missing = [float(np.isnan(cells).mean()) for cells in (real, synthetic)]
    levels = features.levels(k)
    if levels is None:
        ends, shares = _bars(real, synthetic)
        return {"ends": ends, "real": shares[0], "synthetic": shares[1], "missing": missing}
    shown = min(len(levels), MOST_LEVELS)
    shares = [[float((cells == code).mean()) for code in range(shown)] for cells in (real, synthetic)]
    others = [1 - sum(share) - empty for share, empty in zip(shares, missing, strict=True)]
    labels = [*levels[:shown], "(others)"] if max(others) > 1e-9 else levels[:shown]
    real_shares, synthetic_shares = (
        [*share, other][: len(labels)] for share, other in zip(shares, others, strict=True)
    )
    return {"labels": labels, "real": real_shares, "synthetic": synthetic_shares, "missing": missing}


def _bars(real: np.ndarray, synthetic: np.ndarray) -> tuple[list[float], list[list[float]]]:
    """Ends of equal parts, and the shares of rows in each."""
    present = real[~np.isnan(real)]
    low, high = np.quantile(present, [0.01, 0.99]) if len(present) else (0.0, 1.0)
    if low == high:
        low, high = (present.min(), present.max()) if len(present) and np.ptp(present) else (low - 0.5, low + 0.5)
    ends = np.linspace(low, high, N_BARS + 1)
    counted = [np.histogram(np.clip(cells[~np.isnan(cells)], low, high), ends)[0] for cells in (real, synthetic)]
    sizes = (len(real), len(synthetic))
    return ends.tolist(), [(counts / size).tolist() for counts, size in zip(counted, sizes, strict=True)]


def pairs(features: CellFeatures, real: pa.Table, rows: Mapping[str, pa.Table]) -> dict[str, list[float]]:
    """Correlations of at most 2,000 pairs of features of different columns, of "real" rows and by model."""
    found = {key: pair_correlations(features, table) for key, table in {"real": real, **rows}.items()}
    first, second = np.nonzero(np.triu(~np.isnan(found["real"]), 1))
    drawn = np.random.default_rng(0).permutation(len(first))[:MOST_PAIRS]
    return {key: matrix[first[drawn], second[drawn]].tolist() for key, matrix in found.items()}
