"""Answers and printed values compared: words as they are, numbers to the last digit that stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"[-+]?(?:\d[\d,_]*\.?\d*|\.\d+)(?:e[-+]?\d+)?"


@dataclass(frozen=True)
class Answer:
    """What came of checking one: whether it is right, and what is right."""

    is_right: bool
    expected: str


def check(given: str, expected: str) -> Answer:
    """Compare a reader's answer with the right one: a number to its last digit, anything else as words."""
    return Answer(same(given.strip(" '\"").rstrip(" .'\""), expected.strip()), expected.strip())


def same(given: str, expected: str) -> bool:
    """Whether two texts say the same: numbers differ by one in the last digit of `expected` at most, words by case."""
    ours, theirs = _tokens(given), _tokens(expected)
    return len(ours) == len(theirs) and all(map(_same_token, ours, theirs))


def _tokens(text: str) -> list[str]:
    """Numbers, and the words and signs between them."""
    return re.findall(rf"(?<![\w.]){_NUMBER}(?![\w])|[^\W\d_]\w*|\S", text)


def _same_token(given: str, expected: str) -> bool:
    if re.fullmatch(_NUMBER, expected) and re.fullmatch(_NUMBER, given):
        return abs(_value(given) - _value(expected)) <= 1.001 * _last_place(expected)
    return given.casefold() == expected.casefold()


def _value(number: str) -> float:
    return float(number.replace(",", "").replace("_", ""))


def _last_place(number: str) -> float:
    """What one in the last digit that is written is worth; whole numbers are exact."""
    digits, _, exponent = number.lower().partition("e")
    decimals = len(digits.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if decimals or exponent else 0.0
