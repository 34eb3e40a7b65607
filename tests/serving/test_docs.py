"""The page's table of paths is whole."""

from __future__ import annotations

import re

from qloom.serving.guard import PATHS
from tests.learning.guides import guide


def test_all_paths_are_told():
    told = re.findall(r"^\| `(?:GET|POST) (/\w*)` \|", guide("serving").prose, flags=re.MULTILINE)
    assert set(told) == set(PATHS)
