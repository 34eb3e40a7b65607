"""Answers and printed values compared: words as they are, numbers to the last digit that stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import sqrt

_NUMBER = r"[-+]?(?:\d+(?:[,_]\d{3})+(?:\.\d*)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
# The minus of printers, and small digits of powers.
_PLAIN = str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")
_QUANTITY = rf"(?<![\w.,/^])([-+]\s*)?(√)?({_NUMBER})(?:\s*/\s*({_NUMBER}))?\s*(%)?(?![\w^,/√])"
# From so many digits on the last one may differ by one: other machines add up in another order.
_ENOUGH_DIGITS = 3


@dataclass(frozen=True)
class Answer:
    """What came of checking one: whether it is right, and what is right."""

    is_right: bool
    expected: str


def check(given: str, expected: str) -> Answer:
    """Compare a reader's answer with the right one.

    A number may be written as people do, with more digits, as a fraction or in percent, with words around it; it is
    right if it rounds to the expected one, or to a neighbour of one with three digits. Anything else is compared as
    words, without what stands in brackets.
    """
    expected = expected.strip()
    if re.fullmatch("[01]{2,}", expected):  # outcomes of qubits
        is_right = re.findall(r"\d+", given) == [expected]
    elif re.fullmatch(_NUMBER, expected):
        found = quantity(given)
        share = 1.0 if _digits(expected) >= _ENOUGH_DIGITS else 0.5
        is_right = found is not None and abs(found - _value(expected)) <= 1.001 * share * _last_place(expected)
    else:
        is_right = _words(given) == _words(expected)
    return Answer(is_right, expected)


def quantity(text: str) -> float | None:
    """The number that a text names, if it names one: 0.54, 1/2, √0.5, 97%, 750 000, "28 runs"."""
    plain = re.sub(r"(?<=\d)[ \u2009\u202f\u00a0](?=\d{3}\b)", "", text.translate(_PLAIN))
    plain = re.sub(r"\s*[x×·*]\s*10(?:\^|\*\*)?([-+]\d+)", r"e\1", plain)
    found = re.findall(_QUANTITY, plain)
    if len(found) != 1:
        return None
    sign, root, number, divisor, percent = found[0]
    if (divisor and not _value(divisor)) or "π" in plain:
        return None
    value = _value(number) / (_value(divisor) if divisor else 1) / (100 if percent else 1)
    value = sqrt(value) if root and value >= 0 else value
    return -value if sign.startswith("-") else value


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub(r"\(.*?\)", "", text).casefold())


def _digits(number: str) -> int:
    """Digits that count."""
    return len(re.sub(r"e.*|\D", "", number).lstrip("0"))


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
