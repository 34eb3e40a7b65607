"""Which format a file is in is found from its content: every reader takes its own files and no others."""

from __future__ import annotations

import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.formats import FORMATS, _tried, read_problem
from qloom.errors import ProblemError
from tests.shared import shared


@shared
@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("maxcut_gset/G14.txt", "max_cut"),
        ("qubo_bqp/bqp250-1.sparse.mc", "max_cut"),
        ("gap/gap1.txt", "generalized_assignment"),
        ("facility_location/holmberg_p1.txt", "facility_location"),
        ("facility_location/delmaire_p1.txt", "facility_location"),
        ("qap/nug12.dat", "quadratic_assignment"),
        ("tsp/berlin52.tsp", "travelling_salesman"),
        ("cvrp/A-n32-k5.vrp", "vehicle_routing"),
        ("knapsack_mkp/mknap1.txt", "knapsack"),
        ("knapsack_mkp/mknap2.txt", "knapsack"),
        ("knapsack_mkp/OR5x100-0.25_1.dat", "knapsack"),
        ("portfolio/port1.txt", "portfolio"),
        ("jssp/instances/ft06", "job_shop"),
        ("fjssp/Mk01.fjs", "flexible_job_shop"),
        ("rcpsp/j301_1.sm", "project_scheduling"),
    ],
)
def test_files_are_told_apart(path, format):
    assert [name for name in FORMATS if not isinstance(_tried(name, INSTANCES / path), ProblemError)] == [format]


def test_a_file_that_fits_two_formats_must_be_named(tmp_path):
    """Nine numbers: two objects with flows and distances, or two facilities and a customer."""
    (tmp_path / "a.txt").write_text("2 1\n10 10\n10 6\n1\n1 2\n")
    with pytest.raises(
        ProblemError, match="may be facility_location or quadratic_assignment, its numbers make a problem of each"
    ):
        read_problem(tmp_path / "a.txt")
    assert read_problem(tmp_path / "a.txt", format="quadratic_assignment").model.n == 4


SHOPS = {  # machines and durations in turn: a 2 by 3 shop has the numbers of a knapsack, 3 by 3 of a facility location
    "2 by 2": "2 2\n0 3 1 2\n1 4 0 5\n",
    "2 by 3": "2 3\n0 3 1 2 2 2\n1 4 2 1 0 5\n",
    "3 by 2": "3 2\n0 3 1 2\n1 4 0 5\n0 1 1 1\n",
    "3 by 3": "3 3\n0 3 1 2 2 2\n0 2 2 1 1 4\n1 4 2 3 0 1\n",
}


@pytest.mark.parametrize("shop", SHOPS)
def test_small_job_shops_are_known_by_their_lines(tmp_path, shop):
    (tmp_path / "a.txt").write_text(SHOPS[shop])
    assert type(read_problem(tmp_path / "a.txt")).__name__ == "JobShop"


@pytest.mark.parametrize(("shop", "other"), [("2 by 3", "knapsack"), ("3 by 3", "facility_location")])
def test_small_job_shops_without_lines_must_be_named(tmp_path, shop, other):
    first, _, rest = SHOPS[shop].partition("\n")
    (tmp_path / "a.txt").write_text(f"{first}\n" + rest.replace("\n", " "))
    with pytest.raises(ProblemError, match=rf"{other}.*expected format='{other}' or format='job_shop' to say which"):
        read_problem(tmp_path / "a.txt")
    assert type(read_problem(tmp_path / "a.txt", format="job_shop")).__name__ == "JobShop"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.lp",
            "min\n obj: x\nst\n c: x + y >= 3\nbinary\n x y\nend\n",
            "'c' asks for >= 3, its left side lies",
        ),
        ("a.lp", "min\n obj: x\nst\n c: x + y >=", "a.lp, line 4: the file ends, expected a number"),
        ("a.mps", "NAME\nROWS\n N COST\n", "a.mps, line 3: the file ends, expected a line ENDATA"),
        (
            "a.vrp",
            "NAME : a\nTYPE : CVRP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : EUC_2D\nCAPACITY : 5\nNODE_COORD_SECTION\n"
            "1 0 0\n2 1 1\n3 5 5\nDEMAND_SECTION\n1 0\n2 6\n3 1\nDEPOT_SECTION\n1\n-1\nEOF\n",
            "customer 1 has demand 6, a vehicle's capacity is 5",
        ),
    ],
)
def test_what_is_wrong_is_said_without_the_format_being_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_problem(tmp_path / name)
