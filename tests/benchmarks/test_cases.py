"""Cases are measured, named and written as promised."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import cases, results
from benchmarks.cases import Case, describe, run_case


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    return tmp_path


def nothing():
    return lambda: None


def seven():
    return lambda: 7


TIMED = Case("nothing", {"n": 1}, nothing, goal=1000.0, goal_fraction=0.6, threads=1, multiply_adds=1.0, seconds=0.01)
RETURNED = Case("seven", {"n": 1}, seven, "states", goal=3, threads=1)


def test_a_case_in_milliseconds_is_timed():
    row = run_case(TIMED)
    assert 0 < row["minimum"] <= row["median"] < 1000
    assert "goal 60% MISSED" in describe(row)


def test_a_case_in_another_unit_gives_its_figure():
    row = run_case(RETURNED)
    assert (row["median"], row["unit"], row["fraction"]) == (7, "states", None)
    assert "goal 3 MISSED" in describe(row)


def test_the_hash_names_what_is_measured_not_how_well():
    assert TIMED.hash == replace(TIMED, goal=1.0, seconds=9.0).hash
    assert TIMED.hash != replace(TIMED, threads=2).hash


def test_rows_are_appended_and_the_newest_counts(folder):
    for _ in range(2):
        cases.run("some", [TIMED, RETURNED], ["--only", "seven"])
    rows = results.read_rows("some")
    assert [row["name"] for row in rows] == ["seven", "seven"]
    assert results.newest(rows, lambda row: row["case"]) == [rows[1]]


def test_a_dry_run_writes_nothing(folder):
    cases.run("some", [RETURNED], ["--dry"])
    assert not list(folder.iterdir())


def test_rows_of_other_columns_are_refused(folder):
    results.append_row("some", {"a": 1})
    with pytest.raises(ValueError, match="move the file away"):
        results.append_row("some", {"b": 1})


def test_every_file_of_the_engine_has_cases_with_names_of_their_own():
    from importlib import import_module

    from benchmarks.page import areas

    found = [case for area in areas() for case in import_module(f"benchmarks.engine.{area}").CASES]
    assert len(found) > 40
    assert len({case.hash for case in found}) == len(found)
