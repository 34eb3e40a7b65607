"""Tests of real tables and instances, which run wherever these are found."""

from __future__ import annotations

import pytest

from benchmarks.shared import INSTANCES

shared = pytest.mark.skipif(
    not INSTANCES.is_dir(),
    reason="no folder shared/ with real instances beside or above the checkout; name one: make test SHARED=FOLDER",
)
