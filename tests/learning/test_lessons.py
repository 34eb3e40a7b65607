"""Every lesson of the two roads runs as it is written, to its number, in under a minute."""

from __future__ import annotations

import re
import time

import pytest

from qloom.learning import ROADS, lessons
from tests.learning.whole_pages import run_whole

PAGES = [(road, page) for road in ROADS for page in lessons(road)]


@pytest.mark.parametrize(("road", "page"), PAGES, ids=[f"{road}-{page.path.stem}" for road, page in PAGES])
def test_it_ends_in_its_number(road, page, tmp_path):
    start = time.perf_counter()
    printed = run_whole(page, tmp_path)
    assert time.perf_counter() - start < 60
    prose = "\n".join(part.source for part in page.parts)
    (number,) = re.findall(r"\bnumber to reproduce\b[^*]*\*\*([-\d.,]+)\*\*", prose)
    assert number in printed
    assert page.exercises
    assert not list(tmp_path.iterdir()), "a lesson leaves no files"


@pytest.mark.parametrize("road", ROADS)
def test_each_road_has_six_lessons(road):
    assert [page.path.name[0] for page in lessons(road)] == list("123456")
