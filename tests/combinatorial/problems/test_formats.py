"""Which format a file is in is found from its content: every reader takes its own files and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from qloom.combinatorial.problems.formats import FORMATS, _takes, read_problem
from qloom.errors import ProblemError

INSTANCES = Path(__file__).resolve().parents[4] / "shared" / "instances"
shared = pytest.mark.skipif(not INSTANCES.is_dir(), reason="../shared/instances is absent")


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
        ("knapsack_mkp/OR5x100-0.25_1.dat", "knapsack"),
        ("portfolio/port1.txt", "portfolio"),
        ("jssp/instances/ft06", "job_shop"),
        ("fjssp/Mk01.fjs", "flexible_job_shop"),
        ("rcpsp/j301_1.sm", "project_scheduling"),
    ],
)
def test_files_are_told_apart(path, format):
    assert [name for name in FORMATS if _takes(name, INSTANCES / path)] == [format]


def test_a_file_that_fits_two_formats_must_be_named(tmp_path):
    """Nine numbers: two objects with flows and distances, or two facilities and a customer."""
    (tmp_path / "a.txt").write_text("2\n1 2\n3 4\n0 1\n1 0\n")
    with pytest.raises(ProblemError, match="may be facility_location or quadratic_assignment; name its format"):
        read_problem(tmp_path / "a.txt")
    assert read_problem(tmp_path / "a.txt", format="quadratic_assignment").model.n == 4
