"""Engines by name: one line makes a new one known to configurations, with fields of its own."""

from dataclasses import dataclass

import numpy as np
import pytest

import qloom as ql
from qloom.engines import ReferenceEngine, Shots, StatevectorEngine
from qloom.engines.choice import ENGINES, EngineChoice, choose_engine, described
from qloom.engines.hardware import BudgetError
from qloom.errors import ConfigError
from qloom.noise import NoiseModel
from qloom.training.configuration import known_keys, make_configuration
from qloom.training.rendering import render_configuration


def values(engine):
    circuit = ql.Circuit(2)
    circuit.ry(0.7, 0).cx(0, 1)
    return ql.expectation(circuit, engine=engine)


def test_plain_values_make_engines():
    assert type(choose_engine().engine(threads=2)) is StatevectorEngine
    assert type(choose_engine({"name": "reference"}).engine()) is ReferenceEngine
    shots = choose_engine({"shots": 30, "seed": 1}).engine()
    assert type(shots) is Shots
    assert shots.shots == 30


def test_numbers_that_yaml_reads_as_text():
    propagation = choose_engine({"name": "propagation", "min_coefficient": "1e-3", "max_weight": 4}).engine(threads=3)
    assert repr(propagation) == "PropagationEngine(min_coefficient=0.001, max_weight=4, threads=3)"
    assert choose_engine({"name": "propagation", "min_coefficient": 0}).title == "cut sums of Pauli words"
    assert choose_engine({"name": "propagation", "min_coefficient": None}).title == "sums of Pauli words"
    with pytest.raises(ConfigError, match=r"engine\.min_coefficient='few', expected a number from 0 on"):
        choose_engine({"name": "propagation", "min_coefficient": "few"})


def test_a_seed_gives_streams_of_their_own():
    choice = choose_engine({"shots": 1000}).seeded(3)
    first, again, other = (values(choice.engine(stream)) for stream in ([0], [0], [1]))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert choose_engine({"shots": 1, "seed": 5}).seeded(3).seed == 5


def test_changes():
    choice = choose_engine({"shots": 30, "seed": 1})
    assert choice.changed({"shots": None}) == choose_engine({"seed": 1})
    assert choice.changed({"name": "reference"}) == choose_engine({"name": "reference", "shots": 30, "seed": 1})
    with pytest.raises(ConfigError, match=r"engine\.name is \[1\], expected one of statevector, reference"):
        choice.changed({"name": [1]})


def test_titles():
    texts = [{}, {"shots": 1}, {"shots": 1000}, {"name": "reference"}, {"name": "reference", "shots": 20}]
    assert [choose_engine(each).title for each in texts] == [
        "exact values", "1 shot a word", "1,000 shots a word", "engine reference",
        "20 shots a word on engine reference",
    ]  # fmt: skip
    assert [choose_engine(each).is_exact for each in texts] == [True, False, False, True, False]


def test_a_new_engine_is_one_entry(monkeypatch):
    @dataclass(frozen=True, kw_only=True)
    class Slow(EngineChoice):
        name: str = "slow"
        patience: int = described("seconds to wait", 5)

        def unmeasured(self, threads):
            return ReferenceEngine()

    monkeypatch.setitem(ENGINES, "slow", Slow)
    configuration = make_configuration(
        {"data": {"source": "a.csv", "target": "y"}}, ["engine.name=slow", "engine.patience=7"]
    )
    assert configuration.engine == Slow(patience=7)
    assert "  patience: 7  # seconds to wait\n" in render_configuration(configuration)
    assert "engine.patience" in set(known_keys())
    assert Slow(shots=3).changed({"name": "statevector"}) == choose_engine({"shots": 3})
    with pytest.raises(ConfigError, match=r"engine\.patience is no setting of the engine statevector, which has name"):
        choose_engine({"patience": 7})


def test_a_device_is_an_engine(tmp_path):
    given = {"name": "device", "device": "qloom exact", "shots": 500, "budget_shots": 600, "seed": 2}
    choice = choose_engine(given)
    assert choice.title == "500 shots a word on qloom exact"
    assert not choice.is_exact
    with pytest.raises(ConfigError, match=r"engine\.journal is empty, expected one: jobs that were paid"):
        choice.engine()
    kept = choice.kept_in(tmp_path)
    assert abs(values(kept.engine())[0] - np.cos(0.7)) < 6 / np.sqrt(500)
    assert (tmp_path / "jobs.sqlite").is_file()
    assert np.array_equal(values(kept.engine()), values(kept.engine()))  # of the journal
    with pytest.raises(BudgetError, match="500 shots is more than is left of 600"):
        values(kept.engine([1]))
    assert choose_engine({"shots": 30, "seed": 1}).changed(given | {"journal": "j"}).device == "qloom exact"
    for key in ("device", "shots", "budget_shots"):
        with pytest.raises(ConfigError, match=rf"engine\.{key} is empty"):
            choose_engine({name: value for name, value in given.items() if name != key})


def test_a_device_with_the_noise_of_a_file(tmp_path):
    (tmp_path / "noise.json").write_text(NoiseModel.uniform(0.0, 0.0, 0.25).to_json())
    given = {"name": "device", "device": f"qloom {tmp_path / 'noise.json'}", "shots": 2000, "budget_shots": 2000}
    found = values(choose_engine(given | {"seed": 1}).kept_in(tmp_path).engine())
    assert abs(found[0] - 0.5 * np.cos(0.7)) < 6 / np.sqrt(2000)


@pytest.mark.parametrize("name", ["statevector", "trajectories"])
def test_where_circuits_run(name):
    choice = choose_engine({"name": name, "device": "cuda:1"})
    assert choice.values()["device"] == "cuda:1"
    assert choice.is_exact == (name == "statevector")  # also where there is no such device
    assert choice.changed({"device": "cpu"}) == choose_engine({"name": name})
    assert choice.changed({"name": "density"}) == choose_engine({"name": "density"})


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", None, 3])
def test_a_place_that_is_none_is_refused(device):
    with pytest.raises(
        ConfigError, match=r"engine\.device is .*, expected cpu, cuda, or one of several such as cuda:1"
    ):
        choose_engine({"device": device})
