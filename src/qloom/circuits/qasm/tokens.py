"""OpenQASM as tokens: words, numbers, strings and signs, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qloom.errors import CircuitError

_TOKEN = re.compile(
    r"""(?P<space>(?:\s+|//[^\n]*|/\*.*?\*/)+)
    |(?P<pragma>(?:\#?pragma\b|@(?=[A-Za-z_]))[^\n]*)
    |(?P<number>(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*)(?:[eE][+-]?\d+)?|0[xX][\da-fA-F_]+)
    |(?P<word>\$\d+|[^\W\d]\w*)
    |(?P<string>"[^"\n]*"|'[^'\n]*')
    |(?P<sign>\*\*=|<<=|>>=|->|==|!=|<=|>=|&&|\|\||\+\+|\*\*|<<|>>|\+=|-=|\*=|/=|%=|&=|\|=|\^=|[-+*/%^&|~!<>=()\[\]{},;:.@])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text.

    Args:
        kind: "word", "number", "string", "sign", "pragma" or "end".
        place: where it begins.
    """

    kind: str
    text: str
    place: int


class QasmError(CircuitError):
    """What is wrong with an OpenQASM text, with its line and column."""


def fault(source: str, place: int, message: str) -> QasmError:
    """The error of a place."""
    line = source.count("\n", 0, place) + 1
    column = place - (source.rfind("\n", 0, place) + 1) + 1
    return QasmError(f"line {line}, column {column}: {message}")


class Tokens:
    """A text that is read token by token, from any place."""

    def __init__(self, source: str):
        self.source, self.place = source, 0
        self._ahead: list[Token] = []

    def peek(self, ahead: int = 0) -> Token:
        while len(self._ahead) <= ahead:
            self._ahead.append(self._read(self._ahead[-1] if self._ahead else None))
        return self._ahead[ahead]

    def next(self) -> Token:
        token = self.peek()
        self._ahead.pop(0)
        self.place = token.place + len(token.text)
        return token

    def jump(self, place: int) -> None:
        """Go on from another place."""
        self.place = place
        self._ahead.clear()

    def takes(self, text: str) -> bool:
        """Whether this comes next; then it is taken."""
        token = self.peek()
        if token.text != text or token.kind == "string":
            return False
        self.next()
        return True

    def expect(self, text: str, after: str) -> Token:
        token = self.peek()
        if token.text != text or token.kind == "string":
            raise self.fault(token.place, f"{_named(token)} after {after}, expected {text!r}")
        return self.next()

    def word(self, what: str) -> Token:
        token = self.next()
        if token.kind != "word":
            raise self.fault(token.place, f"{_named(token)}, expected {what}")
        return token

    def fault(self, place: int, message: str) -> QasmError:
        return fault(self.source, place, message)

    def _read(self, last: Token | None) -> Token:
        place = self.place if last is None else last.place + len(last.text)
        while True:
            found = _TOKEN.match(self.source, place)
            if self.source.startswith("/*", place) and (found is None or found.lastgroup != "space"):
                raise self.fault(place, "a comment that does not end, expected */")
            if found is None:
                if place >= len(self.source):
                    return Token("end", "", len(self.source))
                raise self.fault(place, f"{self.source[place]!r} is no part of OpenQASM")
            if found.lastgroup != "space":
                return Token(str(found.lastgroup), found.group(), place)
            place = found.end()


def _named(token: Token) -> str:
    return "the text ends" if token.kind == "end" else f"got {token.text!r}"
