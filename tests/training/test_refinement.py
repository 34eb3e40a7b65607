"""Coarse to fine: a run whose model goes on under noise and on a device, bought as told, killed, refused."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import qloom as ql
from qloom.engines.hardware import DeviceError, Journal, LocalDevice
from qloom.errors import ArtifactError, ConfigError, ExtraError
from qloom.models.tables.served import read_served
from qloom.noise import NoiseModel
from qloom.reports import write_report
from qloom.training import resume_run, train_run
from qloom.training.evaluation import evaluate
from qloom.training.folder import RunFolder
from qloom.training.rendering import render_configuration
from tests.training.test_kill import wait_for

SMALL = ("training.epochs=2", "comparison.seeds=1", "model.n_layers=1", "model.n_qubits=3")
DEVICE = "name: device, device: qloom exact, shots: 30, budget_shots: 100000, money_a_shot: 0.001"


def stages(*each):
    return f"refinement=[{', '.join(each)}]"


def on_device(more="", **others):
    settings = {"steps": 3, "batch_size": 4, "judged": 10} | others
    return f"{{engine: {{{DEVICE}{more}}}, {', '.join(f'{key}: {value}' for key, value in settings.items())}}}"


def bought(folder):
    return LocalDevice("", folder / "jobs.sqlite.service", "").bought


def test_a_run_goes_on_under_noise_and_on_a_device(configure, tmp_path):
    noise = tmp_path / "noise.json"
    noise.write_text(NoiseModel.uniform(0.01, 0.05, 0.02).to_json())
    noisy = f"{{engine: {{noise: {noise}}}, steps: 4, train: everything}}"
    configuration = configure(tmp_path, *SMALL, stages(noisy, on_device()))
    said = []
    folder = train_run(configuration, may_buy=said.append)
    found = RunFolder(folder).metrics()["refinement"]
    first, second = found["stages"]
    assert (first["cost"], first["rows_a_step"]) == (None, 16)
    # Two judgements of 10 rows, values and slopes of 4 rows in each step; scores of 10 rows twice.
    n_weights = read_served(folder / "model").circuit_.n_weights
    assert second["cost"] == second["expected"]
    assert second["cost"]["shots"] == 30 * (2 * 10 + 3 * (4 + 4 * 2 * n_weights))
    assert second["cost"]["money"] == pytest.approx(0.03 * second["cost"]["shots"] / 30)
    assert found["cost"] == found["expected"] == {"shots": 600, "money": 0.6, "seconds": 0.0, "jobs": 2}
    assert Journal(folder / "jobs.sqlite").spent.shots == second["cost"]["shots"] + 600
    assert set(bought(folder).values()) == {1}
    assert said == []  # as it is below what is asked for
    titles = [each["title"] for each in found["scores"]]
    assert titles[-1] == "classical layer of equal size"
    assert titles[3] == "refined, 30 shots a word on qloom exact"
    before, after = (read_served(folder / place).network_weights() for place in ("model", "refined"))
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed >= ({"layer.weights"} if first["kept"] or second["kept"] else set())
    page = write_report(folder).read_text()
    assert "Coarse to fine" in page
    assert "3 of 4 rows, circuit and head" in page
    assert ql.load_model(folder / "refined").engine_.is_exact  # predicting buys nothing


def test_a_stage_that_does_harm_is_taken_back(configure, tmp_path):
    harm = "{engine: {name: density}, steps: 2, learning_rate: 50, train: everything}"
    folder = train_run(configure(tmp_path, *SMALL, stages(harm)))
    (stage,) = RunFolder(folder).metrics()["refinement"]["stages"]
    assert not stage["kept"]
    before, after = (read_served(folder / place).network_weights() for place in ("model", "refined"))
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.slow
def test_a_run_that_is_killed_on_a_device_buys_nothing_twice_and_ends_alike(configure, tmp_path):
    (tmp_path / "whole").mkdir()
    stage = stages(on_device(", seed: 3", steps=8, gradient="spsa"))
    whole = train_run(configure(tmp_path / "whole", *SMALL, stage))
    configuration = configure(tmp_path, *SMALL, stage, name="killed")
    path, journal = tmp_path / "killed.yaml", configuration.folder / "jobs.sqlite"
    path.write_text(render_configuration(configuration))
    command = [sys.executable, "-m", "qloom", "train", str(path)]
    for n_jobs in (7,):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                wait_for(lambda n=n_jobs: (journal.exists() and _jobs(journal) >= n) or process.poll() is not None)
            finally:
                os.kill(process.pid, signal.SIGKILL)
        command = [sys.executable, "-m", "qloom", "train", str(configuration.folder), "--resume"]
    assert not (configuration.folder / "refined").exists()
    assert RunFolder(configuration.folder).metrics()["refinement"] is None  # what was compared before is kept
    resumed = resume_run(configuration.folder)
    for name in ("refined/weights.safetensors", "model/weights.safetensors"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes()
    assert set(bought(resumed).values()) == {1}
    spent = [Journal(folder / "jobs.sqlite").spent for folder in (resumed, whole)]
    assert spent[0] == spent[1]
    found = [RunFolder(folder).metrics()["refinement"]["scores"] for folder in (resumed, whole)]
    assert found[0] == found[1]


def _jobs(journal):
    try:
        return len(Journal(journal))
    except ql.errors.ArtifactError:
        return 0


def test_what_is_dear_is_asked_for_and_what_is_too_dear_refused(configure, tmp_path):
    said = []
    with pytest.raises(ConfigError, match="which was not agreed to; nothing was begun"):
        train_run(configure(tmp_path, *SMALL, stages(on_device(", ask_above: 100"))), may_buy=said.append)
    assert said[0] == "refinement on qloom exact takes 10 jobs, 8,040 shots, 8.04 of money"
    with pytest.raises(ConfigError, match=r"more than the budget of 100,000 shots; take fewer steps, rows or shots"):
        train_run(configure(tmp_path, *SMALL, stages(on_device(steps=4000))))
    assert not (tmp_path / "run").exists()
    assert not any(tmp_path.rglob("metrics.json"))


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("{engine: {name: device, shots: 10, budget_shots: 5}, steps: 1}", r"engine\.device is empty, expected a name"),
        ("{engine: {name: device, device: qloom exact, budget_shots: 5}}", r"engine\.shots is empty"),
        ("{engine: {name: device, device: qloom exact, shots: 5}}", r"engine\.budget_shots is empty"),
        ("{engine: {name: device, device: a, shots: 5, budget_shots: 9, noise: b}}", "a device has its own"),
        (f"{{engine: {{{DEVICE}, timeout: 0}}}}", r"engine\.timeout is 0, expected a number from 1 on"),
        ("{engine: {name: device, device: 5, shots: 5, budget_shots: 9}}", r"engine\.device is 5"),
        (
            "{engine: {name: device, device: a, shots: 5, budget_shots: lots}}",
            r"engine\.budget_shots is 'lots', expected an integer",
        ),
        ("{engine: {name: density}, gradient: guess}", "gradient"),
        ("{engine: {name: density}, learning_rate: 1.0e+30}", "learning_rate"),
        ("{steps: 3}", "engine"),
    ],
)
def test_stages_that_are_none(stage, message, configure, tmp_path):
    with pytest.raises(ConfigError, match=message):
        configure(tmp_path, *SMALL, stages(stage))


@pytest.mark.parametrize(
    ("device", "error", "message"),
    [
        ("mine", ConfigError, "device 'mine', expected one of qloom, qiskit, braket"),
        ("qloom", ConfigError, "and its name for it"),
        ("qloom nowhere.json", ql.errors.QloomError, "nowhere.json"),
        ("braket nowhere", DeviceError, "expected one of braket_sv"),
        ("qiskit FakeNothing", (DeviceError, ExtraError), "FakeNothing|devices"),
    ],
)
def test_devices_that_are_none_are_refused_before_anything_is_written(device, error, message, configure, tmp_path):
    stage = f"{{engine: {{name: device, device: {device}, shots: 5, budget_shots: 99}}}}"
    with pytest.raises(error, match=message):
        train_run(configure(tmp_path, *SMALL, stages(stage)))
    assert not any(tmp_path.rglob("config.yaml"))


def test_a_device_does_not_train_every_model(configure, tmp_path):
    with pytest.raises(ConfigError, match="put the device into a stage of refinement"):
        configure(
            tmp_path, "engine.name=device", "engine.device=qloom exact", "engine.shots=5", "engine.budget_shots=9"
        )


def test_budgets_are_of_all_stages_of_a_journal_and_what_it_spent_before(configure, tmp_path):
    """A stage takes 7,440 shots, the scores 600: two of them are beyond a budget that has room for either."""
    tight = DEVICE.replace("100000", "9000")
    stage = f"{{engine: {{{tight}}}, steps: 3, batch_size: 4, judged: 10}}"
    with pytest.raises(ConfigError, match=r"takes 18 jobs, 15,480 shots, .* more than the budget of 9,000 shots"):
        train_run(configure(tmp_path, *SMALL, stages(stage, stage)))
    given = stage.replace("budget", f"journal: {tmp_path / 'mine.sqlite'}, budget")
    train_run(configure(tmp_path, *SMALL, stages(given), name="one"))
    with pytest.raises(ConfigError, match=r"takes 10 jobs, 8,040 shots, .* after 10 jobs, 8,040 shots"):
        train_run(configure(tmp_path, *SMALL, stages(given), name="two"))
    money = stages(on_device(", budget_money: 2"))
    with pytest.raises(ConfigError, match=r"8\.04 of money, more than the budget of 100,000 shots, 2 of money"):
        train_run(configure(tmp_path, *SMALL, money, name="three"))


def test_a_run_whose_budget_ended_goes_on_with_another(configure, tmp_path):
    """A stage begun again finds all its jobs in the journal; budgets may differ then, what is bought may not."""
    journal = tmp_path / "mine.sqlite"
    stage = f"{{engine: {{{DEVICE}, journal: {journal}}}, steps: 3, batch_size: 4, judged: 10}}"
    configuration = configure(tmp_path, *SMALL, stages(stage))
    first = train_run(configuration, may_buy=lambda text: True)
    spent = Journal(journal).spent
    (first / "checkpoints" / "refinement-1.safetensors").unlink()
    lower = stages(stage.replace("100000", str(spent.shots - 100)))
    with pytest.raises(ArtifactError, match=r"was begun with refinement\.0\.steps=3, got 4"):
        train_run(configure(tmp_path, *SMALL, stages(stage.replace("steps: 3", "steps: 4"))), resume=True)
    again = train_run(configure(tmp_path, *SMALL, lower), resume=True)  # all of it is in the journal
    assert Journal(journal).spent == spent
    assert RunFolder(again).metrics()["refinement"]["cost"]["shots"] == 600
    assert RunFolder(again).configuration().refinement[0].engine.budget_shots == spent.shots - 100


def test_rows_that_are_judged_are_drawn_from_all(configure, tmp_path):
    """A table in order of its target: ten of 36 test rows are of one class once in 200,000 draws."""
    source = "demo:wine"
    stage = stages("{engine: {name: density}, steps: 2, judged: 10}")
    folder = train_run(configure(tmp_path, *SMALL, stage, source=source, target="cultivar"))
    found = RunFolder(folder).metrics()["refinement"]
    assert found["n_rows"] == 10
    assert all(low < high for low, high in [each["scores"]["accuracy"][1:] for each in found["scores"][:1]])


def test_a_stage_without_a_number_is_taken_back(configure, tmp_path, monkeypatch):
    monkeypatch.setattr("qloom.training.refinement._loss", _worse())
    folder = train_run(configure(tmp_path, *SMALL, stages("{engine: {name: density}, steps: 3}")))
    (stage,) = RunFolder(folder).metrics()["refinement"]["stages"]
    assert (stage["after"], stage["kept"]) == (None, False)
    assert "no number, taken back" in write_report(folder).read_text()
    before, after = (read_served(folder / place).network_weights() for place in ("model", "refined"))
    assert all(np.array_equal(before[name], after[name]) for name in before)


def _worse():
    """The loss, until it is NaN in the second step."""
    calls = []

    def loss(made, network, rows):
        calls.append(rows)
        return made.mean(network(rows.x), rows.y, rows.weights) * (float("nan") if len(calls) == 3 else 1)

    return loss


def test_the_refined_model_has_a_name_and_knows_its_training_rows(configure, tmp_path, table_file):
    folder = train_run(configure(tmp_path, *SMALL, stages("{engine: {name: density}, steps: 2}")))
    for model in (None, "refined"):
        with pytest.raises(ql.errors.DataError, match="were training rows"):
            evaluate(folder, table_file, model=model)
        assert evaluate(folder, table_file, model=model, force=True)["n_training_rows"] > 0


def test_trees_behind_a_circuit_are_not_refined(configure, tmp_path):
    with pytest.raises(ConfigError, match="trees behind the circuit have no slopes"):
        configure(tmp_path, *SMALL, "training.refit=boosting", stages("{engine: {name: density}}"))
    train_run(configure(tmp_path, *SMALL, "training.refit=linear", stages("{engine: {name: density}, steps: 2}")))
