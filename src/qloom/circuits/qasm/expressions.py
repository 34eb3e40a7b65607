"""Expressions of OpenQASM as trees."""

from __future__ import annotations

from typing import Any

from qloom.circuits.qasm import syntax as s
from qloom.circuits.qasm.tokens import Token, Tokens

TYPES = frozenset({"int", "uint", "float", "angle", "bool", "bit", "complex", "duration", "stretch", "array"})
# From the loosest to the tightest; what stands in one row is read from the left.
_LEVELS_3 = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="), ("<<", ">>"), ("+", "-", "++"),
    ("*", "/", "%"),
)  # fmt: skip
_LEVELS_2 = (("==", "!="), ("+", "-"), ("*", "/"))
# Parentheses and signs within each other.
_MOST_DEPTH = 50
# Digits.
_LONGEST_NUMBER = 1000


class Expressions:
    """Reads expressions from tokens. In version 2 ^ is the power, in version 3 **; both bind tighter than a sign."""

    def __init__(self, tokens: Tokens, version: int):
        self.tokens, self.version = tokens, version
        self._depth = 0

    def read(self) -> Any:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self.tokens.fault(self.tokens.peek().place, f"more than {_MOST_DEPTH} parentheses within each other")
        out = self._level(0)
        self._depth -= 1
        return out

    def several(self, end: str) -> tuple[Any, ...]:
        """Expressions with commas, up to a closing sign, which is taken."""
        out: list[Any] = []
        while not self.tokens.takes(end):
            if out:
                self.tokens.expect(",", "an expression")
                if self.tokens.takes(end):
                    break
            out.append(self.read())
        return tuple(out)

    def type(self, token: Token) -> s.Type:
        """A type whose first word was taken."""
        tokens = self.tokens
        if token.text == "array":
            tokens.expect("[", "array")
            element = self.type(tokens.word("a type"))
            shape = []
            while tokens.takes(","):
                shape.append(self.read())
            tokens.expect("]", "the sizes of an array")
            return s.Type(token.place, "array", None, element, tuple(shape))
        if token.text == "complex" and tokens.takes("["):
            self.type(tokens.word("float"))
            tokens.expect("]", "the type of a complex number")
            return s.Type(token.place, "complex")
        size = None
        if tokens.takes("["):
            size = self.read()
            tokens.expect("]", "a size")
        return s.Type(token.place, token.text, size)

    def _level(self, level: int) -> Any:
        levels = _LEVELS_2 if self.version == 2 else _LEVELS_3
        if level == len(levels):
            return self._signed()
        left = self._level(level + 1)
        while self.tokens.peek().kind == "sign" and self.tokens.peek().text in levels[level]:
            sign = self.tokens.next()
            left = s.Binary(sign.place, sign.text, left, self._level(level + 1))
        return left

    def _signed(self) -> Any:
        token = self.tokens.peek()
        if token.kind == "sign" and token.text in ("-", "+", "!", "~"):
            self.tokens.next()
            self._depth += 1
            if self._depth > _MOST_DEPTH:
                raise self.tokens.fault(token.place, f"more than {_MOST_DEPTH} signs within each other")
            of = self._signed()
            self._depth -= 1
            return of if token.text == "+" else s.Unary(token.place, token.text, of)
        base, power = self._indexed(), "^" if self.version == 2 else "**"
        if self.tokens.peek().text == power:
            sign = self.tokens.next()
            return s.Binary(sign.place, "**", base, self._signed())
        return base

    def _indexed(self) -> Any:
        out = self._primary()
        while self.tokens.peek().text == "[" and self.tokens.peek().kind == "sign":
            place = self.tokens.next().place
            out = s.Index(place, out, self.index())
            while self.tokens.takes(","):
                out = s.Index(place, out, self.index())
            self.tokens.expect("]", "an index")
        return out

    def index(self) -> Any:
        """A number, a range or a set."""
        token = self.tokens.peek()
        if self.tokens.takes("{"):
            return s.Several(token.place, self.several("}"))
        start = None if token.text == ":" else self.read()
        return self._range(token.place, start) if self.tokens.takes(":") else start

    def _range(self, place: int, start: Any) -> s.Range:
        second = None if self.tokens.peek().text in ("]", ":") else self.read()
        if not self.tokens.takes(":"):
            return s.Range(place, start, None, second)
        third = None if self.tokens.peek().text == "]" else self.read()
        return s.Range(place, start, second, third)

    def _primary(self) -> Any:
        token = self.tokens.next()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "string":
            return s.BitString(token.place, token.text[1:-1].replace("_", ""))
        if token.text == "(":
            out = self.read()
            self.tokens.expect(")", "an expression in parentheses")
            return out
        if token.text == "{":
            return s.Several(token.place, self.several("}"))
        if token.kind != "word":
            what = "the text ends" if token.kind == "end" else f"got {token.text!r}"
            raise self.tokens.fault(token.place, f"{what}, expected an expression")
        if token.text in ("true", "false"):
            return s.Literal(token.place, token.text == "true")
        if token.text == "measure":
            return s.Measure(token.place, self._indexed())
        if self.version == 3 and token.text in TYPES:
            kind = self.type(token)
            self.tokens.expect("(", "a type that a value is cast to")
            out = self.read()
            self.tokens.expect(")", "a cast")
            return s.Cast(token.place, kind, out)
        if self.tokens.takes("("):
            return s.Call(token.place, token.text, self.several(")"))
        return s.Name(token.place, token.text)

    def _number(self, token: Token) -> Any:
        text = token.text.replace("_", "")
        if len(text) > _LONGEST_NUMBER:
            raise self.tokens.fault(token.place, f"a number of {len(text)} digits, expected at most {_LONGEST_NUMBER}")
        following = self.tokens.peek()
        is_next = following.place == token.place + len(token.text) and following.kind == "word"
        if text == "0" and is_next and following.text[0] in "xXbBoO":
            self.tokens.next()
            if len(following.text) > _LONGEST_NUMBER:
                raise self.tokens.fault(token.place, f"a number of more than {_LONGEST_NUMBER} digits")
            try:
                return s.Literal(token.place, int(text + following.text.replace("_", ""), 0))
            except ValueError:
                raise self.tokens.fault(token.place, f"{text + following.text!r} is no number") from None
        value: Any = float(text) if set(text) & set(".eE") else int(text)
        if following.text == "im" and self.version == 3:
            self.tokens.next()
            return s.Literal(token.place, complex(0, value))
        if is_next and following.text in ("ns", "us", "µs", "ms", "s", "dt"):
            raise self.tokens.fault(token.place, f"{text}{following.text} is a duration, which no gate here takes")
        return s.Literal(token.place, value)
