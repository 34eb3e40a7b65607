"""Fits of randomized benchmarking: synthetic counts of a known decay, and recorded ones of a trapped-ion machine."""

import csv
import re

import numpy as np
import pytest

from benchmarks.noise.recorded import ENTANGLERS, SPEC, survival_counts
from qloom.errors import ShapeError
from qloom.noise import randomized_benchmarking
from tests.shared import shared

LENGTHS = np.repeat([2, 8, 32, 128], 10)


def test_probabilities_without_noise_give_the_decay_back():
    exact = 0.72 * 0.995**LENGTHS + 0.25
    found = randomized_benchmarking(LENGTHS, 1e6 * exact, 1e6, n_qubits=2)
    assert found.rate == pytest.approx(0.995, abs=1e-9)
    assert found.amplitude == pytest.approx(0.72, abs=1e-8)
    assert found.error(1.5) == pytest.approx(1 - (3 * 0.995 ** (1 / 1.5) + 1) / 4, abs=1e-9)
    assert randomized_benchmarking([1, 50], [99, 90], 100).error() == pytest.approx((1 - found_rate(1, 50, 99, 90)) / 2)


def found_rate(first, last, most, least):
    """Two lengths have one decay through both shares."""
    return ((least / 100 - 0.5) / (most / 100 - 0.5)) ** (1 / (last - first))


@pytest.mark.parametrize(("rate", "n_qubits"), [(0.995, 2), (0.9995, 1)])
def test_intervals_hold_the_truth_as_often_as_they_say(rate, n_qubits):
    """400 experiments of 95% intervals: outside 360 to 398 once in 70,000 if they hold it in 95%."""
    generator, floor, hits = np.random.default_rng(1), 1 / 2**n_qubits, 0
    truth = (1 - floor) * (1 - rate)
    for _ in range(400):
        counts = generator.binomial(100, (0.99 - floor) * rate**LENGTHS + floor)
        low, high = randomized_benchmarking(LENGTHS, counts, 100, n_qubits).interval()
        hits += low <= truth <= high
    assert 360 <= hits <= 398


def test_sequences_that_differ_widen_the_interval():
    generator = np.random.default_rng(2)
    chance = np.clip(0.48 * 0.99**LENGTHS + 0.5 + generator.normal(0, 0.05, len(LENGTHS)), 0, 1)
    found = randomized_benchmarking(LENGTHS, generator.binomial(1000, chance), 1000)
    assert found.dispersion > 5
    calm = randomized_benchmarking(LENGTHS, generator.binomial(1000, 0.48 * 0.99**LENGTHS + 0.5), 1000)
    assert found.rate_error > 2 * calm.rate_error


@pytest.mark.parametrize("counts", [
    ([1, 2], [3], 10), ([1, 1], [3, 3], 10), ([1, 2], [3, 11], 10), ([1, 2], ["a", 0], 10), ([[1], [2]], [[1], [1]], 3)
])  # fmt: skip
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ShapeError, match="expected"):
        randomized_benchmarking(*counts)


@pytest.mark.parametrize("counts", [[100, 100, 100], [99, 99, 100], [50, 50, 50], [51, 49, 50], [0, 0, 0]])
def test_survival_that_does_not_fall_is_refused(counts):
    with pytest.raises(ShapeError, match=r"fixes no decay to 0\.5; expected it to fall"):
        randomized_benchmarking([2, 8, 32], counts, 100)


def published():
    """Machine, day, kind -> value and standard error, as printed: 2.40(8)E-03."""
    rows = {}
    for row in csv.DictReader(SPEC.read_text().splitlines()):
        for kind in ("err2q", "err1q", "transport1q"):
            digits, error, power = re.fullmatch(r"([\d.]+)\((\d+)\)E(-\d+)", row[kind]).groups()
            unit = 10.0 ** (int(power) - len(digits.partition(".")[2]))
            rows[f"{row['machine']} {row['date']}", kind] = float(digits) * 10.0 ** int(power), int(error) * unit
    return rows


@shared
@pytest.mark.parametrize(("kind", "experiment"), [("err2q", "TQ_RB"), ("err1q", "SQ_RB"), ("transport1q", "Memory_RB")])
def test_recorded_counts_give_the_published_errors(kind, experiment):
    """Of every machine and day that has both: apart by at most twice the two standard errors together."""
    compared = 0
    for (day, which), (value, error) in published().items():
        counts = survival_counts(day, experiment) if which == kind else None
        if counts is None:
            continue
        found = randomized_benchmarking(*counts)
        gates = ENTANGLERS if kind == "err2q" else 1
        assert abs(found.error(gates) - value) <= 2 * np.hypot(found.error_of_error(gates), error), (day, kind)
        compared += 1
    assert compared >= 3
