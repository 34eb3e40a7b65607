"""MPS files, free or in fixed columns.

Where readers of the field differ (HiGHS, SCIP, CPLEX, Gurobi, COPT and GLPK were asked), this one follows most of them
or refuses the line:

| in the file | here |
|---|---|
| a row or column named twice, an entry, right side, range or bound given twice | refused |
| several sets of right sides, ranges or bounds | the first is taken, with a note |
| sections after COLUMNS in any order | read; one that comes twice is refused |
| integers between markers without any bound | 0 or 1; with a lower one alone, without an upper one |
| an upper bound below 0 and no lower one | refused: half of the readers make it free below, half infeasible |
| MI alone | free below, without an upper bound |
| a right side of the objective | its negative is the constant |
| a range R of an equation | to the right side + R, or from it if R is negative |
| rows N after the first, or other than OBJNAME's | no constraints, left out with a note |
| OBJSENSE on one line or two, MAX, MAXIMIZE, MIN, MINIMIZE | read; other words are refused |
| names of sets left out, `$` comments, tabs, lower case | read |
| rows and columns that no section declares | refused |
| no ENDATA | refused; what follows it is no part of the model |
| QUADOBJ, QSECTION (a triangle, halved), QMATRIX (both halves, halved), QCMATRIX (both halves) | products |
| `IF row column 1` under INDICATORS | the row holds where the column is 1; two of a row are refused |
| semicontinuous bounds, SOS, lazy constraints, other sections | refused |
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path

from qloom.combinatorial.problems.text import FormatError
from qloom.combinatorial.program_formats.written import Column, Row, Written

SENSES = {"MAX": "max", "MAXIMIZE": "max", "MAXIMISE": "max", "MIN": "min", "MINIMIZE": "min", "MINIMISE": "min"}
QUADRATIC = ("QUADOBJ", "QSECTION", "QMATRIX", "QCMATRIX")
SECTIONS = (
    "NAME",
    "OBJSENSE",
    "OBJNAME",
    "ROWS",
    "COLUMNS",
    "RHS",
    "RANGES",
    "BOUNDS",
    *QUADRATIC,
    "INDICATORS",
    "ENDATA",
)
# Of the fixed format, from and to in columns counted from 0.
FIELDS = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
BOUNDS = {"UP": (False, True), "LO": (True, False), "FX": (True, True), "UI": (False, True), "LI": (True, False),
          "FR": (True, True), "MI": (True, False), "PL": (False, True), "BV": (True, True)}  # fmt: skip
VALUED = ("UP", "LO", "FX", "UI", "LI")


def read_mps(path: Path, text: str) -> Written:
    """By words; by columns where only that can be meant, as names with spaces need it.

    Raises:
        FormatError: for what the table refuses, with its line.
    """
    try:
        return _Reader(path, text, str.split).read()
    except FormatError:
        try:
            written = _Reader(path, text, _by_columns).read()
        except FormatError:
            pass
        else:
            written.notes.append("names with spaces: read as MPS of fixed columns")
            return written
        raise


def _by_columns(line: str) -> list[str]:
    return [part for start, end in FIELDS if (part := line[start:end].strip())]


class _Reader:
    """One way through the lines; `words` splits a line of data."""

    def __init__(self, path: Path, text: str, words: Callable[[str], list[str]]):
        self.written, self.lines, self.words = Written(path), text.splitlines(), words
        self.refuse, self.section, self.argument, self.seen = self.written.refuse, "", "", dict[str, int]()
        self.rows: dict[str, Row | None] = {}
        self.free: dict[str, int] = {}
        self.columns: dict[str, int] = {}
        self.kinds: dict[str, str] = {}
        self.right: dict[str, float] = {}
        self.range: dict[str, float] = {}
        self.sets: dict[str, str] = {}
        self.bounded: dict[int, dict[str, int]] = {}
        self.halves: dict[tuple[str, int, int], tuple[float, int]] = {}
        self.current, self.entries, self.whole, self.objective, self.wanted = -1, set[str](), False, "", ""

    def read(self) -> Written:
        for number, line in enumerate(self.lines, 1):
            if not line.strip() or line.startswith("*"):
                continue
            if not line[0].isspace():
                if self.header(number, line.split()):
                    return self.finish(number)
            else:
                self.data(number, line)
        raise self.refuse(len(self.lines), "the file ends", "a line ENDATA, as MPS has it")

    def header(self, line: int, words: list[str]) -> bool:
        """A section begins; whether it is the last."""
        name, rest = words[0].upper(), words[1:]
        if self.section == "OBJSENSE" and not rest and name in SENSES:
            self.sense(line, name)
            return False
        if name not in SECTIONS:
            raise self.refuse(line, repr(words[0]), f"one of the sections {', '.join(SECTIONS)}")
        place = f"{name} {rest[0]}" if name == "QCMATRIX" and rest else name
        if place in self.seen:
            raise self.refuse(line, f"a second section {place}, the first in line {self.seen[place]}", "one")
        needed = {"COLUMNS": "ROWS", "RHS": "ROWS", "RANGES": "ROWS", "ENDATA": "ROWS"}.get(name, "COLUMNS")
        if name not in ("NAME", "OBJSENSE", "OBJNAME", "ROWS") and needed not in self.seen:
            raise self.refuse(line, f"{name} before {needed}", f"{needed} first")
        self.section, self.argument, self.seen[place] = name, "", line
        if rest and name == "OBJSENSE":
            self.sense(line, rest[0])
        elif rest and name == "OBJNAME":
            self.wanted = rest[0]
        elif name == "QCMATRIX":
            self.argument = rest[0] if rest else ""
            if self.rows.get(self.argument) is None:
                raise self.refuse(line, f"QCMATRIX of the row {self.argument!r}", "a row of the section ROWS")
        return name == "ENDATA"

    def data(self, line: int, text: str) -> None:
        """A line within a section."""
        words = self.words(text)
        known = (self.rows, self.free, self.columns)
        comment = [k for k, word in enumerate(words) if k and word[0] == "$" and not any(word in of for of in known)]
        words = words[: comment[0]] if comment else words
        read = {
            "OBJSENSE": lambda: self.sense(line, words[0]),
            "OBJNAME": lambda: self.name_objective(words[0]),
            "ROWS": lambda: self.row(line, words),
            "COLUMNS": lambda: self.column(line, words),
            "RHS": lambda: self.pairs(line, words, self.right, "right side"),
            "RANGES": lambda: self.pairs(line, words, self.range, "range"),
            "BOUNDS": lambda: self.bound(line, words),
            "INDICATORS": lambda: self.indicator(line, words),
            **dict.fromkeys(QUADRATIC, lambda: self.product(line, words)),
        }.get(self.section)
        if read is None:
            raise self.refuse(line, repr(text.strip()), "a section")
        read()

    def sense(self, line: int, word: str) -> None:
        if word.upper() not in SENSES:
            raise self.refuse(line, f"OBJSENSE {word!r}", "MAX, MAXIMIZE, MIN or MINIMIZE")
        self.written.sense = SENSES[word.upper()]  # type: ignore[assignment]

    def name_objective(self, word: str) -> None:
        self.wanted = word

    def row(self, line: int, words: list[str]) -> None:
        if len(words) != 2 or words[0].upper() not in ("N", "L", "G", "E"):
            raise self.refuse(line, repr(" ".join(words)), "N, L, G or E and a name")
        kind, name = words[0].upper(), words[1]
        if name in self.kinds:
            raise self.refuse(line, f"a second row {name!r}", "a name of its own")
        self.kinds[name] = kind
        if kind == "N":
            self.free[name] = line
            return
        row = Row(name, line)
        self.rows[name] = row
        self.written.rows.append(row)

    def column(self, line: int, words: list[str]) -> None:
        if "'MARKER'" in words[:2]:
            self.marker(line, words[-1])
            return
        if len(words) not in (3, 5):
            raise self.refuse(line, repr(" ".join(words)), "a column and one or two rows, each with a number")
        name = words[0]
        k = self.columns.get(name)
        if k is None:
            k = self.columns[name] = len(self.columns)
            self.written.columns.append(Column(name, line, whole=self.whole))
            self.entries = set()
        elif k != self.current:
            raise self.refuse(line, f"a second column {name!r}", "the lines of a column together")
        self.current = k
        for row, word in zip(words[1::2], words[2::2], strict=True):
            value = self.written.number(line, word, "coefficient")
            if row in self.entries:
                raise self.refuse(line, f"a second number of column {name!r} in row {row!r}", "one")
            self.entries.add(row)
            target = self.row_named(line, row)
            if target is not None:
                target.add(k, value)

    def marker(self, line: int, word: str) -> None:
        """Integers begin or end."""
        if word not in ("'INTORG'", "'INTEND'") or self.whole == (word == "'INTORG'"):
            raise self.refuse(line, f"marker {word}", "'INTORG' and 'INTEND' in turn")
        self.whole = word == "'INTORG'"

    def row_named(self, line: int, name: str) -> Row | None:
        """None for a row N that is not the objective."""
        if name in self.free:
            return self.written.objective if name == self.objective_name() else None
        if name not in self.rows:
            raise self.refuse(line, f"a row {name!r}", "one of the section ROWS")
        return self.rows[name]

    def objective_name(self) -> str:
        return self.wanted or next(iter(self.free), "")

    def first_set(self, line: int, name: str) -> bool:
        """Whether a line belongs to the set that counts."""
        first = self.sets.setdefault(self.section, name)
        if not (first and name) and name != first:
            raise self.refuse(line, "a set with a name beside one without", "one name in the whole section")
        if name != first and f"{self.section} {name}" not in self.sets:
            self.sets[f"{self.section} {name}"] = name
            self.written.notes.append(
                f"line {line}: the set {name!r} of {self.section} is left out, {first!r} is the first"
            )
        return name == first

    def pairs(self, line: int, words: list[str], into: dict[str, float], what: str) -> None:
        """Right sides or ranges; the name of their set may be left out."""
        if len(words) not in (2, 3, 4, 5):
            raise self.refuse(line, repr(" ".join(words)), f"one or two rows, each with a number ({what})")
        name, rest = (words[0], words[1:]) if len(words) % 2 else ("", words)
        if not self.first_set(line, name):
            return
        for row, word in zip(rest[::2], rest[1::2], strict=True):
            self.row_named(line, row)
            if row in into:
                raise self.refuse(line, f"a second {what} of row {row!r}", "one")
            into[row] = self.written.number(line, word, what)

    def bound(self, line: int, words: list[str]) -> None:
        kind, rest = words[0].upper(), words[1:]
        if kind in ("SC", "SI", "SN"):
            raise self.refuse(line, f"the semicontinuous variable {rest[-2] if len(rest) > 1 else rest!r}",
                              "variables without a gap; write a binary one and two rows in its place")  # fmt: skip
        if kind not in BOUNDS:
            raise self.refuse(line, repr(words[0]), f"a kind of bound, one of {', '.join(BOUNDS)}")
        if kind not in VALUED and rest[-1:] and rest[-1] not in self.columns:
            rest = rest[:-1]  # a number that says nothing
        word = rest.pop() if kind in VALUED and rest else ""
        if len(rest) not in (1, 2):
            raise self.refuse(line, repr(" ".join(words)), "a kind of bound, a set, a column and a number")
        name = rest[-1]
        if not self.first_set(line, rest[0] if len(rest) == 2 else ""):
            return
        if name not in self.columns:
            raise self.refuse(line, f"a bound of {name!r}", "a column of the section COLUMNS")
        self.set_bound(line, kind, self.columns[name], word)

    def set_bound(self, line: int, kind: str, k: int, word: str) -> None:
        value = self.written.bound(line, word, "bound") if kind in VALUED else 0.0
        column, given, (is_lower, is_upper) = self.written.columns[k], self.bounded.setdefault(k, {}), BOUNDS[kind]
        for end, is_meant in (("lower", is_lower), ("upper", is_upper)):
            if is_meant and end in given:
                raise self.refuse(line, f"a second {end} bound of {column.name!r}, the first in line {given[end]}",
                                  "one")  # fmt: skip
            if is_meant:
                given[end] = line
        column.whole |= kind in ("UI", "LI", "BV")
        if is_lower:
            column.lower = value if kind in VALUED else 0.0 if kind == "BV" else -inf
        if is_upper:
            column.upper = value if kind in VALUED else 1.0 if kind == "BV" else inf

    def indicator(self, line: int, words: list[str]) -> None:
        """IF row column value."""
        if len(words) != 4 or words[0].upper() != "IF" or words[3] not in ("0", "1"):
            raise self.refuse(line, repr(" ".join(words)), "IF, a row, a binary column, and 0 or 1")
        row = self.row_named(line, words[1])
        if row is None or words[1] in self.free:
            raise self.refuse(line, f"an indicator of the row {words[1]!r} of kind N", "a constraint")
        if row.condition is not None:
            raise self.refuse(line, f"a second indicator of row {words[1]!r}", "one")
        if words[2] not in self.columns:
            raise self.refuse(line, f"an indicator {words[2]!r}", "a column of the section COLUMNS")
        row.condition = self.columns[words[2]], int(words[3])

    def product(self, line: int, words: list[str]) -> None:
        if len(words) != 3 or words[0] not in self.columns or words[1] not in self.columns:
            raise self.refuse(line, repr(" ".join(words)), "two columns of the section COLUMNS and a number")
        first, second = (self.columns[word] for word in words[:2])
        value, place = self.written.number(line, words[2], "coefficient of a product"), self.section + self.argument
        triangle = self.section in ("QUADOBJ", "QSECTION")
        if (place, first, second) in self.halves or (triangle and (place, second, first) in self.halves):
            raise self.refuse(line, f"a second number of {words[0]!r} and {words[1]!r}", "one")
        self.halves[place, first, second] = value, line
        row = self.rows[self.argument] if self.argument else self.written.objective
        assert row is not None
        half = 1.0 if self.section == "QCMATRIX" or (triangle and first != second) else 0.5
        row.add_product(first, second, half * value)

    def finish(self, line: int) -> Written:
        """Limits of the rows, bounds of integers, and what can only be said in the end."""
        written = self.written
        if any(text.strip() for text in self.lines[line:]):
            written.notes.append(f"line {line}: what follows ENDATA is left out")
        if self.wanted and self.wanted not in self.free:
            raise self.refuse(line, f"OBJNAME {self.wanted!r}", "a row N of the section ROWS")
        objective = self.objective_name()
        written.constant = -self.right.get(objective, 0.0)
        written.notes += [
            f"line {at}: the row {name!r} is of kind N and not the objective, so no constraint"
            for name, at in self.free.items() if name != objective
        ]  # fmt: skip
        for name, row in self.rows.items():
            assert row is not None
            row.low, row.high = _limits(self.kinds[name], self.right.get(name, 0.0), self.range.get(name))
        for (place, first, second), (value, at) in self.halves.items():
            if (
                place.startswith(("QMATRIX", "QCMATRIX"))
                and self.halves.get((place, second, first), (0, 0))[0] != value
            ):
                names = f"{written.columns[first].name!r} and {written.columns[second].name!r}"
                raise self.refuse(at, f"{value:g} for {names} and another number for the two in turn", "equal ones")
        for k, column in enumerate(written.columns):
            given = self.bounded.get(k, {})
            if column.whole and not given:
                column.upper = 1.0
            if "lower" not in given and column.upper < 0:
                raise self.refuse(
                    given["upper"], f"{column.name!r} is at most {column.upper:g} and has no lower bound",
                    "one (LO, or MI for none); readers differ in what it is",
                )  # fmt: skip
        return written


def _limits(kind: str, right: float, extent: float | None) -> tuple[float, float]:
    """Of a row."""
    low, high = (-inf if kind == "L" else right), (inf if kind == "G" else right)
    if extent is None:
        return low, high
    if kind == "E":
        return (right, right + extent) if extent > 0 else (right + extent, right)
    return right - abs(extent) if kind == "L" else right, right + abs(extent) if kind == "G" else right
