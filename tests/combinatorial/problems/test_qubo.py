"""Quadratic functions of bits in sparse files."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.problems.formats import read_problem
from qloom.combinatorial.problems.max_cut import read_max_cut
from qloom.combinatorial.problems.qubo import read_qubo
from qloom.errors import ProblemError

# -5 a + b + 4 a b + 4 b c, entries off the diagonal counting twice: least -5 at a alone, most 5 at b and c.
TEXT = "3 4\n1 1 -5\n1 2 2\n2 3 2\n2 2 1\n"


@pytest.mark.parametrize(("layout", "best"), [("min", -5), ("max", 5)])
def test_the_sense_is_named(tmp_path, layout, best):
    (tmp_path / "a.sparse").write_text(TEXT)
    problem = read_problem(tmp_path / "a.sparse", f"qubo:{layout}")
    assert problem.objective(problem.brute_force()) == best
    assert "count twice" in problem.notes[0]


def test_it_is_no_graph(tmp_path):
    (tmp_path / "a.sparse").write_text(TEXT)
    with pytest.raises(ProblemError, match="expected --format qubo:min or qubo:max to say whether"):
        read_problem(tmp_path / "a.sparse")
    with pytest.raises(ProblemError, match="line 2: an edge from node 1 to itself"):
        read_max_cut(tmp_path / "a.sparse")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT + "2 1 7\n", "line 6: a second value of 1 and 2"),
        (TEXT[:-6], "has 3 entries, expected 4 as its line 1 says"),
        (TEXT.replace("3 2", "4 2"), "line 4: '4', expected an integer from 1 to 3"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "a.sparse").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_problem(tmp_path / "a.sparse", "qubo:min")


def test_many_entries_are_read_as_quickly_as_said_with_their_line_where_one_is_wrong(tmp_path):
    pairs = [(i, j) for i in range(1, 61) for j in range(i, 61)]
    lines = [f"60 {len(pairs)}", *(f"{j} {i} {i - j}" for i, j in pairs)]
    path = tmp_path / "many.sparse"
    path.write_text("\n".join(lines))
    ones = np.ones(60, int)
    assert read_qubo(path, layout="min").objective(ones) == sum(2 * (i - j) for i, j in pairs if i < j)
    for k, wrong, said in ((700, "1 1 0", "a second value"), (900, "61 1 2", "61"), (901, "1.5 2 2", "1.5"),
                           (902, "60 60 x", "'x'"), (903, "60 60", "the file ends")):  # fmt: skip
        path.write_text("\n".join([*lines[:k], wrong, *lines[k + 1 :]]))
        with pytest.raises(ProblemError, match=f"line {k + 1}: .*{said}"):
            read_qubo(path, layout="min")
