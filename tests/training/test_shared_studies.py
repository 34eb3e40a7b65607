"""Several processes at one study: no settings twice, what was killed is done again, the folder has all trials."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from qloom.errors import ArtifactError, ConfigError
from qloom.training.shared_studies import SharedStudy
from qloom.training.trials import Trial, best_of
from qloom.training.tuning import tune

CHOICES = {"training.learning_rate": [0.001, 0.01, 0.03], "model.width": [4, 8]}


@pytest.fixture
def configuration(configure, tmp_path):
    return configure(tmp_path, "training.epochs=1", source="demo:wine", target="cultivar", name="shared")


@pytest.fixture
def storage(tmp_path):
    return f"sqlite:///{tmp_path / 'trials.db'}"


def study_of(storage, configuration, choices=CHOICES):
    return SharedStudy(storage, configuration, choices, "random", "rows")


def found(number, settings):
    return Trial(number, settings, settings["training.learning_rate"], 0.5, 0.1)


def settings_of(trials):
    return sorted(tuple(trial.settings.values()) for trial in trials)


def test_a_study_goes_on_with_the_trials_of_one_alone(configuration, storage):
    alone = tune(configuration.model_copy(update={"output": f"{configuration.output}/alone"}), CHOICES, 4, "random")
    begun = tune(configuration, CHOICES, 2, "random", storage=storage)
    assert [(t.settings, t.loss) for t in begun] == [(t.settings, t.loss) for t in alone[:2]]
    ended = tune(configuration, CHOICES, 100, "random", storage=storage)
    assert len(ended) == 6
    assert len(set(settings_of(ended))) == 6
    kept = json.loads((configuration.folder / "trials.json").read_text())
    assert [entry["settings"] for entry in kept] == [trial.settings for trial in ended]
    assert best_of(ended).loss == min(trial.loss for trial in ended)
    assert [trial.settings for trial in tune(configuration, CHOICES, 100, "random", storage=storage)] == [
        trial.settings for trial in ended
    ]


def test_several_that_ask_at_once_have_no_settings_twice(configuration, storage):
    study_of(storage, configuration)

    def work(_):
        study, own = study_of(storage, configuration), []
        for number, settings, tell in study.proposals(6):
            own.append(settings)
            tell(found(number, settings))
            study.write(configuration.folder)
        return own

    with ThreadPoolExecutor(3) as pool:
        done = [settings for own in pool.map(work, range(3)) for settings in own]
    assert len(done) == 6
    assert len({tuple(settings.values()) for settings in done}) == 6
    assert len(json.loads((configuration.folder / "trials.json").read_text())) == 6


def test_whoever_asks_first_and_decides_last_lets_go(configuration, storage):
    """The first to ask is overtaken before it has settings: these are then the other's."""
    only = {"training.learning_rate": [0.01], "model.width": [4]}
    first, other = (study_of(storage, configuration, only) for _ in range(2))
    ask, overtaking = first.study.ask, other.proposals(1)

    def overtaken():
        asked = ask()
        next(overtaking)
        return asked

    first.study.ask = overtaken
    assert list(first.proposals(1)) == []


@pytest.mark.slow
def test_what_a_killed_process_had_is_done_again(configuration, storage):
    """The child asks for a trial and is killed in it; one that lives keeps its own."""
    code = """
import os, sys, signal
from qloom.training import load_configuration
from qloom.training.shared_studies import SharedStudy
choices = {"training.learning_rate": [0.001, 0.01, 0.03], "model.width": [4, 8]}
study = SharedStudy(sys.argv[1], load_configuration(sys.argv[2]), choices, "random", "rows")
number, settings, tell = next(study.proposals(6))
print(settings, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    from qloom.training.rendering import render_configuration

    path = configuration.folder.parent / "shared.yaml"
    path.write_text(render_configuration(configuration))
    child = subprocess.run([sys.executable, "-c", code, storage, str(path)], capture_output=True, text=True)
    assert (child.returncode, bool(child.stdout)) == (-signal.SIGKILL, True), child.stderr
    study, own = study_of(storage, configuration), []
    living = next(study_of(storage, configuration).proposals(6))  # of this process, which is not lost
    for number, settings, tell in study.proposals(6):
        own.append(settings)
        tell(found(number, settings))
    assert len({tuple(settings.values()) for settings in own}) == len(own) == 5
    assert living[1] not in own
    assert ast.literal_eval(child.stdout) in [*own, living[1]]


def test_another_study_and_bad_storages_are_refused(configuration, storage):
    study_of(storage, configuration)
    changed = configuration.model_copy(update={"seed": 5})
    with pytest.raises(ArtifactError, match="study 'shared' has trials of another seed"):
        study_of(storage, changed)
    with pytest.raises(ArtifactError, match="of another over"):
        study_of(storage, configuration, {"model.width": [4]})
    with pytest.raises(ArtifactError, match="of another rows"):
        SharedStudy(storage, configuration, CHOICES, "random", "others")
    for bad in ("nonsense", "sqlite:////nowhere/at/all.db", "mysql://nobody"):
        with pytest.raises(ConfigError, match=r"storage .* cannot be opened"):
            study_of(bad, configuration)
