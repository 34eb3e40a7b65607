"""All readers: what is no number is named with its line, and no count makes one run out of memory."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from qloom.combinatorial.problems.formats import FORMATS, read_problem
from qloom.errors import ProblemError
from tests.combinatorial.problems.test_project_scheduling import TEXT as PROJECT

TEXTS = {
    "max_cut": "4 3\n1 2 3\n2 3 -1\n3 4\n",
    "qubo": "3 4\n1 1 -5\n1 2 2\n2 3 2\n2 2 1\n",
    "generalized_assignment": "1\n2 3\n1 2 3\n4 5 6\n1 1 1\n2 2 2\n3 4\n",
    "knapsack": "3 2 0\n5 6 7\n1 2 3\n3 2 1\n4 4\n",
    "portfolio": "2\n.01 .1\n.02 .2\n1 1 1\n1 2 .5\n2 2 1\n",
    "graph_colouring": "c\thello\np edge 4 3\ne 1 2\ne 2 3\ne 3 4\n",
    "graph_partition": "\n4 3 1\n2 5\n1 5 3 2\n2 2 4 1\n3 1\n",
    "facility_location": "2 3\n10 10\n5 6\n1 2 3\n1 2\n3 4\n5 6\n",
    "quadratic_assignment": "2\n\n0 1\n1 0\n\n0 4\n4 0\n",
    "travelling_salesman": "TYPE: TSP\nDIMENSION: 3\nEDGE_WEIGHT_TYPE: EXPLICIT\nEDGE_WEIGHT_FORMAT: UPPER_ROW\n"
    "EDGE_WEIGHT_SECTION\n1 2\n3\nEOF\n",
    "vehicle_routing": "TYPE : CVRP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : EUC_2D\nCAPACITY : 5\nVEHICLES : 2\n"
    "NODE_COORD_SECTION\n1 0 0\n2 1 1\n3 5 5\nDEMAND_SECTION\n1 0\n2 4\n3 1\nDEPOT_SECTION\n1\n-1\nEOF\n",
    "job_shop": "# two jobs\n2 3\n0 3 1 4 2 5\n2 3 1 4 0 5\n",
    "flexible_job_shop": "2 3 1.5\n2 1 1 5 2 2 3 3 4\n1 2 1 5 2 6\n",
    "project_scheduling": PROJECT,
}
# Formats that do not say all.
NAMED = {"qubo": "qubo:min"}
# What is between white space, in no title and no rule.
NUMBER = r"(?<=[\s])(?<!R )-?\d*\.?\d+(?=\s)|\A\d+"


@pytest.mark.parametrize("format", TEXTS)
def test_every_number_is_checked_and_named_with_its_line(tmp_path, format):
    assert set(TEXTS) == set(FORMATS) - {"linear_program"}
    path, text = tmp_path / "a", TEXTS[format]
    path.write_text(text)
    read_problem(path, NAMED.get(format, format))
    for found in re.finditer(NUMBER, text):
        line = text[: found.start()].count("\n") + 1
        for word in ("1_0", "٣", "+nan", "1e300", "-1e300"):
            path.write_text(text[: found.start()] + word + text[found.end() :])
            with pytest.raises(ProblemError, match=rf"line {line}: '{re.escape(word)}'"):
                read_problem(path, NAMED.get(format, format))


@pytest.mark.parametrize("format", TEXTS)
def test_no_count_makes_room_for_more_than_the_file_holds(tmp_path, format):
    """A file that says it has millions is read at once or refused."""
    for found in re.finditer(NUMBER, TEXTS[format]):
        for word in ("9999999", "99999999999", "1e18"):
            (tmp_path / "a").write_text(TEXTS[format][: found.start()] + word + TEXTS[format][found.end() :])
            with suppress(ProblemError):
                read_problem(tmp_path / "a", NAMED.get(format, format))


def test_a_byte_that_hangs_parsers_is_refused(tmp_path):
    for name in ("a.lp", "a.mps", "a.txt"):
        (tmp_path / name).write_text("min\n obj: x\nbinary\n x\nend\n\0")
        with pytest.raises(ProblemError, match=f"{name}, line 6: a NUL byte, expected a text file"):
            read_problem(tmp_path / name)
