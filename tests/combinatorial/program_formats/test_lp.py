"""LP files: small ones, each with the model that most readers find, or its refusal with the line."""

from __future__ import annotations

import sys

import pytest

from qloom.combinatorial import solver_process
from qloom.combinatorial.certificates import certify_model
from qloom.combinatorial.program_files import read_program, read_with_notes
from qloom.errors import ProblemError


def lp(
    objective="max\n obj: x + 2 y\n", rows="subject to\n c: x + y <= 4\n", bounds="bounds\n x <= 3\n y <= 2\n",
    kinds="general\n x y\n", end="end\n", before="",
):  # fmt: skip
    """Maximize x + 2y, x + y <= 4, x <= 3, y <= 2: 6 at (2, 2)."""
    return before + objective + rows + bounds + kinds + end


READ = {
    "plain": (lp(), 6),
    "a comment that begins with a sense": (lp(before="\\ maximizes\n", objective="min\n obj: -x - 2 y\n"), -6),
    "a comment of one line": (lp(before="\\* maximize this *\\\n", objective="min\n obj: -x - 2 y\n"), -6),
    "Maximise": (lp(objective="Maximise\n obj: x + 2 y\n"), 6),
    "Minimise": (lp(objective="Minimise\n obj: - x - 2 y\n"), -6),
    "on one line": (lp(objective="MAXIMUM x + 2 y\n", rows="st c: x + y <= 4\n"), 6),
    "such that": (lp(rows="Such  That\n x + y <= 4\n"), 6),
    "s.t.": (lp(rows="s.t.\n x + y <= 4\n"), 6),
    "0x2 is no hexadecimal number": (lp(objective="max\n obj: 0x2 + x + 2 y\n", rows="st\n c: x + y + 0x2 <= 4\n"), 6),
    "a variable twice": (lp(rows="st\n c: x + 2 y + 3 x <= 8\n"), 5),
    "a variable twice in the objective": (lp(objective="max\n obj: x + 2 y + 3 x\n"), 14),
    "a constant on the left": (lp(objective="min\n obj: x + y\n", rows="st\n c: x + y + 3 >= 5\n"), 2),
    "a constant in the objective": (lp(objective="max\n obj: 10 + x + 2 y - 3\n"), 13),
    "a number on the left": (lp(rows="st\n c: 4 >= x + y\n"), 6),
    "numbers on both sides": (lp(objective="min\n obj: x + 2 y\n", rows="st\n c: 1 <= x + y <= 4\n"), 1),
    "numbers on both sides, turned": (lp(objective="min\n obj: x + 2 y\n", rows="st\n c: 4 >= x + y >= 1\n"), 1),
    "=<": (lp(rows="st\n c: x + y =< 4\n"), 6),
    "<": (lp(rows="st\n c: x + y < 4\n"), 6),
    "=>": (lp(rows="st\n c: - x - y => -4\n"), 6),
    "two signs": (lp(rows="st\n c: x + - y <= 0\n"), 6),
    "a product with a number": (lp(objective="max\n obj: 1 * x + 2 * y\n"), 6),
    "3x": (lp(objective="max\n obj: 3x + 2y\n"), 11),
    "1e1x": (lp(objective="max\n obj: 1e1x + 2y\n"), 32),
    "2e1 is a number": (lp(objective="max\n obj: x + 2e1\n"), 23),
    "e1 is a name": (lp().replace("y", "e1"), 6),
    "names that begin as infinity and nan": (lp().replace(" x", " infl").replace(" y", " nano"), 6),
    "names with brackets": (lp().replace(" x", " x(1,2)").replace(" y", " y[2]"), 6),
    "no bounds": (lp(bounds=""), 8),
    "free below": (lp(objective="min\n obj: x + 2 y\n", rows="st\n c: x + y >= -4\n", bounds="bounds\n x free\n y <= 2\n"), -4),  # noqa: E501
    "half free": (lp(objective="min\n x + 2 y\n", rows="st\n x + y >= -4\n", bounds="bounds\n -inf <= x <= 3\n y <= 2\n"), -4),  # noqa: E501
    "an infinite bound": (lp(bounds="bounds\n x <= +infinity\n y <= 2\n"), 6),
    "fractional bounds": (lp(bounds="bounds\n 0.5 <= x <= 2.7\n y <= 2\n", rows="st\n x + y <= 7\n"), 6),
    "bounds twice": (lp(bounds="bounds\n x <= 3\n x <= 1\n y <= 2\n"), 5),
    "turned bounds": (lp(bounds="bounds\n 3 >= x >= 1\n 2 >= y\n"), 6),
    "wider bounds beside a binary": (lp(bounds="bounds\n x <= 5\n y <= 2\n", kinds="general\n y\nbinary\n x\n"), 5),
    "narrower bounds beside a binary": (lp(bounds="bounds\n x = 0\n y <= 2\n", kinds="general\n y\nbinary\n x\n"), 4),
    "a name of two rows": (lp(rows="st\n c: x + y <= 4\n c: x + y <= 3\n"), 5),
    "names of two cases": (lp().replace("y", "X"), 6),
    "an empty objective": (lp(objective="max\n obj:\n"), 0),
    "no rows": (lp(rows=""), 7),
    "a row of a number": (lp(rows="st\n c: 0 <= 4\n x + y <= 4\n"), 6),
    "a label like a sense": (lp(objective="max\n max: x + 2 y\n"), 6),
    "kinds before bounds": (lp(bounds="", kinds="general\n x y\nbounds\n x <= 3\n y <= 2\n"), 6),
    "squares in the objective": (lp(objective="max\n 3 x + 3 y - [ 2 x^2 + 2 x * y + 2 y ^ 2 ] / 2\n"), 3),
    "squares in a row": (lp(rows="st\n c: x + y + [ x ^2 + y ^2 ] <= 6\n"), 4),
    "half of squares in a row": (lp(rows="st\n c: x + y + [ x ^2 + y ^2 ] / 2 <= 6\n"), 5),
    "an empty section of a kind that is refused": (lp(end="semi\nend\n"), 6),
    "continuous": (lp(rows="st\n c: x + 4 y <= 4\n", kinds=""), 3.5),
}  # fmt: skip

