"""Free text as features: weighted counts of words (TF-IDF), reduced to their main directions."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import category_words

_COMPONENTS = 32
_MOST_WORDS = 10_000
_FEWEST_ROWS_A_WORD = 2
_MOST_COMMON = 0.95  # share of the rows beyond which a word says nothing


@dataclass(frozen=True)
class TextCoding:
    """The fitted coding of one column of free text.

    Attributes:
        name: the column.
        words: V words of the training rows.
        weights: V numbers, the inverse document frequencies.
        directions: float32 (K, V) as base64, each divided by the spread of its feature in training.
        n_features: K.

    Source: Deerwester et al. 1990, J. Am. Soc. Inf. Sci. 41, 391; as scikit-learn's TfidfVectorizer and TruncatedSVD.
    """

    name: str
    words: tuple[str, ...]
    weights: tuple[float, ...]
    directions: str
    n_features: int

    @property
    def feature_names(self) -> list[str]:
        """One name a direction."""
        return [f"{self.name}: words {k + 1}" for k in range(self.n_features)]

    @property
    def became(self) -> str:
        """What the column becomes, in words."""
        return f"{self.n_features} directions of {len(self.words)} words" if self.words else "nothing: no word repeats"

    def read(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """Cells as text; a missing one has no words."""
        return pc.fill_null(category_words(cells), "")

    def write(self, values: pa.ChunkedArray, out: np.ndarray) -> None:
        """Code cells.

        Shapes: values text (B,); out float32 (B, K), filled in place.
        """
        if not self.n_features:
            return
        vectorizer = _vectorizer(vocabulary=list(self.words))
        vectorizer.idf_ = np.array(self.weights)
        directions = np.frombuffer(base64.b64decode(self.directions), "<f4").reshape(self.n_features, -1)
        out[:] = vectorizer.transform(values.to_pylist()) @ directions.T.astype(np.float64)


def fit_text(name: str, texts: pa.ChunkedArray) -> TextCoding:
    """Fit the coding of a column to its training cells; none where no word stands in two rows."""
    from sklearn.decomposition import TruncatedSVD
    from threadpoolctl import threadpool_limits

    vectorizer = _vectorizer(min_df=_FEWEST_ROWS_A_WORD, max_df=_MOST_COMMON, max_features=_MOST_WORDS)
    try:
        counts = vectorizer.fit_transform(texts.to_pylist())
    except ValueError:  # every word is alone or everywhere
        return TextCoding(name, (), (), "", 0)
    n_components = min(_COMPONENTS, min(counts.shape) - 1)
    if n_components < 1:
        return TextCoding(name, (), (), "", 0)
    with threadpool_limits(1):  # sums in one order
        reduction = TruncatedSVD(n_components, random_state=0)
        spread = reduction.fit_transform(counts).std(axis=0)
    directions = (reduction.components_ / np.where(spread > 1e-12, spread, 1.0)[:, None]).astype("<f4")
    words = tuple(str(word) for word in vectorizer.get_feature_names_out())
    return TextCoding(
        name, words, tuple(vectorizer.idf_.tolist()), base64.b64encode(directions.tobytes()).decode(), n_components
    )


def _vectorizer(**options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, **options)
