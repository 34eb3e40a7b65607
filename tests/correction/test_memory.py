"""Memory experiments: Stim's own circuits, published error rates, and what cannot be asked for."""

from math import sqrt

import numpy as np
import pytest
import stim

from qloom.correction import GeneratorNoise, LayerNoise, code_capacity, memory_experiment
from qloom.correction.decoding import matching, merged
from qloom.errors import CircuitError, ConfigError, ExtraError

# Standard errors: with the normal approximation a right rate misses in 6e-5 of all seeds.
SIGMAS = 4


def near(found, asked, error=0.0):
    """Within four standard errors of both."""
    return abs(found.error_rate - asked) <= SIGMAS * sqrt(error**2 + asked * (1 - asked) / found.shots)


def test_numbers_are_all_four_arguments_of_stim():
    for basis in ("X", "Z"):
        experiment = memory_experiment("rotated_surface", distance=5, rounds=7, noise=0.003, basis=basis)
        assert experiment.circuit == stim.Circuit.generated(
            f"surface_code:rotated_memory_{basis.lower()}", distance=5, rounds=7, after_clifford_depolarization=0.003,
            before_round_data_depolarization=0.003, before_measure_flip_probability=0.003,
            after_reset_flip_probability=0.003,
        )  # fmt: skip


def test_mappings_are_some_of_them():
    noise = {"before_round_data_depolarization": 0.03, "before_measure_flip_probability": 0.02}
    experiment = memory_experiment("repetition", distance=3, rounds=5, noise=noise)
    assert experiment.circuit == stim.Circuit.generated("repetition_code:memory", distance=3, rounds=5, **noise)
    assert experiment == memory_experiment("repetition", distance=3, rounds=5, noise=GeneratorNoise(**noise), basis="z")
    assert memory_experiment("repetition", distance=7, noise=0.1).rounds == 7


# Published, with standard errors: code, distance, rounds, basis, noise, shots, error rate, its error.
PHENOMENOLOGICAL = {"before_round_data_depolarization": 0.015, "before_measure_flip_probability": 0.01}
REPETITION = {"before_round_data_depolarization": 0.01, "before_measure_flip_probability": 0.01}
PUBLISHED = [
    ("rotated_surface", 3, 3, "X", 0.001, 100_000, 9.08e-4, 0.4e-4),
    ("rotated_surface", 3, 3, "X", 0.005, 20_000, 1.862e-2, 0.06e-2),
    ("rotated_surface", 3, 3, "X", 0.01, 20_000, 6.32e-2, 0.15e-2),
    ("rotated_surface", 5, 5, "X", 0.005, 20_000, 1.578e-2, 0.06e-2),
    ("rotated_surface", 5, 5, "X", 0.01, 5_000, 9.41e-2, 0.23e-2),
    ("repetition", 3, 9, "Z", REPETITION, 50_000, 4.16e-3, 0.28e-3),
    ("rotated_surface", 3, 3, "Z", PHENOMENOLOGICAL, 50_000, 1.425e-2, 0.05e-2),
    ("rotated_surface", 5, 5, "Z", PHENOMENOLOGICAL, 50_000, 5.2e-3, 0.2e-3),
    ("rotated_surface", 3, 12, "X", LayerNoise.uniform(0.001), 50_000, 7.07e-3, 0.22e-3),
    ("rotated_surface", 5, 20, "Z", LayerNoise.uniform(0.001), 50_000, 1.484e-3, 0.033e-3),
]


@pytest.mark.parametrize(("code", "distance", "rounds", "basis", "noise", "shots", "asked", "error"), PUBLISHED)
def test_published_error_rates(code, distance, rounds, basis, noise, shots, asked, error):
    experiment = memory_experiment(code, distance=distance, rounds=rounds, noise=noise, basis=basis)
    assert near(experiment.run(shots=shots, seed=3), asked, error)


@pytest.mark.slow
@pytest.mark.parametrize(("correlated", "asked"), [(False, 2.29e-4), (True, 7.58e-5)])
def test_published_error_rates_of_distance_7(correlated, asked):
    experiment = memory_experiment("rotated_surface", distance=7, rounds=28, noise=LayerNoise.uniform(0.001), basis="X")
    assert near(experiment.run(shots=1_000_000, seed=3, correlated=correlated), asked, asked / sqrt(1900))