REFUSED = {
    "text before": (lp(before="hello\n"), "line 1: 'hello', expected a line Maximize or Minimize first"),
    "a comment of two lines": (lp(before="\\* a\n comment *\\\n"), "line 2: a comment of several lines"),
    "a misspelt sense": (lp(objective="Maxmize\n obj: x + 2 y\n"), "line 1: 'Maxmize'"),
    "another format": ("max: x + 2 y;\nc: x + y <= 4;\n", "line 1: 'max', expected a line Maximize"),
    "no end": (lp(end=""), "line 9: the file ends, expected a section, and End as the last line"),
    "after the end": (lp(end="end\nbounds\n"), "line 11: a section begins, expected nothing after End"),
    "a section within a line": (lp(objective="max x + 2 y st\n"), "line 1: 'st'"),
    "a word of the format as a name": (lp().replace("y", "bin"), "line 2: a variable 'bin'"),
    "variables on the right": (lp(rows="st\n c: x <= y\n"), "line 4: 'y', expected a number; variables stand on the left"),  # noqa: E501
    "a sum on the right": (lp(rows="st\n c: x + y <= 4 + x\n"), "line 4: '\\+', expected the end of the row"),
    "two numbers": (lp(objective="max\n obj: 3 4 x\n"), "line 2: '4', expected a variable or a sign"),
    "general and binary": (lp(kinds="general\n x y\nbinary\n x\n"), "line 11: 'x' is binary and in line 9 general"),
    "binary and general": (lp(kinds="binary\n x\ngeneral\n x y\n"), "line 11: 'x' is general and in line 9 binary"),
    "a binary from 2": (lp(bounds="bounds\n x >= 2\n", kinds="binary\n x\n"), "line 8: 'x' lies from 2 to 1"),
    "a negative upper bound": (lp(bounds="bounds\n x <= -1\n"), "'x' lies from 0 to -1"),
    "an unknown integer": (lp(kinds="general\n x y z\n"), "line 9: 'z', expected variables of the rows"),
    "a bound with a coefficient": (lp(bounds="bounds\n 2 x <= 6\n"), "line 6: 'x', expected <=, >= or ="),
    "a bound of a sum": (lp(bounds="bounds\n x + y <= 3\n"), "line 6: '\\+', expected <=, >= or ="),
    "no right side": (lp(rows="st\n c: x + y <=\n d: x <= 4\n"), "line 5: 'd', expected a number"),
    "no row": (lp(rows="st\n c:\n d: x <= 4\n"), "line 5: 'd', expected a number or a variable"),
    "parentheses": (lp(rows="st\n c: 2 ( x + y ) <= 8\n"), "line 4: '\\('"),
    "a division": (lp(rows="st\n c: x / 2 <= 8\n"), "line 4: '/'"),
    "squares without / 2": (lp(objective="max\n obj: x + [ x ^ 2 ]\n"), "line 2: \\[ \\] of an objective without / 2"),
    "cubes": (lp(objective="max\n obj: [ x ^ 3 ] / 2\n"), "line 2: '3', expected \\^ 2"),
    "a second objective": (lp(objective="max\n obj: x\nmin\n obj: y\n"), "line 3: a second objective"),
    "SOS": (lp(end="sos\n s: S1:: x:1 y:2\nend\n"), "line 10: the section 'sos'"),
    "semicontinuous": (lp(end="semi-continuous\n x\nend\n"), "line 10: the section 'semi-continuous'"),
    "lazy constraints": (lp(end="Lazy Constraints\n x <= 1\nend\n"), "line 10: the section 'lazy constraints'"),
    "general constraints": (lp(end="General Constraints\n x = max(y)\nend\n"), "line 11: .*, expected a number"),
    "an indicator of no binary": (lp(rows="st\n d: y = 1 -> x <= 1\n c: x + y <= 4\n"), "line 4: the indicator 'y' is not binary"),  # noqa: E501
    "an indicator of 2": (lp(rows="st\n d: b = 2 -> x <= 1\n", kinds="binary\n b\n"), "line 4: b = 2 ->, expected a binary"),  # noqa: E501
    "an equivalence": (lp(rows="st\n d: b = 1 <-> x <= 1\n", kinds="binary\n b\n"), "line 4: <->, expected ->"),
    "an indicator without bounds": (lp(rows="st\n c: x <= 4\n d: b = 1 -> w <= 1\n", kinds="binary\n b\n"), "line 5: 'w' has no upper bound"),  # noqa: E501
    "an indicator of wide bounds": (lp(rows="st\n d: b = 1 -> w <= 1\n", bounds="bounds\n w <= 1e9\n", kinds="binary\n b\n"), "line 4: an indicator's row of continuous variables may pass its limit by 1e\\+09"),  # noqa: E501
    "a general constraint": (lp(rows="st\n c: x + y <= 4\ngeneral constraints\n d: x + y <= 4\n"), "line 6: a general constraint, expected rows"),  # noqa: E501
    "a maximum": (lp(rows="st\n c: x + y <= 4\ngeneral constraints\n d: x = MAX ( y , 1 )\n"), "line 6: 'MAX', expected a number"),  # noqa: E501
    "an infinite right side": (lp(rows="st\n c: x + y <= inf\n"), "line 4: 'inf', expected a number"),
    "a large number": (lp(rows="st\n c: x + y <= 1e300\n"), "line 4: '1e300', expected a finite number"),
    "squares of continuous variables": (lp(objective="max\n [ x ^ 2 ] / 2\n", kinds=""), "the product of 'x' and 'x', which"),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_files_are_read_as_most_readers_do(tmp_path, name):
    text, best = READ[name]
    (tmp_path / "a.lp").write_text(text)
    assert certify_model(read_program(tmp_path / "a.lp"), 10).objective == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_one_meaning_is_refused_with_its_line(tmp_path, name):
    text, message = REFUSED[name]
    (tmp_path / "a.lp").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_program(tmp_path / "a.lp")


def test_the_sense_and_sign_of_the_file_are_kept(tmp_path):
    (tmp_path / "a.lp").write_text(lp())
    model = read_program(tmp_path / "a.lp")
    assert (model.sense, float(model.objective([2, 2]))) == ("max", 6)


def test_bounds_are_found_or_asked_for(tmp_path):
    """From a row, from other variables' bounds, and from what a solution costs."""
    text = "min\n x + y + 3 z\nst\n a: x + y >= 3\n b: 2 z - w <= 1\n c: w <= 4\n z + x >= 1\ngeneral\n x y z w\nend\n"
    (tmp_path / "a.lp").write_text(text)
    model, notes = read_with_notes(tmp_path / "a.lp")
    assert certify_model(model, 10).objective == 3
    upper = dict(zip(model.labels, model.upper.tolist(), strict=True))
    assert (upper["z"], upper["w"]) == (2, 4)
    assert upper["x"] >= 3
    assert any("found from the constraints and the cost of a solution" in note for note in notes)
    (tmp_path / "b.lp").write_text("max\n x\nst\n a: x - y <= 3\ngeneral\n x y\nend\n")
    with pytest.raises(ProblemError, match="line 6: 'x' has no upper bound and the constraints give none"):
        read_program(tmp_path / "b.lp")


def test_a_variable_of_no_row_is_noted(tmp_path):
    (tmp_path / "a.lp").write_text(lp(bounds="bounds\n x <= 3\n y <= 2\n z <= 7\n"))
    assert "line 8: 'z' stands in no row and not in the objective" in read_with_notes(tmp_path / "a.lp")[1]


def test_a_constant_and_slacks_that_writers_make_variables_are_none(tmp_path):
    """What solvers write: an objective's constant as a variable fixed to 1, a range as a slack with bounds."""
    text = "max\n x + 2 y + 5 one\nst\n r: x + y - Rgr = 0\nbounds\n one = 1\n 1 <= Rgr <= 4\n x <= 3\n y <= 2\n"
    (tmp_path / "a.lp").write_text(text + "general\n x y\nend\n")
    model = read_program(tmp_path / "a.lp")
    assert (model.labels, model.constant, model.is_whole.all()) == (["x", "y"], 5, True)
    assert sorted((c.comparison, c.right) for c in model.constraints) == [("<=", 4), (">=", 1)]
    assert certify_model(model, 10).objective == 11


def test_letters_of_latin_1_are_read(tmp_path):
    (tmp_path / "a.lp").write_bytes(lp(before="\\ Gr\u00f6\u00dfe\n").replace(" x", " gr\u00fcn").encode("latin-1"))
    model = read_program(tmp_path / "a.lp")
    assert (model.labels, certify_model(model, 10).objective) == (["gr\u00fcn", "y"], 6)


def test_a_crash_of_the_solver_that_bounds_a_variable_is_said(tmp_path, monkeypatch):
    """Without the solver's process, x has no bound; with it, the other variable's price gives one."""
    path = tmp_path / "a.lp"
    path.write_text("Minimize\n x + y\nSubject To\n c: x + y >= 3\nGeneral\n x y\nEnd\n")
    assert certify_model(read_program(path), 10).objective == 3
    solver_process._PROCESSES.end()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(
        ProblemError,
        match=r"a.lp, line 6: HiGHS was asked for a bound of 'x': the solver's process could not be started",
    ):
        read_program(path)
