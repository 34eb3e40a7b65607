"""Configurations: checked, with the nearest known key for an unknown one, and rendered so that they load back."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from qloom.engines.choice import ENGINES, fields_of
from qloom.errors import ConfigError
from qloom.models import HybridClassifier
from qloom.training.configuration import Configuration, known_keys, load_configuration, make_configuration
from qloom.training.rendering import render_configuration

DATA = {"data": {"source": "table.csv.gz", "target": "y"}}


def refusal(values, *changes):
    with pytest.raises(ConfigError) as caught:
        make_configuration(values, changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults():
    configuration = make_configuration(DATA)
    assert configuration.name == "table"
    assert configuration.folder.parts == ("runs", "table")


def test_defaults_are_those_of_the_estimator():
    configuration = make_configuration(DATA)
    expected = HybridClassifier().get_params()
    for name, value in {**configuration.model.model_dump(), **configuration.training.model_dump()}.items():
        assert value == expected[name]


@pytest.mark.parametrize(("key", "nearest"), [
    ("model.qubits", "model.n_qubits"), ("n_layer", "model.n_layers"), ("training.epoch", "training.epochs"),
    ("training.lerning_rate", "training.learning_rate"), ("sed", "seed"), ("data.traget", "data.target"),
    ("split.vaildation", "split.validation"), ("model.epochs", "training.epochs"),
])  # fmt: skip
def test_unknown_key_names_the_nearest(key, nearest):
    assert refusal(DATA, f"{key}=1") == f"unknown key {key!r}, did you mean {nearest!r}?"
    *sections, name = key.split(".")
    values = {**DATA, **({sections[0]: {**DATA.get(sections[0], {}), name: 1}} if sections else {name: 1})}
    assert refusal(values) == f"unknown key {key!r}, did you mean {nearest!r}?"


@pytest.mark.parametrize("key", ["zzz", "model.optimum", "training.cat", "x.y"])
def test_unknown_key_unlike_any_names_none(key):
    assert refusal(DATA, f"{key}=1") == f"unknown key {key!r}; qloom init writes a configuration with every key"


@pytest.mark.parametrize("change", [
    "model.n_qubits=0", "model.n_qubits=two", "training.epochs=0", "training.learning_rate=-1",
    "split.kind=odd", "split.test=1", "model.ansatz=ring", "seed=-1", "training.batch_size=1.5", "name=a/b",
])  # fmt: skip
def test_value_out_of_range(change):
    message = refusal(DATA, change)
    assert message.startswith(change.split("=")[0])
    assert "in the configuration" in message


def test_change_without_value_or_yaml():
    assert "expected key=value" in refusal(DATA, "training.epochs")
    assert "not YAML" in refusal(DATA, "training.epochs=[1")
    assert "expected a section" in refusal({**DATA, "training": 3}, "training.epochs=1")


def test_missing_target():
    assert "data.target is missing" in refusal({"data": {"source": "a.csv"}})
    assert "data is missing" in refusal({})


def test_a_section_is_no_key():
    message = refusal(DATA, "model=3")
    assert message.startswith("model is a section, expected one of its keys: model.n_qubits, ")


def test_engine_of_a_run():
    assert make_configuration(DATA).engine.engine().is_exact
    configuration = make_configuration(DATA, ["engine.shots=1000", "engine.seed=3"])
    assert configuration.engine.values() == {
        "name": "statevector", "noise": None, "shots": 1000, "seed": 3, "device": "cpu",
    }  # fmt: skip
    loaded = yaml.safe_load(render_configuration(configuration))
    assert loaded["engine"] == configuration.engine.values()
    assert make_configuration(loaded) == make_configuration(configuration.model_dump()) == configuration


@pytest.mark.parametrize(("change", "message"), [
    ("engine.name=anyons", "engine.name is 'anyons', expected one of statevector, reference, density"),
    ("engine.name=[1]", r"engine.name is \[1\], expected one of "),
    ("engine.shots=0", "engine.shots=0, expected an integer of at least 1"),
    ("engine.shots=many", "engine.shots='many', expected an integer"),
    ("engine.seed=-1", "engine.seed=-1, expected an integer of at least 0"),
    ("engine.shot=1", "unknown key 'engine.shot', did you mean 'engine.shots'"),
    ("engine=3", "engine is a section, expected one of its keys: engine.name, engine.noise, engine.shots"),
])  # fmt: skip
def test_engine_that_there_is_not(change, message):
    assert re.match(message, refusal(DATA, change))


def test_engine_of_another_kind_of_value():
    assert refusal({**DATA, "engine": 3}) == "engine is 3, expected keys with values such as shots: 1000"
    assert "no setting of the engine statevector, which has name, noise, shots, seed" in refusal(
        {**DATA, "engine": {"depth": 1}}
    )


@pytest.mark.parametrize("content", ["", "- 1\n", "a: [", "just text", "\x00"])
def test_file_that_is_no_configuration(tmp_path, content):
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match="qloom init"):
        load_configuration(path)


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_configuration(tmp_path / "none.yaml")


def test_rendered_configuration_has_every_key_with_a_comment():
    text = render_configuration(make_configuration(DATA, ["finetune.model=bert", "finetune.text=note"]))
    loaded = yaml.safe_load(text)
    assert "finetune" not in yaml.safe_load(render_configuration(make_configuration(DATA)))
    of_other_engines = {f"engine.{key}" for engine in ENGINES for key in fields_of(engine)} - {
        f"engine.{key}" for key in fields_of("statevector")
    }
    for key in set(known_keys()) - of_other_engines:
        value = loaded
        for part in key.split("."):
            value = value[part]
        # A section may have the name of a key, as model has.
        named = [line for line in text.splitlines() if line.strip().startswith(key.rsplit(".", 1)[-1] + ": ")]
        assert named
        assert all("  # " in line for line in named)


@given(
    st.text(min_size=1).filter(str.strip),
    st.lists(st.text(min_size=1), max_size=3),
    st.floats(1e-12, 1e3),
    st.sampled_from([None, 7]),
)
def test_rendered_configuration_loads_back_equal(target, drop, rate, batch_size):
    values = {
        "name": "x",
        "data": {"source": "a: b #c.csv", "target": target, "drop": drop, "query": "select *\nfrom data"},
        "training": {"learning_rate": rate, "batch_size": batch_size},
    }
    configuration = make_configuration(values)
    loaded = yaml.safe_load(render_configuration(configuration))
    assert Configuration.model_validate(loaded) == configuration
