"""Detectors of river on losses: its own documented stream, no alarm without a change, an alarm with one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from qloom.data.drift import LossSummary
from qloom.watching.loss_over_time import watch_losses
from qloom.watching.resampling import difference_interval

river = pytest.importorskip("river")


def test_adwin_fires_once_on_rivers_documented_stream():
    """At 1023, as river's documentation has it for 0.26."""
    drawn = random.Random(12345)
    stream = drawn.choices([0, 1], k=1000) + drawn.choices(range(4, 8), k=1000)
    found = watch_losses(np.array(stream, dtype=float), np.zeros(2000, dtype=bool), None, 0.05)
    assert [each["row"] for each in found["adwin"]] == [1023]
    assert found["risen"]
    assert found["adwin"][0]["after"] > found["adwin"][0]["before"]


def test_losses_that_stay_raise_no_alarm():
    """ADWIN gave none in 80 such streams; the comparison has a false alarm in 1 of 100."""
    losses = np.random.default_rng(3).exponential(0.3, 2000)
    found = watch_losses(losses, losses > 1.5, LossSummary.of(np.random.default_rng(4).exponential(0.3, 2000)), 0.01)
    assert not found["risen"]
    assert sum(block["n"] for block in found["blocks"]) == 2000


def test_a_rise_against_held_out_rows_is_seen_though_nothing_changes_within():
    losses = np.random.default_rng(3).exponential(0.6, 500)
    found = watch_losses(losses, np.zeros(500, dtype=bool), LossSummary(500, 0.3, 0.3), 0.05)
    assert found["rise"][1] > 0
    assert found["risen"]
    assert not found["ddm"]


def test_misses_that_become_frequent_are_seen_by_ddm():
    chance = np.random.default_rng(5).random(1500)
    missed = chance < np.where(np.arange(1500) < 800, 0.1, 0.6)
    found = watch_losses(missed.astype(float), missed, None, 0.05)
    assert 800 <= found["ddm"][0] < 900


def test_intervals_of_differences_cover():
    """Of 60 intervals of 95% fewer than 48 cover with probability below 1e-5."""
    random_ = np.random.default_rng(0)
    iid = [difference_interval(random_.normal(0.1, 1, 200), k, in_order=False) for k in range(60)]
    assert sum(low < 0.1 < high for low, high in iid) >= 48


def test_blocks_widen_intervals_of_neighbours_that_are_alike():
    noise, walk = np.random.default_rng(1).normal(size=2000), np.zeros(2000)
    for k in range(1, 2000):
        walk[k] = 0.9 * walk[k - 1] + noise[k]
    (a, b), (c, d) = (difference_interval(walk, 0, in_order=order) for order in (False, True))
    assert d - c > 1.8 * (b - a)
