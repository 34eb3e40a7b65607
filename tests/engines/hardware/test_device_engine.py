"""A device whose jobs are written down, against exact values; killed, cut off, refused and out of money."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.engines.hardware import (
    Budget,
    BudgetError,
    Cost,
    DeviceEngine,
    DeviceError,
    Job,
    Journal,
    LocalDevice,
    RecordedDevice,
    find_device,
)
from qloom.errors import ArtifactError, CircuitError, UnsupportedError
from tests.engines.hardware.training import layer_on, train

HERE = Path(__file__).parent
# Our own simulator in the background, for the ways of devices without another package.
OURS = "qloom.engines.hardware.simulated_device:exact"
ROOT = HERE.parents[2]


def device(folder: Path, kind: type[LocalDevice] = LocalDevice, **options: object) -> LocalDevice:
    return kind(OURS, folder / "service", "ours", **options)


def circuit_of_two() -> ql.Circuit:
    circuit = ql.Circuit(3)
    x, w = circuit.inputs(2, name="x"), circuit.weights(2, name="w")
    return circuit.ry(x[0], 0).ry(w[0], 1).cx(0, 2).rx(2 * x[1] + 0.1, 2).ry(w[1], 0)


def test_values_and_slopes_are_those_of_the_circuit(tmp_path):
    """Six standard errors of 4,000 shots: a false alarm in 10^7 runs, and the seed is fixed."""
    circuit, words = circuit_of_two(), [ql.Z(0), ql.X(1) @ ql.Z(2)]
    x, weights = np.random.default_rng(0).uniform(-1, 1, (4, 2)), np.array([0.3, -0.7])
    engine = DeviceEngine(device(tmp_path), 4000, tmp_path / "journal.sqlite")
    found = ql.expectation(circuit, words, x, weights, engine=engine)
    exact = ql.expectation(circuit, words, x, weights)
    assert np.abs(found - exact).max() < 6 / np.sqrt(4000)
    assert engine.spent == Cost(16000, 0.0, 0.0, 1)
    slopes = []
    for one in (engine, None):
        layer = ql.nn.QuantumLayer(circuit, words, engine=one, dtype=torch.float64, init=weights.tolist())
        layer(torch.from_numpy(x)).sum().backward()
        slopes.append(layer.weights.grad.numpy())
    assert np.abs(slopes[0] - slopes[1]).max() < 6 * 8 / np.sqrt(4000)


def test_a_second_run_asks_for_nothing(tmp_path):
    first = train(DeviceEngine(device(tmp_path), 50, tmp_path / "journal.sqlite"), 3)
    spent = Journal(tmp_path / "journal.sqlite").spent
    engine = DeviceEngine(device(tmp_path), 50, tmp_path / "journal.sqlite")
    assert train(engine, 3) == first
    assert engine.spent == spent
    assert set(engine.device.bought.values()) == {1}
    other = DeviceEngine(device(tmp_path), 50, tmp_path / "journal.sqlite", seed=1)
    assert train(other, 1) != first
    assert engine.spent.shots > spent.shots


def test_costs_are_estimated_to_the_shot(tmp_path):
    dear = device(tmp_path)
    dear.money_a_shot, dear.money_a_row, dear.seconds_a_shot = 0.001, 0.3, 0.02
    seen: list[Cost] = []
    engine = DeviceEngine(dear, 20, tmp_path / "journal.sqlite", on_job=seen.append)
    told = engine.estimate_cost(layer_on(engine), n_samples=6, n_steps=2)
    train(engine, 2)
    assert engine.spent.shots == told.shots == 2 * (6 + 2 * 3 * 6) * 20
    assert engine.spent.money == pytest.approx(told.money)
    assert engine.spent.seconds == pytest.approx(told.seconds)
    assert [cost.jobs for cost in seen] == [1, 2, 3, 4]


@pytest.mark.parametrize("limit", [{"shots": 1000}, {"money": 2.0}, {"minutes": 0.3}])
def test_budgets_are_never_passed_and_what_is_paid_stays(tmp_path, limit):
    dear = device(tmp_path)
    dear.money_a_shot, dear.seconds_a_shot = 0.002, 0.018
    engine = DeviceEngine(dear, 10, tmp_path / "journal.sqlite", Budget(**limit))
    with pytest.raises(BudgetError, match=f"{next(iter(limit))} is more than is left .* nothing was sent"):
        train(engine, 10)
    spent = engine.spent
    assert 0 < spent.shots <= 1000
    assert spent.money <= 2 + 1e-9
    assert spent.seconds <= 60 * 0.3 + 1e-9
    assert sum(dear.bought.values()) == spent.jobs
    more = DeviceEngine(dear, 10, tmp_path / "journal.sqlite")
    train(more, 2)
    assert set(dear.bought.values()) == {1}


class CutOff(LocalDevice):
    """Takes a job and is gone before it says so; answers badly in between."""

    calls = 0

    def submit(self, job: Job) -> str:
        self.calls += 1
        if self.calls % 3 == 1:
            raise DeviceError("no network", passes=True)
        if self.calls % 3 == 2:
            super().submit(job)
            raise DeviceError("cut off after it was sent", passes=True)
        return super().submit(job)

    def result(self, handle: str, job: Job) -> np.ndarray | None:
        self.calls += 1
        if self.calls % 5 == 0:
            raise DeviceError("no network", passes=True)
        return super().result(handle, job)


def test_lost_networks_buy_nothing_twice(tmp_path):
    shaky = device(tmp_path, CutOff)
    found = train(DeviceEngine(shaky, 20, tmp_path / "journal.sqlite"), 3)
    assert set(shaky.bought.values()) == {1}
    assert found == train(DeviceEngine(device(tmp_path / "other"), 20, tmp_path / "other.sqlite"), 3)


class Gone(LocalDevice):
    """Takes jobs, and is not heard of again until it is well."""

    is_well = False

    def submit(self, job: Job) -> str:
        taken = super().submit(job)
        if not self.is_well:
            raise DeviceError("cut off after it was sent", passes=True)
        return taken

    def find(self, job: Job) -> str | None:
        if not self.is_well:
            raise DeviceError("no network", passes=True)
        return super().find(job)


def test_what_may_have_arrived_is_asked_for_by_the_next_run(tmp_path, monkeypatch):
    monkeypatch.setattr("qloom.engines.hardware.engine.LONGEST_WAIT", 0.001)
    gone = device(tmp_path, Gone)
    engine = DeviceEngine(gone, 10, tmp_path / "journal.sqlite")
    with pytest.raises(DeviceError, match="no network"):
        ql.expectation(ql.Circuit(1).h(0), [ql.Z(0)], engine=engine)
    assert engine.spent.jobs == 1
    gone.is_well = True
    again = DeviceEngine(gone, 10, tmp_path / "journal.sqlite")
    ql.expectation(ql.Circuit(1).h(0), [ql.Z(0)], engine=again)
    assert (again.spent.jobs, set(gone.bought.values())) == (1, {1})


def test_runs_side_by_side_on_one_journal_buy_once(tmp_path):
    slow = device(tmp_path)
    found = []

    def run() -> None:
        engine = DeviceEngine(slow, 50, tmp_path / "journal.sqlite")
        found.append(ql.expectation(ql.Circuit(1).ry(0.7, 0), [ql.Z(0)], engine=engine)[0])

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert set(slow.bought.values()) == {1}
    assert Journal(tmp_path / "journal.sqlite").spent == Cost(50, 0.0, 0.0, 1)


def test_devices_do_not_answer_for_each_other(tmp_path):
    """One journal and seed, tried on one device and then run on another."""
    for name in ("ours", "another"):
        one = LocalDevice(OURS, tmp_path / name, name)
        ql.expectation(ql.Circuit(1).h(0), [ql.Z(0)], engine=DeviceEngine(one, 20, tmp_path / "journal.sqlite"))
        assert len(one.bought) == 1


class Elsewhere(LocalDevice):
    """Gives what belongs to another circuit."""

    def result(self, handle: str, job: Job) -> np.ndarray | None:
        return np.zeros((1, 1, 1), np.uint8)


class Forgets(LocalDevice):
    def result(self, handle: str, job: Job) -> np.ndarray | None:
        raise DeviceError("the job expired", paid=True)


class Refuses(LocalDevice):
    def submit(self, job: Job) -> str:
        raise DeviceError("no such plan")


class Sleeps(LocalDevice):
    def result(self, handle: str, job: Job) -> np.ndarray | None:
        return None


@pytest.mark.parametrize(
    ("kind", "message", "spent"),
    [
        (Elsewhere, "results of another circuit", 1), (Forgets, "the job expired", 1), (Refuses, "no such plan", 0),
        (Sleeps, "no result after 0.2 s; it is in the journal", 1),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said_and_booked(tmp_path, kind, message, spent):
    engine = DeviceEngine(device(tmp_path, kind), 10, tmp_path / "journal.sqlite", timeout=0.2)
    for _ in range(2):  # and again when it is begun again
        with pytest.raises(DeviceError, match=message if kind is not Forgets else "expired"):
            ql.expectation(ql.Circuit(1).h(0), [ql.Z(0)], engine=DeviceEngine(
                engine.device, 10, tmp_path / "journal.sqlite", timeout=0.2
            ))  # fmt: skip
        assert engine.spent.jobs == spent


def test_what_is_refused(tmp_path):
    engine = DeviceEngine(device(tmp_path, n_qubits=2), 10, tmp_path / "journal.sqlite")
    with pytest.raises(UnsupportedError, match="has 3 qubits, ours has 2"):
        ql.expectation(circuit_of_two(), [ql.Z(0)], np.zeros(2), np.zeros(2), engine=engine)
    with pytest.raises(CircuitError, match="seed=None"):
        DeviceEngine(engine.device, 10, tmp_path / "journal.sqlite", seed=None)
    with pytest.raises(CircuitError, match="budget of shots=-1"):
        Budget(shots=-1)
    (tmp_path / "text").write_text("no journal at all, but long enough to be looked at as one " * 20)
    with pytest.raises(ArtifactError, match="is no journal"):
        Journal(tmp_path / "text")
    assert engine.spent == Cost()


def test_threads_share_a_journal(tmp_path):
    engine = DeviceEngine(device(tmp_path), 10, tmp_path / "journal.sqlite", Budget(shots=200))
    errors = []

    def measure(angle: float) -> None:
        try:
            ql.expectation(ql.Circuit(1).ry(angle, 0), [ql.Z(0)], engine=engine)
        except BudgetError:
            errors.append(angle)

    threads = [threading.Thread(target=measure, args=(k / 10,)) for k in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.spent == Cost(200, 0.0, 0.0, 20)
    assert len(errors) == 10


def kill_at_random(name: str, folder: Path, n_kills: int, n_steps: int, shots: int) -> tuple[list[float], int]:
    """Weights of a training that was killed so often, and how often it was killed while it ran."""
    drawn = random.Random(0)
    command = [sys.executable, str(HERE / "training.py"), name, str(folder), str(n_steps), str(shots)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = 0
    while killed < n_kills:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        jobs = n_jobs(folder)
        while process.poll() is None and n_jobs(folder) == jobs:  # until the first job of this run
            time.sleep(0.01)
        time.sleep(drawn.uniform(0, 0.05))
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed += 1
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return json.loads(done.stdout), killed


def n_jobs(folder: Path) -> int:
    try:
        return len(Journal(folder / "journal.sqlite")) if (folder / "journal.sqlite").exists() else 0
    except (sqlite3.Error, ArtifactError):
        return 0


def test_a_training_that_is_killed_buys_nothing_twice_and_ends_alike(tmp_path):
    (tmp_path / "killed").mkdir()
    weights, killed = kill_at_random("qloom exact", tmp_path / "killed", n_kills=2, n_steps=5, shots=50)
    engine = DeviceEngine(find_device("qloom exact", tmp_path / "whole"), 50, tmp_path / "whole.sqlite")
    assert weights == train(engine, 5)
    assert killed == 2
    bought = LocalDevice("", tmp_path / "killed" / "service", "ours").bought
    assert set(bought.values()) == {1}
    assert Journal(tmp_path / "killed" / "journal.sqlite").spent == engine.spent


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qiskit FakeManilaV2", "braket braket_sv"])
def test_machines_of_others_are_killed_at_random(name, tmp_path):
    needed = "qiskit_ibm_runtime" if "Fake" in name else "braket.devices"
    pytest.importorskip(needed, reason="the extra 'devices' is not installed")
    for part in ("killed", "whole"):
        (tmp_path / part).mkdir()
    weights, killed = kill_at_random(name, tmp_path / "killed", n_kills=4, n_steps=30, shots=100)
    whole, _ = kill_at_random(name, tmp_path / "whole", n_kills=0, n_steps=30, shots=100)
    assert weights == whole
    assert killed == 4
    bought = LocalDevice("", tmp_path / "killed" / "service", name).bought
    assert set(bought.values()) == {1}
    spent = [Journal(tmp_path / part / "journal.sqlite").spent for part in ("killed", "whole")]
    assert spent[0] == spent[1] == Cost(30 * (6 + 36) * 100, 0.0, 0.0, 60)


def test_recorded_counts_are_given_again():
    circuit = ql.Circuit(2).h(0).cx(0, 1)
    recorded = RecordedDevice({circuit: {"00": 480, "11": 490, "01": 30}})
    job = Job(circuit, (0, 1), np.zeros((1, 0)), 1000, (0,))
    bits = recorded.result(recorded.submit(job), job)
    assert bits.shape == (1, 1000, 2)
    assert (bits[0].sum(axis=1) == 2).sum() == 490


def test_a_recorded_device_measures_words(tmp_path):
    circuit = ql.Circuit(2).h(0).cx(0, 1)
    recorded = RecordedDevice({circuit: {"00": 480, "11": 490, "01": 30}})
    engine = DeviceEngine(recorded, 1000, tmp_path / "journal.sqlite")
    assert ql.expectation(circuit, [ql.Z(0) @ ql.Z(1)], engine=engine)[0] == pytest.approx(0.94)
    with pytest.raises(DeviceError, match="has no counts of"):
        ql.expectation(ql.Circuit(2).x(0), [ql.Z(0)], engine=engine)


@pytest.mark.parametrize("name", ["SPSA", "Rotosolve", "ShotAdaptiveAdam", "NaturalGradient", "QNSPSA"])
def test_optimizers_work_on_devices_and_buy_nothing_twice(tmp_path, name):
    """Two runs of two steps: the second finds all of its jobs."""
    found = []
    for _ in range(2):
        engine = DeviceEngine(device(tmp_path), 40, tmp_path / "journal.sqlite")
        layer, x = layer_on(engine), torch.ones(3, 2, dtype=torch.float64)
        states = {"engine": ql.engines.StatevectorEngine()} if name in ("NaturalGradient", "QNSPSA") else {}
        optimizer = getattr(ql.optimizers, name)(layer, **states)

        def loss(layer=layer, x=x, optimizer=optimizer):
            value = layer(x).square().mean()
            if torch.is_grad_enabled():
                optimizer.zero_grad()
                value.backward()
            return value

        for _ in range(2):
            optimizer.step(loss)
        found.append((layer.weights.tolist(), engine.spent))
    assert found[0] == found[1]
    assert found[0][0] != [0.1, -0.2, 0.3]
    assert set(device(tmp_path).bought.values()) == {1}
