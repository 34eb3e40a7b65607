"""Categories of many levels as numbers: the mean target of each level, drawn to the overall mean where rows are few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import category_words

_FOLDS = 5
_MOST_LEVELS = 20_000


@dataclass(frozen=True)
class LevelMeans:
    """The fitted coding of one category column of many levels.

    K is the number of classes, 1 for two classes and for numbers.

    Attributes:
        name: the column.
        outcomes: what the means are of, K names: classes, or empty text for the second of two and for numbers.
        levels: of the training rows, L words.
        means: L * K numbers, level by level.
        missing, unseen: K numbers each, for cells without a value and for levels that training did not have.
        center, scale: K numbers each; what comes out is (mean - center) / scale, bounded by +-clip.

    Source: Micci-Barreca 2001, SIGKDD Explorations 3(1), 27; smoothing as scikit-learn's TargetEncoder.
    """

    name: str
    outcomes: tuple[str, ...]
    levels: tuple[str, ...]
    means: tuple[float, ...]
    missing: tuple[float, ...]
    unseen: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    clip: float

    @property
    def feature_names(self) -> list[str]:
        """One name an outcome."""
        return [f"{self.name}: mean of {outcome}" if outcome else f"{self.name}: mean" for outcome in self.outcomes]

    @property
    def became(self) -> str:
        """What the column becomes, in words."""
        return f"mean target of {len(self.levels)} levels, out of fold"

    def read(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Cells as text."""
        return category_words(cells)

    def write(self, values: pa.ChunkedArray, out: np.ndarray) -> None:
        """Code cells of rows that were not learnt from.

        Shapes: values text (B,); out float32 (B, K), filled in place.
        """
        table = np.array([*self.means, *self.unseen, *self.missing]).reshape(-1, len(self.outcomes))
        n_levels = len(self.levels)
        found = pc.fill_null(pc.index_in(values, value_set=pa.array(self.levels, pa.string())), n_levels)
        codes = np.where(np.asarray(pc.is_null(values).to_numpy()), n_levels + 1, found.to_numpy())
        out[:] = self.standardised(table)[codes]

    def standardised(self, means: np.ndarray) -> np.ndarray:
        """Means as features.

        Shapes: (B, K) -> (B, K).
        """
        return np.clip((means - np.array(self.center)) / np.array(self.scale), -self.clip, self.clip)


def fit_level_means(
    name: str, words: pa.ChunkedArray, target: np.ndarray, outcomes: tuple[str, ...], clip: float
) -> tuple[LevelMeans, np.ndarray]:
    """The coding of a column's training cells, and the features of the training rows themselves.

    A training row's features come from the other four of five parts of the rows: with its own target in them they would
    give the target away.

    Shapes: words (B,), target float64 (B, K) -> features float64 (B, K).
    """
    encoded = words.combine_chunks().dictionary_encode()
    levels = encoded.dictionary
    codes = np.asarray(pc.fill_null(encoded.indices, len(levels))).astype(np.int64)
    means, apart, overall = _means(codes, target, len(levels) + 1)
    kept = np.sort(
        np.argsort(-np.bincount(codes, minlength=len(levels) + 1)[: len(levels)], kind="stable")[:_MOST_LEVELS]
    )
    coding = LevelMeans(
        name,
        outcomes,
        tuple(levels.take(pa.array(kept)).to_pylist()),
        tuple(means[kept].ravel().tolist()),
        tuple(means[-1].tolist()),
        tuple(overall.tolist()),
        tuple(apart.mean(axis=0).tolist()),
        tuple(np.where(apart.std(axis=0) > 1e-12, apart.std(axis=0), 1.0).tolist()),
        clip,
    )
    return coding, coding.standardised(apart)


def _means(codes: np.ndarray, target: np.ndarray, n_codes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of every code (n_codes, K), of every row learnt without it (B, K), and of all rows (K,)."""
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder

    n_outcomes = target.shape[1]
    means, apart = np.empty((n_codes, n_outcomes)), np.empty((len(codes), n_outcomes))
    overall = target.mean(axis=0)
    folds = list(KFold(min(_FOLDS, len(codes)), shuffle=True, random_state=0).split(codes)) if len(codes) > 1 else []
    for k in range(n_outcomes):
        means[:, k] = _learn(codes, target[:, k], TargetEncoder).transform(np.arange(n_codes)[:, None])[:, 0]
        apart[:, k] = overall[k]
        for others, held in folds:
            encoder = _learn(codes[others], target[others, k], TargetEncoder)
            apart[held, k] = encoder.transform(codes[held, None])[:, 0]
    return means, apart, overall


def _learn(codes: np.ndarray, target: np.ndarray, kind: Any) -> Any:
    return kind(target_type="continuous").fit(codes[:, None], target)
