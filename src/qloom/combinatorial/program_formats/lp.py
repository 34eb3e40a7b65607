"""LP files, in the format that CPLEX began.

Where readers of the field differ (HiGHS, SCIP, CPLEX, Gurobi, COPT and GLPK were asked), this one follows most of them
or refuses the line:

| in the file | here |
|---|---|
| text before the sense, a misspelt sense, text after End, no End | refused |
| Maximise, Minimise, Maximum, Minimum, Max, Min, any case | read |
| a backslash | a comment to the end of its line; comments of several lines are refused |
| a variable twice in an expression, a constant on the left of a row | summed, brought to the right |
| a number in the objective | its constant |
| `<`, `>`, `=<`, `=>`, `==`, a number on the left, numbers on both sides | read; `<` is `<=` |
| variables or sums on the right of a row | refused |
| `3x`, `0x2`, `2e1` | 3 times x, 0 times x2, the number 20 |
| `+ -`, `2 * x` | read |
| two numbers in a row | refused |
| words of sections as names of variables | refused |
| a row's name twice | both rows count, the second is named by its line too |
| bounds given twice | the last one counts |
| an upper bound below 0 and no lower one | the lower one is 0, so nothing meets it: refused |
| a variable only in Bounds | a variable, with a note; only in General or Binary it is refused |
| Binary beside bounds | 0 and 1, and the bounds if they are narrower |
| a variable in General and in Binary | refused |
| [ ... ] in the objective without / 2, products outside [ ] | refused |
| `z = 1 -> row` among the rows or under General Constraints | the row holds where z is 1 |
| `<->`, other general constraints | refused |
| semicontinuous, SOS, lazy constraints, cuts, several objectives | refused, but for empty sections |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import NamedTuple

from qloom.combinatorial.problems.text import FormatError
from qloom.combinatorial.program_formats.written import Column, Row, Written

# What a section is called at the beginning of a line, lower case, one space.
SECTIONS = {
    **dict.fromkeys(["max", "maximum", "maximize", "maximise"], "max"),
    **dict.fromkeys(["min", "minimum", "minimize", "minimise"], "min"),
    **dict.fromkeys(["subject to", "such that", "st", "s.t.", "st."], "rows"),
    **dict.fromkeys(["bound", "bounds"], "bounds"),
    **dict.fromkeys(["general", "generals", "gen", "integer", "integers", "int"], "general"),
    **dict.fromkeys(["binary", "binaries", "bin"], "binary"),
    **dict.fromkeys(["general constraints", "general constraint", "generals constraints"], "conditional"),
    "end": "end",
}
REFUSED = (
    "semi-continuous", "semi", "semis", "sos", "sos1", "sos2", "lazy constraints", "user cuts", "semi-integer",
    "semi-integers", "sin", "sec", "pwlobj", "indicators",
)  # fmt: skip
_WORDS = sorted([*SECTIONS, *REFUSED], key=len, reverse=True)
HEAD = re.compile(
    r"\s*({})(?=\s|$)(?!\s*:)".format("|".join(re.escape(word).replace(r"\ ", r"\s+") for word in _WORDS)),
    re.IGNORECASE,
)
LETTERS = r"A-Za-z_!\"#$%&,.;?@'`{}~|\x80-\U0010ffff"
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    rf"|(?P<name>(?:[{LETTERS}])(?:[{LETTERS}0-9]|\([^()\s]*\)|\[[^\[\]\s]*\])*)"
    r"|(?P<arrow><?->)|(?P<compare><=|=<|>=|=>|==|<|>|=)|(?P<sign>[-+*/^\[\]:()])|(?P<other>\S))"
)
RESERVED = {word for word in (*SECTIONS, *REFUSED) if re.fullmatch(r"\w+", word)} | {"free", "inf", "infinity"}
COMPARE = {"<": "<=", "=<": "<=", "<=": "<=", ">": ">=", "=>": ">=", ">=": ">=", "=": "==", "==": "=="}
TURNED = {"<=": ">=", ">=": "<=", "==": "=="}


class Token(NamedTuple):
    """kind "number", "name", "compare", "arrow", "sign", "section" or "end"."""

    kind: str
    text: str
    line: int


@dataclass
class Sum:
    """An expression: its row without limits, and its constant."""

    row: Row
    constant: float = 0.0


def read_lp(path: Path, text: str) -> Written:
    """Raises:
    FormatError: for what the table refuses, with its line.
    """
    return _Reader(path, text).read()


class _Reader:
    """The tokens, and where the next one is."""

    def __init__(self, path: Path, text: str):
        self.written = Written(path)
        self.refuse, self.columns, self.names = self.written.refuse, dict[str, int](), set[str]()
        self.kinds: dict[str, tuple[str, int]] = {}
        self.tokens = [token for k, line in enumerate(text.splitlines(), 1) for token in self.split(k, line)]
        self.tokens.append(Token("end", "", len(text.splitlines())))
        self.at = 0

    def split(self, number: int, line: str) -> list[Token]:
        """A line's tokens; a section's name stands at its beginning."""
        code, mark, _ = line.partition("\\")
        if mark and code.rstrip().endswith("*"):
            raise self.refuse(number, "a comment of several lines", "a backslash at the beginning of each")
        out, at = list[Token](), 0
        if head := HEAD.match(code):
            word = " ".join(head[1].lower().split())
            out.append(Token("section", SECTIONS.get(word, word), number))
            at = head.end()
        while found := TOKEN.match(code, at):
            kind = str(found.lastgroup)
            if kind == "other":
                raise self.refuse(number, repr(found[kind]), "the LP format")
            out.append(Token(kind, found[kind], number))
            at = found.end()
        return out

    # --- tokens

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self, *texts: str, ahead: int = 0) -> bool:
        """Whether the next token is one of these signs."""
        token = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
        return token.kind == "sign" and token.text in texts

    def wrong(self, expected: str, token: Token | None = None) -> FormatError:
        token = token or self.next
        given = {"end": "the file ends", "section": "a section begins"}.get(token.kind, repr(token.text))
        return self.refuse(token.line, given, expected)

    def label(self) -> str | None:
        """The name before a colon, if there is one."""
        if self.next.kind == "name" and self.peek(":", ahead=1):
            name = self.take().text
            self.take()
            return name
        return None

    # --- sections

    def read(self) -> Written:
        if self.next.kind != "section" or self.next.text not in ("max", "min"):
            raise self.wrong("a line Maximize or Minimize first; other texts of models are no LP files")
        self.written.sense = self.take().text  # type: ignore[assignment]
        self.objective()
        while self.next.kind == "section":
            section = self.take()
            if section.text in REFUSED and self.next.kind != "section":
                expected = "rows of binary, general and continuous variables"
                raise self.refuse(section.line, f"the section {section.text!r}", expected)
            if section.text in ("max", "min"):
                raise self.refuse(section.line, "a second objective", "one")
            if section.text == "end":
                if self.next.kind != "end":
                    raise self.wrong("nothing after End")
                return self.finish()
            while self.next.kind not in ("section", "end"):
                {
                    "rows": self.row,
                    "conditional": self.conditional,
                    "bounds": self.bound,
                }.get(section.text, lambda k=section.text: self.kind(k))()
        raise self.wrong("a section, and End as the last line")

    def objective(self) -> None:
        self.label()
        if self.next.kind == "section":
            return
        found = self.sum(self.written.objective, in_objective=True)
        self.written.constant = found.constant

    def row(self) -> None:
        """[name:] [variable = 0 or 1 ->] [number <=] expression <= number."""
        line, name = self.next.line, self.label()
        row = Row(name or f"row{len(self.written.rows)}", line, condition=self.condition())
        left = self.sum(row)
        compare = self.comparison()
        if not row.linear and not row.products and self.is_expression():
            low = left.constant
            left = self.sum(row)
            self.limit(row, TURNED[compare], low - left.constant)
            if self.next.kind == "compare":
                second = self.comparison()
                if second != compare or compare == "==":
                    raise self.refuse(row.line, "two comparisons of different sense", "number <= sum <= number")
                self.limit(row, compare, self.right() - left.constant)
        else:
            self.limit(row, compare, self.right() - left.constant)
        if self.next.line == self.tokens[self.at - 1].line and not (
            self.next.kind == "name" and self.peek(":", ahead=1)
        ):
            raise self.wrong("the end of the row; variables and sums stand on the left")
        if row.name in self.names:
            row.name = f"{row.name} (line {line})"
        self.names.add(row.name)
        self.written.rows.append(row)

    def conditional(self) -> None:
        """A row of General Constraints."""
        line = self.next.line
        self.row()
        if self.written.rows[-1].condition is None:
            raise self.refuse(line, "a general constraint", "rows of the form z = 1 -> x + y <= 3 in this section")

    def condition(self) -> tuple[int, int] | None:
        """A variable and its value, if an arrow follows."""
        arrow = self.tokens[min(self.at + 3, len(self.tokens) - 1)]
        if arrow.kind != "arrow":
            return None
        variable, compare, value = self.take(), self.take(), self.take()
        self.take()
        if arrow.text != "->":
            raise self.refuse(arrow.line, "<->", "->; write the other direction as a row of its own")
        if COMPARE.get(compare.text) != "==" or value.text not in ("0", "1"):
            given = f"{variable.text} {compare.text} {value.text} ->"
            raise self.refuse(arrow.line, given, "a binary variable = 0 or = 1 before the arrow")
        return self.column(variable), int(value.text)

    def is_expression(self) -> bool:
        """Whether a variable stands on this line before its end or another comparison."""
        rest = self.tokens[self.at :]
        for token, following in pairwise(rest):
            if token.kind in ("section", "end", "compare") or (following.kind, following.text) == ("sign", ":"):
                return False
            if token.kind == "name" or token.text == "[":
                return token.line == rest[0].line
        return False

    def limit(self, row: Row, compare: str, value: float) -> None:
        if compare != "<=":
            row.low = value
        if compare != ">=":
            row.high = value

    def comparison(self) -> str:
        if self.next.kind != "compare":
            raise self.wrong("<=, >= or =")
        return COMPARE[self.take().text]

    def right(self) -> float:
        """The number right of a comparison."""
        sign = self.sign()
        if self.next.kind != "number":
            raise self.wrong("a number; variables stand on the left")
        token = self.take()
        return sign * self.written.number(token.line, token.text, "right side")

    def sign(self) -> float:
        out = 1.0
        while self.peek("+", "-"):
            out *= -1.0 if self.take().text == "-" else 1.0
        return out

    # --- expressions

    def sum(self, row: Row, in_objective: bool = False) -> Sum:
        """Terms until a comparison, a section or a label, into a row."""
        out, first = Sum(row), True
        while first or self.peek("+", "-", "["):
            signed = self.peek("+", "-")
            sign = self.sign()
            if self.peek("["):
                self.bracket(row, sign, in_objective)
            else:
                if not first and not signed:
                    raise self.wrong("+, - or a comparison")
                self.term(out, sign)
            first = False
        return out

    def term(self, into: Sum, sign: float) -> None:
        """[number] [*] name, or a number."""
        value = self.coefficient()
        if self.next.kind == "name" and not self.peek(":", ahead=1):
            into.row.add(self.variable(), sign * (1.0 if value is None else value))
        elif value is None:
            raise self.wrong("a number or a variable")
        elif self.next.kind == "number":
            raise self.wrong("a variable or a sign between two numbers")
        else:
            into.constant += sign * value

    def coefficient(self) -> float | None:
        if self.next.kind != "number":
            return None
        token = self.take()
        if self.peek("*"):
            self.take()
            if self.next.kind != "name":
                raise self.wrong("a variable")
        return self.written.number(token.line, token.text, "coefficient")

    def variable(self) -> int:
        token = self.take()
        if token.kind != "name":
            raise self.wrong("a variable", token)
        return self.column(token)

    def column(self, token: Token, note: str = "") -> int:
        if token.text.lower() in RESERVED:
            raise self.refuse(token.line, f"a variable {token.text!r}", "a name that is no word of the format, "
                              "or the section at the beginning of a line")  # fmt: skip
        if token.text not in self.columns:
            self.columns[token.text] = len(self.columns)
            self.written.columns.append(Column(token.text, token.line))
            if note:
                self.written.notes.append(f"line {token.line}: {token.text!r} {note}")
        return self.columns[token.text]

    def bracket(self, row: Row, sign: float, in_objective: bool) -> None:
        """[ 2 x * y + x ^ 2 ] / 2."""
        start, parts = self.take(), list[tuple[int, int, float]]()
        while not self.peek("]"):
            if parts and not self.peek("+", "-"):
                raise self.wrong("+, - or ]")
            own = self.sign()
            value = self.coefficient()
            first = second = self.variable()
            if self.peek("^"):
                self.take()
                if self.take().text != "2":
                    raise self.wrong("^ 2", self.tokens[self.at - 1])
            elif self.peek("*"):
                self.take()
                second = self.variable()
            else:
                raise self.wrong("products in brackets, x * y or x ^ 2")
            parts.append((first, second, own * (1.0 if value is None else value)))
        self.take()
        by = 1.0
        if self.peek("/"):
            self.take()
            if self.take().text != "2":
                raise self.wrong("/ 2", self.tokens[self.at - 1])
            by = 0.5
        elif in_objective:
            raise self.refuse(start.line, "[ ] of an objective without / 2", "/ 2 behind it, as the format has it")
        for first, second, value in parts:
            row.add_product(first, second, sign * by * value)

    # --- bounds and kinds

    def bound(self) -> None:
        """number <= x <= number, x <= number, x = number, or x free."""
        if self.next.kind == "name" and not self.is_infinite():
            column = self.bounded()
            if self.next.kind == "name" and self.next.text.lower() == "free":
                self.take()
                column.lower, column.upper = -inf, inf
                return
            compare = self.comparison()
            self.set_bound(column, compare, self.bound_number())
            return
        value = self.bound_number()
        compare = self.comparison()
        if self.next.kind != "name":
            raise self.wrong("a variable; bounds have no coefficients")
        column = self.bounded()
        self.set_bound(column, TURNED[compare], value)
        if self.next.kind == "compare":
            token = self.next
            if self.comparison() != compare:
                raise self.wrong(compare, token)
            self.set_bound(column, compare, self.bound_number())

    def bounded(self) -> Column:
        k = self.column(self.take(), "stands in no row and not in the objective")
        return self.written.columns[k]

    def is_infinite(self) -> bool:
        return self.next.text.lower() in ("inf", "infinity")

    def bound_number(self) -> float:
        sign, token = self.sign(), self.take()
        if token.kind == "name" and token.text.lower() in ("inf", "infinity"):
            return sign * inf
        if token.kind != "number":
            raise self.wrong("a number", token)
        return sign * self.written.bound(token.line, token.text, "bound")

    def set_bound(self, column: Column, compare: str, value: float) -> None:
        if compare != "<=":
            column.lower = value
        if compare != ">=":
            column.upper = value

    def kind(self, section: str) -> None:
        """Names of integers or binaries."""
        token = self.take()
        if token.kind != "name" or token.text not in self.columns:
            raise self.wrong(f"variables of the rows ({section})", token)
        before, line = self.kinds.setdefault(token.text, (section, token.line))
        if before != section:
            raise self.refuse(token.line, f"{token.text!r} is {section} and in line {line} {before}",
                              "one of them; readers differ in what it is")  # fmt: skip

    def finish(self) -> Written:
        for name, (kind, line) in self.kinds.items():
            column = self.written.columns[self.columns[name]]
            column.whole, column.line = True, line
            if kind == "binary":
                column.lower, column.upper = max(column.lower, 0.0), min(column.upper, 1.0)
        return self.written
