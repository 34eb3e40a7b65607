"""`qloom solve`: a file in, an answer with a bound, numbers, a picture and a page out."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

ASSIGNMENT = "1\n2 3\n4 5 6\n1 2 3\n1 1 1\n2 2 2\n2 4\n"
"""Agent 0 gains more by every task, but takes only two: 5 + 6 + 1 = 12."""


def test_a_file_becomes_an_answer_with_its_files(qloom, tmp_path):
    (tmp_path / "tasks.txt").write_text(ASSIGNMENT)
    ended = qloom("solve", "tasks.txt", "--time-limit", 5, "--seed", 3)
    assert ended.code == 0, ended.err
    assert "tasks: GeneralizedAssignment\n12, proven optimal" in ended.out
    assert "All 2 constraints hold." in ended.out
    for stage in ("coarse", "fine", "certificate", "random solutions", "annealing alone", "exact solver alone"):
        assert f"\n{stage} " in ended.out
    folder = tmp_path / "solutions" / "tasks"
    record = json.loads((folder / "solution.json").read_text())
    assert (record["objective"], record["bound"], record["optimal"], record["seed"]) == (12, 12, True, 3)
    assert record["solution"] == {"tasks of agent": [[1, 2], [0]]}
    assert "\nseed 3\n" in ended.out
    assert record["violations"] == {"capacity of agent[0]": 0, "capacity of agent[1]": 0}
    assert ElementTree.parse(folder / "solution.svg").getroot().tag.endswith("svg")
    html = (folder / "report.html").read_text()
    for piece in ("12, proven optimal", "exact solver alone", "capacity of agent[1]", "data:image/svg+xml;base64,"):
        assert piece in html
    assert "http" not in html.replace("Content-Security-Policy", "").replace('http-equiv="', "")


def test_stages_can_be_left_out(qloom, tmp_path):
    (tmp_path / "tasks.txt").write_text(ASSIGNMENT)
    options = ("--no-certify", "--no-controls", "--coarse", "annealing", "--fine", "none", "--out", "here")
    ended = qloom("solve", "tasks.txt", "--time-limit", 1, *options)
    assert ended.code == 0, ended.err
    assert "no bound is proven" in ended.out
    assert "certificate" not in ended.out
    assert (tmp_path / "here" / "report.html").is_file()


def test_loads_that_are_not_whole_can_be_penalized_without_slack(qloom, tmp_path):
    (tmp_path / "tasks.txt").write_text(ASSIGNMENT.replace("1 1 1", "1 1 1.123456789").replace("2 4\n", "2.5 4\n"))
    words = ("solve", "tasks.txt", "--coarse", "annealing", "--time-limit", 1, "--no-controls")
    assert "use inequalities='unbalanced'" in qloom(*words).err
    ended = qloom(*words, "--inequalities", "unbalanced")
    assert (ended.code, "12, proven optimal" in ended.out) == (0, True), ended.err


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (None, (), "tasks.txt cannot be read"),
        ("", (), "tasks.txt is empty, expected a problem"),
        ("what is this", (), "tasks.txt is in none of the formats max_cut, "),
        (ASSIGNMENT + "x", ("--format", "generalized_assignment"), "line 8: 'x', expected the end of the file"),
        (ASSIGNMENT, ("--format", "sudoku"), "--format sudoku, expected 'auto' or one of max_cut"),
        ("2" + ASSIGNMENT[1:] + ASSIGNMENT[2:], (), "tasks.txt holds 2 problems, expected instance=1 to 2"),
        (ASSIGNMENT, ("--instance", "2"), "instance=2, expected 1"),
        (ASSIGNMENT, ("--time-limit", "0"), "time_limit=0.0, expected seconds above 0"),
        (ASSIGNMENT, ("--coarse", "magic"), "coarse='magic', expected 'auto'"),
        (ASSIGNMENT.replace("2 4\n", "0 4\n"), (), "agent[0]"),
    ],
)
def test_bad_input_is_one_line(qloom, tmp_path, text, words, message):
    if text is not None:
        (tmp_path / "tasks.txt").write_text(text)
    ended = qloom("solve", "tasks.txt", *words, *(() if "--time-limit" in words else ("--time-limit", 2)))
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 1
    assert message in ended.err


PROGRAM = """max
 obj: {objective}
subject to
 c: {row} <= 40
general
 {names}
end
"""


def test_a_model_of_many_variables_is_solved_the_same_way_twice(qloom, tmp_path):
    """Quietly: no warning of its picture, no search where the exact solver is there at once, the seed 0 by default."""
    names = [f"a_rather_long_name_of_a_variable_{k}" for k in range(60)]
    terms = {"objective": " + ".join(f"{k % 7 + 1} {name}" for k, name in enumerate(names)), "names": " ".join(names)}
    row = " + ".join(f"{k % 5 + 2} {name}" for k, name in enumerate(names))
    (tmp_path / "many.lp").write_text(PROGRAM.format(row=row, **terms))
    first, _ = (qloom("solve", "many.lp", "--time-limit", 20, "--out", name) for name in "ab")
    assert (first.code, first.err.strip()) == (0, "")
    assert "proven optimal; found by the stage 'certificate'" in first.out
    assert "left out: HiGHS had proven the optimum before" in first.out
    assert "QAOA" not in first.out
    assert "note: bounds of 'a_rather_long_name_of_a_variable_0'" in first.out
    assert "\nseed 0\n" in first.out
    records = [json.loads((tmp_path / name / "solution.json").read_text()) for name in "ab"]
    assert records[0]["solution"] == records[1]["solution"]
    assert (records[0]["objective"], records[0]["sense"]) == (records[1]["objective"], "max")


def test_a_refused_program_is_one_line_with_its_number(qloom, tmp_path):
    (tmp_path / "a.lp").write_text("Minimise this\n obj: x\nend\n")
    ended = qloom("solve", "a.lp")
    assert ended.code == 2
    assert "a.lp, line 2: 'obj', expected" in ended.err
    assert len(ended.err.strip().splitlines()) == 1
