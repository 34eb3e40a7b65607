"""Limits and timings: what they count, and what they refuse."""

from __future__ import annotations

import time

import pytest

from qloom import _native
from qloom.benchmarking import CACHE_BYTES, copy_rate, fma_rate, measure


@pytest.mark.parametrize("threads", [1, 2])
def test_rates_are_those_of_a_processor(threads):
    assert 1e8 < fma_rate(threads, 0.01) < 1e14
    assert 1e8 < copy_rate(threads, CACHE_BYTES, 0.01) < 1e14


@pytest.mark.parametrize(("threads", "seconds"), [(0, 0.1), (1, 0.0), (1, float("nan"))])
def test_senseless_measurements_are_refused(threads, seconds):
    with pytest.raises(ValueError, match="above 0"):
        _native.fma_rate(threads, seconds)
    with pytest.raises(ValueError, match="above 0"):
        _native.copy_rate(1024, threads, seconds)


def test_copying_needs_two_bytes():
    with pytest.raises(ValueError, match="2 or more"):
        _native.copy_rate(1, 1, 0.01)


def test_timing_of_a_known_duration():
    timing = measure(lambda: time.sleep(0.002), 1, seconds=0.03, least=3)
    assert 0.002 <= timing.minimum <= timing.median
    assert timing.repeats >= 3
    assert timing.fraction(timing.median * timing.fma_rate / 2) == pytest.approx(0.5)


def test_a_slow_function_is_called_as_often_as_asked_and_once_before():
    calls = []
    assert measure(lambda: calls.append(1), 1, seconds=0.0, least=4).repeats == 4
    assert len(calls) == 6
