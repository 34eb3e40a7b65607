"""The index of the search: English words by their stems, Chinese by single characters and pairs.

A sentence in Chinese is one word to Sphinx, and its search finds a query of two characters only as a word.
"""

from __future__ import annotations

import re

from sphinx import search
from sphinx.search.en import SearchEnglish

_CHINESE = r"[\u4e00-\u9fff]"


class EnglishAndChinese(SearchEnglish):
    """Words, and of each stretch of Chinese all its characters and pairs of neighbours."""

    def split(self, input: str) -> list[str]:
        stretches = re.findall(rf"{_CHINESE}+", input)
        return super().split(input) + [
            stretch[first : first + size]
            for stretch in stretches
            for size in (1, 2)
            for first in range(len(stretch) - size + 1)
        ]


def add_chinese() -> None:
    """Put it in the place of what Sphinx has for English."""
    search.languages["en"] = EnglishAndChinese