@pytest.mark.slow
def test_published_error_rate_of_the_color_code():
    experiment = memory_experiment("color", distance=7, rounds=28, noise=LayerNoise.uniform(0.001), basis="Z")
    found = experiment.run(shots=20_000, seed=3)
    assert abs(found.error_rate - 0.0117859) < 0.15 * 0.0117859 + 3 * sqrt(0.0118 / 20_000)


@pytest.mark.parametrize(("code", "distance", "p"), [("repetition", 3, 0.1), ("repetition", 5, 0.2), ("color", 3, 0.05),
                                                     ("rotated_surface", 3, 0.1)])  # fmt: skip
def test_flips_of_data_alone_fail_as_often_as_by_enumeration(code, distance, p):
    # One round without errors of its own: flips are X or Y of a depolarizing channel.
    experiment = memory_experiment(
        code, distance=distance, rounds=1, noise={"before_round_data_depolarization": 1.5 * p}
    )
    assert near(experiment.run(40_000, 5), code_capacity(code, distance, p))


def test_a_seed_gives_the_same_shots():
    experiment = memory_experiment("rotated_surface", distance=3, noise=0.01)
    found = [experiment.run(5_000, seed).errors for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_correlations_find_more():
    # 51 and 92 errors are expected: fewer with correlations but for 4e-4 of all seeds.
    experiment = memory_experiment("rotated_surface", distance=5, rounds=20, noise=LayerNoise.uniform(0.001), basis="X")
    plain, correlated = (experiment.run(60_000, 7, correlated=flag) for flag in (False, True))
    assert correlated.errors < plain.errors
    assert correlated.decoder == "matching with correlations"


def test_parallel_errors_are_decoded_as_the_likelier():
    model = stim.DetectorErrorModel("error(0.1) D0\nerror(0.2) D0 L0\nerror(0.05) D0 D1 ^ D1\nerror(0.01) D1")
    decode = matching(model, correlated=False)
    assert decode(np.array([[1]], np.uint8)).tolist() == [[1]]
    together = merged(model)
    likelier = together[0]
    assert [str(target) for target in likelier.targets_copy()] == ["D0", "L0"]
    assert likelier.args_copy() == pytest.approx([0.1 * 0.8 + 0.2 * 0.9])
    assert sum(op.type == "error" for op in together) == 2 + 1


def test_a_model_without_parallel_errors_stays_as_it_is():
    model = memory_experiment("rotated_surface", distance=3, noise=0.01).error_model
    assert merged(model) == model.flattened()


@pytest.mark.parametrize(("changes", "error", "message"), [
    ({"distance": 4}, ConfigError, "distance=4 is even, expected an odd one.*take 3 or 5"),
    ({"distance": 1}, ConfigError, "distance=1, expected an odd integer from 3"),
    ({"distance": 3.0}, ConfigError, "distance=3.0"),
    ({"code": "toric"}, ConfigError, "code='toric', expected one of 'repetition'"),
    ({"basis": "Y"}, ConfigError, "basis='Y' of the rotated_surface code, expected 'Z' or 'X'"),
    ({"code": "repetition", "basis": "X"}, ConfigError, "expected 'Z'"),
    ({"rounds": 0}, CircuitError, "rounds=0"),
    ({"noise": 1.2}, ConfigError, "after_clifford_depolarization=1.2, expected a probability"),
    ({"noise": -0.1}, ConfigError, "expected a probability"),
    ({"noise": {"p": 0.1}}, ConfigError, "noise has the rate 'p', expected some of after_clifford"),
])  # fmt: skip
def test_refusals(changes, error, message):
    asked = {"code": "rotated_surface", "distance": 3, "noise": 0.01} | changes
    with pytest.raises(error, match=message):
        memory_experiment(**asked)


def test_the_color_code_is_not_matched():
    with pytest.raises(ConfigError, match="Chromobius decodes it"):
        memory_experiment("color", distance=3, noise=0.01).run(10, correlated=True)


def test_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "stim", None)
    with pytest.raises(ExtraError, match=r"pip install 'qloom\[correction\]'"):
        memory_experiment("repetition", distance=3, noise=0.01)
