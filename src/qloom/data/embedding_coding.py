"""Free text as features by a frozen sentence model: the main directions of its vectors, learnt on training rows."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import category_words
from qloom.data.pretrained.text_model import TextModel, open_text_model

_COMPONENTS = 64
_MOST_ROWS = 20_000  # training rows that directions are learnt on, evenly spaced
_AT_ONCE = 64  # rows whose sums are taken in one shape, whatever rows there are


@dataclass(frozen=True)
class EmbeddingCoding:
    """The fitted coding of one column of free text.

    Attributes:
        name: the column.
        model: folder of the sentence model.
        sha256: of the model, checked whenever it is read.
        width: F, the numbers that it makes of a text.
        center: float32 (F,) as base64, the mean of the training texts.
        directions: float32 (K, F) as base64, each divided by the spread of its feature in training.
        n_features: K.
        share: of the variance of the training texts' vectors, that the directions have.
        cache: folder of what the model made of texts before; None for none.

    Source: Reimers, Gurevych 2019, EMNLP, 3982, for sentence models; principal components of their vectors.
    """

    name: str
    model: str
    sha256: str
    width: int
    center: str
    directions: str
    n_features: int
    share: float
    cache: str | None = None

    @property
    def feature_names(self) -> list[str]:
        """One name a direction."""
        return [f"{self.name}: meaning {k + 1}" for k in range(self.n_features)]

    @property
    def became(self) -> str:
        """What the column becomes, in words."""
        if not self.n_features:
            return "nothing: all texts mean the same"
        return f"{self.n_features} directions of the {self.width} numbers of {Path(self.model).name}"

    @property
    def note(self) -> str:
        """What is to be known of the model, one line."""
        return (
            f"column {self.name!r} is coded by the frozen model in {self.model} (sha256 {self.sha256[:12]}): "
            f"{self.n_features} principal components of its {self.width} numbers, learnt on training rows, with "
            f"{self.share:.0%} of their variance; predictions need the model there"
        )

    def read(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Cells as text; a missing one is empty."""
        return pc.fill_null(category_words(cells), "")

    def write(self, values: pa.ChunkedArray, out: np.ndarray) -> None:
        """Code cells; an empty one is in the middle of the training texts.

        Shapes: values text (B,); out float32 (B, K), filled in place.

        Raises:
            ArtifactError: for a model that is gone, or another one than in training.
        """
        texts = values.to_pylist()
        rows = np.flatnonzero([bool(text.strip()) for text in texts])
        out[:] = 0.0
        if len(rows) and self.n_features:
            out[rows] = self._project(self._opened().vectors([texts[row] for row in rows]))

    def _opened(self) -> TextModel:
        cache = self.cache if self.cache is not None and Path(self.cache).is_dir() else None
        return open_text_model(self.model, self.sha256, cache)

    def _project(self, vectors: np.ndarray) -> np.ndarray:
        """Shapes: (B, F) -> float64 (B, K)."""
        center = np.frombuffer(base64.b64decode(self.center), "<f4").astype(np.float64)
        directions = np.frombuffer(base64.b64decode(self.directions), "<f4").reshape(self.n_features, -1)
        wide, found = directions.astype(np.float64), np.empty((len(vectors), self.n_features))
        for start in range(0, len(vectors), _AT_ONCE):
            part = vectors[start : start + _AT_ONCE] - center
            rows = np.zeros((_AT_ONCE, self.width))
            rows[: len(part)] = part
            found[start : start + _AT_ONCE] = np.einsum("bf,kf->bk", rows, wide)[: len(part)]
        return found


def fit_embedding(name: str, texts: pa.ChunkedArray, folder: str, cache: str | None = None) -> EmbeddingCoding:
    """Fit the coding of a column to its training cells.

    Args:
        folder: of the model.
        cache: folder to keep what it makes of texts in; None for memory alone.

    Raises:
        ArtifactError: for a folder without a model of texts.
        ExtraError: where transformers is not installed.
    """
    place, kept = str(Path(folder).resolve()), None if cache is None else str(Path(cache).resolve())
    model = open_text_model(place, None, kept)
    present = [text for text in texts.to_pylist() if text.strip()]
    chosen = np.unique(np.linspace(0, max(len(present) - 1, 0), min(len(present), _MOST_ROWS)).astype(int))
    vectors = model.vectors([present[k] for k in chosen]) if len(chosen) else np.zeros((1, model.n_features))
    center, directions, share = _main_directions(vectors.astype(np.float64))
    arrays = _as_text(center), _as_text(directions)
    return EmbeddingCoding(name, place, model.sha256, model.n_features, *arrays, len(directions), share, kept)


def _main_directions(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, principal directions over their spreads, and their share of the variance; the largest entry is positive.

    Shapes: (N, F) -> (F,), (K, F).
    """
    from threadpoolctl import threadpool_limits

    center = vectors.mean(axis=0)
    with threadpool_limits(1):  # sums in one order
        variances, found = np.linalg.eigh((vectors - center).T @ (vectors - center) / len(vectors))
    order = np.argsort(-variances)[: min(_COMPONENTS, len(vectors) - 1)]
    order = order[variances[order] > 1e-9 * max(variances.max(), 1e-9)]
    directions = found[:, order].T
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(order)), largest])
    total = variances.sum()
    share = float(variances[order].sum() / total) if len(order) else 0.0
    return center, directions * (signs / np.sqrt(variances[order]))[:, None], share


def _as_text(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()
