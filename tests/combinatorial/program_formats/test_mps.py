"""MPS files: small ones, each with the model that most readers find, or its refusal with the line."""

from __future__ import annotations

import pytest

from qloom.combinatorial.certificates import certify_model
from qloom.combinatorial.problems.text import FormatError
from qloom.combinatorial.program_files import read_program, read_with_notes
from qloom.errors import ProblemError

UP = " UP B x 3\n UP B y 2\n"


def mps(
    rows=" N obj\n L c\n", columns=" x obj -1 c 1\n y obj -2 c 1\n", right=" R c 4\n", bounds=UP, before="",
    after="", ranges="", end="ENDATA\n", marked=True,
):  # fmt: skip
    """Minimize -x - 2y, x + y <= 4, x <= 3, y <= 2: -6 at (2, 2)."""
    if marked:
        columns = f" M 'MARKER' 'INTORG'\n{columns} M 'MARKER' 'INTEND'\n"
    parts = [f"NAME t\n{before}ROWS\n{rows}COLUMNS\n{columns}", f"RHS\n{right}" if right else ""]
    parts += [f"RANGES\n{ranges}" if ranges else "", f"BOUNDS\n{bounds}" if bounds else "", after, end]
    return "".join(parts)


POSITIVE = " x obj 1 c 1\n y obj 2 c 1\n"

READ = {
    "plain": (mps(), -6),
    "integers without bounds are 0 or 1": (mps(bounds=""), -3),
    "a lower bound alone leaves the upper one open": (mps(right=" R c 7\n", bounds=" LO B x 1\n UP B y 2\n"), -9),
    "MI alone": (mps(right=" R c 7\n", columns=" x obj -1 c 1\n y obj 2 c 1\n", bounds=" MI B x\n UP B y 2\n"), -7),
    "MI and UP": (mps(columns=" x obj -1 c 1\n y obj 2 c 1\n", bounds=" MI B x\n UP B x 3\n UP B y 2\n"), -3),
    "fractional bounds": (mps(right=" R c 7\n", bounds=" LO B x .5\n UP B x 2.7\n UP B y 2\n"), -6),
    "a second row N": (mps(rows=" N obj\n N more\n L c\n", columns=" x obj -1 c 1\n x more 5\n y obj -2 c 1\n"), -6),
    "OBJNAME": (mps(before="OBJNAME\n obj\n", rows=" N o\n N obj\n L c\n"), -6),
    "several right sides": (mps(right=" A c 4\n Z c 3\n"), -6),
    "several bounds": (mps(bounds=UP + " UP C x 1\n"), -6),
    "several ranges": (mps(columns=POSITIVE, right=" R c 5\n", ranges=" A c 2\n Z c 4\n"), 3),
    "ranges before right sides": (mps(columns=POSITIVE, right="", after="RHS\n R c 4\n", ranges=" A c 2\n"), 2),
    "bounds before right sides": (mps(right="", after="RHS\n R c 4\n"), -6),
    "a row without entries": (mps(rows=" N obj\n L c\n L e\n"), -6),
    "a right side of the objective": (mps(right=" R obj 10 c 4\n"), -16),
    "a range of an equation down": (mps(rows=" N obj\n E c\n", columns=POSITIVE, ranges=" A c -2\n"), 2),
    "a range of an equation up": (mps(rows=" N obj\n E c\n", right=" R c 2\n", ranges=" A c 2\n"), -6),
    "a negative range": (mps(columns=POSITIVE, ranges=" A c -2\n"), 2),
    "OBJSENSE on two lines": (mps(before="OBJSENSE\n    MAXIMIZE\n", columns=POSITIVE), 6),
    "OBJSENSE on one line": (mps(before="OBJSENSE MAX\n", columns=POSITIVE), 6),
    "OBJSENSE and MAX at the margin": (mps(before="OBJSENSE\nMAX\n", columns=POSITIVE), 6),
    "OBJSENSE after ROWS": (mps(columns=POSITIVE).replace("COLUMNS", "OBJSENSE\n    MAX\nCOLUMNS"), 6),
    "integers to the end": (mps(right=" R c 7\n", columns=" M 'MARKER' 'INTORG'\n x obj -1.5 c 2\n y obj -2 c 2\n", marked=False), -5.5),  # noqa: E501
    "sets without names": (mps(right="   c 4\n", bounds=" UP x 3\n UP y 2\n"), -6),
    "a dollar's comment": (mps(right=" R c 4 $ four\n"), -6),
    "a column named with a dollar": (mps(columns=" $x obj -1 c 1\n y obj -2 c 1\n", bounds=UP.replace("x", "$x")), -6),
    "tabs": (mps().replace("\n ", "\n\t"), -6),
    "lower case": (mps().replace("COLUMNS", "columns").replace(" UP ", " up "), -6),
    "no bound of 1e30": (mps(bounds=" UP B x 1e30\n UP B y 2\n"), -6),
    "BV with a number": (mps(bounds=" BV B x 1\n UP B y 2\n"), -5),
    "BV without a set": (mps(bounds=" BV x\n UP y 2\n"), -5),
    "what follows the end": (mps(end="ENDATA\nBOUNDS\n UP B x 1\n"), -6),
    "no row N": (mps(rows=" L c\n", columns=" x c 1\n y c 1\n"), 0),
    "QUADOBJ": (mps(columns=" x obj -3 c 1\n y obj -3 c 1\n", after="QUADOBJ\n x x 2\n x y 1\n y y 2\n"), -3),
    "QMATRIX": (mps(columns=" x obj -3 c 1\n y obj -3 c 1\n", after="QMATRIX\n x x 2\n x y 1\n y x 1\n y y 2\n"), -3),
    "QCMATRIX": (mps(right=" R c 6\n", after="QCMATRIX c\n x x 1\n y y 1\n"), -4),
    "continuous": (mps(columns=" x obj -1 c 1\n y obj -2 c 4\n", marked=False), -3.5),
}  # fmt: skip

