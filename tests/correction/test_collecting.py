"""Collecting on several processes: the same experiments, in order, within intervals of our own runs."""

from math import sqrt

import pytest

from qloom.correction import collect, memory_experiment
from qloom.errors import ConfigError


def test_collected_rates_are_those_of_our_own_runs():
    experiments = [memory_experiment("repetition", distance=3, noise=0.03),
                   memory_experiment("color", distance=3, noise=0.005),
                   memory_experiment("rotated_surface", distance=3, noise=0.02)]  # fmt: skip
    found = collect(experiments, max_shots=4_000, workers=2)
    for experiment, one in zip(experiments, found, strict=True):
        own = experiment.run(20_000, seed=1)
        assert one.shots == 4_000
        assert (one.code, one.distance, one.decoder) == (own.code, own.distance, own.decoder)
        # Four standard errors: three right rates miss in 2e-4 of all calls.
        p = own.error_rate
        assert abs(one.error_rate - p) < 4 * sqrt(p * (1 - p) * (1 / 4_000 + 1 / 20_000))


def test_refusals():
    with pytest.raises(ConfigError, match="got str, expected experiments"):
        collect(["repetition"], max_shots=10)
    with pytest.raises(ConfigError, match="Chromobius"):
        collect([memory_experiment("color", distance=3, noise=0.01)], max_shots=10, correlated=True)
