"""What words become is learnt once: few different ones stand in most cells, and a look-up is faster than a reading."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
import pyarrow as pa

from qloom.data.category_coding import CategoryCoding
from qloom.data.cells import plain_column
from qloom.data.embedding_coding import EmbeddingCoding
from qloom.data.level_means import LevelMeans
from qloom.data.novelty import SeenColumn
from qloom.data.text_coding import TextCoding

WordCoding = CategoryCoding | LevelMeans | TextCoding | EmbeddingCoding
_MOST_WORDS, _MOST_LETTERS = 100_000, 1 << 24


class Vocabulary:
    """Features of words, by column and word; each word has a code, and a row under its code.

    Codings say what a word becomes, whatever stands beside it, so that a look-up gives what a reading would.

    Args:
        codings: K columns of words.
        seen: what training had of them, where that was kept.

    Attributes:
        words: by code, as the codings read them; None for a missing cell.
        is_new, is_missing: by code, whether training had not seen it, and whether it stands for no word.
    """

    def __init__(self, codings: Sequence[WordCoding], seen: Sequence[SeenColumn | None]):
        self._codings, self._seen = codings, seen
        self._known: list[dict[str | None, int]] = [{} for _ in codings]
        self._widths = [len(coding.feature_names) for coding in codings]
        self._lock, self._letters = Lock(), 0
        self.words: list[str | None] = []
        widest = max(self._widths, default=0)
        kept = [np.arange(each) + widest * k for k, each in enumerate(self._widths)]
        self._kept = np.concatenate([*kept, np.zeros(0)]).astype(int)
        self._rows = np.zeros((256, widest), np.float32)
        self.is_new, self.is_missing = np.zeros(256, bool), np.zeros(256, bool)

    @property
    def is_full(self) -> bool:
        """Whether to begin another one: what is kept must not grow with what is asked."""
        return len(self.words) > _MOST_WORDS or self._letters > _MOST_LETTERS

    def known(self, column: int, words: Sequence[str | None]) -> list[int]:
        """Codes of words.

        Raises:
            KeyError: if one was never learnt.
            TypeError: if one is no word.
        """
        return list(map(self._known[column].__getitem__, words))

    def codes(self, column: int, words: Sequence[str | None]) -> list[int]:
        """Codes of words, which are learnt where they are new."""
        with self._lock:
            unknown = [word for word in dict.fromkeys(words) if word not in self._known[column]]
            if unknown:
                self._learn(column, unknown)
        return self.known(column, words)

    def _learn(self, column: int, words: list[str | None]) -> None:
        coding, seen, first = self._codings[column], self._seen[column], len(self.words)
        cells = coding.read(plain_column(pa.chunked_array([pa.array(words, pa.string())])))
        self._make_room(first + len(words))
        coding.write(cells, self._rows[first : first + len(words), : self._widths[column]])
        for where, _ in seen.novelties(cells) if seen is not None else []:
            self.is_new[first : first + len(words)] |= where
        self.is_missing[first : first + len(words)] = [word is None for word in cells.to_pylist()]
        self.words += cells.to_pylist()
        self._letters += sum(len(word or "") for word in words)
        self._known[column].update((word, first + k) for k, word in enumerate(words))

    def _make_room(self, size: int) -> None:
        if size > len(self._rows):
            more = max(size, 2 * len(self._rows)) - len(self._rows)
            # Replaced, not resized: who reads the old ones meanwhile finds all codes that it knows.
            self._rows = np.concatenate([self._rows, np.zeros((more, self._rows.shape[1]), np.float32)])
            self.is_new = np.concatenate([self.is_new, np.zeros(more, bool)])
            self.is_missing = np.concatenate([self.is_missing, np.zeros(more, bool)])

    def features(self, codes: np.ndarray) -> np.ndarray:
        """Features of all columns, one after the other.

        Shapes: codes int32 (K, B) -> float32 (B, features of the K columns).
        """
        return self._rows[codes.T].reshape(codes.shape[1], -1)[:, self._kept]