REFUSED = {
    "a row twice": (mps(rows=" N obj\n L c\n G c\n"), "line 5: a second row 'c'"),
    "a column twice": (mps(columns=" x obj -1\n y obj -2 c 1\n x c 1\n"), "line 9: a second column 'x'"),
    "an entry twice": (mps(columns=" x obj -1 c 1\n x c 2\n y c 1\n"), "line 8: a second number of column 'x' in row 'c'"),  # noqa: E501
    "a right side twice": (mps(right=" R c 4\n R c 3\n"), "line 12: a second right side of row 'c'"),
    "BV then UP": (mps(bounds=" BV B x\n UP B x 5\n"), "line 14: a second upper bound of 'x', the first in line 13"),
    "UP then BV": (mps(bounds=" UP B x 5\n BV B x\n"), "line 14: a second upper bound of 'x', the first in line 13"),
    "UP twice": (mps(bounds=" UP B x 5\n UP B x 3\n"), "line 14: a second upper bound"),
    "a negative upper bound alone": (mps(bounds=" UP B x -1\n"), "line 13: 'x' is at most -1 and has no lower bound"),
    "bounds that exclude": (mps(bounds=" LO B x 3\n UP B x 2\n"), "line 7: 'x' lies from 3 to 2"),
    "a row that nothing meets": (mps(rows=" N obj\n L c\n G e\n", right=" R c 4 e 1\n"), "line 5: constraint 'e' asks"),
    "an unknown row": (mps(right=" R d 4\n"), "line 11: a row 'd'"),
    "an unknown row of a column": (mps(columns=" x obj -1 d 1\n"), "line 7: a row 'd'"),
    "an unknown column": (mps(bounds=" UP B z 4\n"), "line 13: a bound of 'z'"),
    "an unknown section": (mps(after="SOS\n S1 s\n"), "line 15: 'SOS', expected one of the sections NAME"),
    "an indicator of no row": (mps(after="INDICATORS\n IF z x 1\n"), "line 16: a row 'z', expected one of"),
    "an indicator of the objective": (mps(after="INDICATORS\n IF obj x 1\n"), "line 16: an indicator of the row 'obj' of kind N"),  # noqa: E501
    "an indicator of no column": (mps(after="INDICATORS\n IF c z 1\n"), "line 16: an indicator 'z', expected a column"),
    "an indicator of 2": (mps(after="INDICATORS\n IF c x 2\n"), "line 16: 'IF c x 2', expected IF, a row"),
    "two indicators of a row": (mps(after="INDICATORS\n IF c x 1\n IF c y 1\n"), "line 17: a second indicator of row 'c'"),  # noqa: E501
    "an indicator of no binary": (mps(after="INDICATORS\n IF c x 1\n"), "line 4: the indicator 'x' is not binary"),
    "semicontinuous": (mps(bounds=" SC B x 3\n"), "line 13: the semicontinuous variable 'x'"),
    "a second section": (mps(after="RHS\n R c 3\n"), "line 15: a second section RHS, the first in line 10"),
    "a misspelt sense": (mps(before="OBJSENSE\n MXA\n"), "line 3: OBJSENSE 'MXA'"),
    "no end": (mps(end=""), "line 14: the file ends, expected a line ENDATA"),
    "cut within a line": (mps()[:60], "line 7: "),
    "no number": (mps(right=" R c four\n"), "line 11: 'four', expected a number"),
    "an infinite number": (mps(right=" R c inf\n"), "line 11: 'inf', expected a finite number"),
    "INTEND alone": (mps(columns=" M 'MARKER' 'INTEND'\n" + POSITIVE, marked=False), "line 6: marker 'INTEND'"),
    "a set's name now and then": (mps(right=" R c 4\n", rows=" N obj\n L c\n L d\n").replace("BOUNDS", "  d 3\nBOUNDS"), "line 13: a set with"),  # noqa: E501
    "QMATRIX of one half": (mps(after="QMATRIX\n x y 1\n"), "line 16: 1 for 'x' and 'y' and another number"),
    "no columns": ("NAME\nROWS\n N o\nRHS\nENDATA\n", "holds no variables"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_files_are_read_as_most_readers_do(tmp_path, name):
    text, best = READ[name]
    (tmp_path / "a.mps").write_text(text)
    assert certify_model(read_program(tmp_path / "a.mps"), 10).objective == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_one_meaning_is_refused_with_its_line(tmp_path, name):
    text, message = REFUSED[name]
    (tmp_path / "a.mps").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_program(tmp_path / "a.mps")


def test_what_is_left_out_is_noted(tmp_path):
    rows = " N obj\n N more\n L c\n"
    (tmp_path / "a.mps").write_text(mps(rows=rows, right=" A c 4\n Z c 3\n", end="ENDATA\nmore\n"))
    _, notes = read_with_notes(tmp_path / "a.mps")
    assert any(note.startswith("line 13: the set 'Z' of RHS is left out") for note in notes)
    assert any(note.startswith("line 4: the row 'more' is of kind N") for note in notes)
    assert any("what follows ENDATA" in note for note in notes)


def test_names_with_spaces_are_read_in_fixed_columns(tmp_path):
    fixed = [
        "NAME          t", "ROWS", " N  COST", " L  LIM A", "COLUMNS",
        "    M         'MARKER'                 'INTORG'",
        "    X ONE     COST                -1   LIM A                1",
        "    Y TWO     COST                -2   LIM A                1",
        "    M         'MARKER'                 'INTEND'",
        "RHS", "    RHS       LIM A                4", "BOUNDS",
        " UP BND       X ONE                3", " UP BND       Y TWO                2", "ENDATA",
    ]  # fmt: skip
    (tmp_path / "a.mps").write_text("\n".join(fixed) + "\n")
    model, notes = read_with_notes(tmp_path / "a.mps")
    assert (model.labels, [c.name for c in model.constraints]) == (["X ONE", "Y TWO"], ["LIM A"])
    assert certify_model(model, 10).objective == -6
    assert any("fixed columns" in note for note in notes)


def test_a_refusal_is_one_of_the_format(tmp_path):
    (tmp_path / "a.mps").write_text(mps(end=""))
    with pytest.raises(FormatError):
        read_program(tmp_path / "a.mps")
