"""The comparison: what is registered exists, errors are measured rightly, hopeless points are left out."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.peers import compare, installation, running, tasks
from benchmarks.peers.registry import PEERS
from benchmarks.peers.worker import largest_error
from qloom.benchmarking import Work


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_a_peer_has_its_files(peer):
    assert peer.environment in installation.names()
    assert (installation.HERE / "systems" / f"{peer.module}.py").exists()
    assert set(peer.tasks) <= set(compare.POINTS)


def test_errors_are_relative_to_large_entries_alone():
    assert largest_error([[1.0, 2.0]], [np.array([1.0, 2.5])]) == pytest.approx(0.2)
    assert largest_error([[0.1]], [np.array([0.2])]) == pytest.approx(0.1)
    assert np.isnan(largest_error([[np.nan]], [np.array([0.2])]))


def test_a_missing_array_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        largest_error([], [np.zeros(1)])


def test_points_larger_than_one_over_the_limit_are_left_out():
    row = {"peer": "one", "task": "step", "n": "8", "batch": "32", "layers": "4", "status": running.TOO_LONG}
    assert compare.hopeless(row, "one", "step", (8, 256, 4))
    assert not compare.hopeless(row, "one", "step", (20, 1, 4))
    assert not compare.hopeless(row, "two", "step", (8, 256, 4))
    assert not compare.hopeless({**row, "status": "ok"}, "one", "step", (8, 256, 4))


@pytest.mark.parametrize("task", ["step", "forward", "probabilities", "samples", "kernel"])
def test_what_is_expected_of_a_peer_is_what_ours_gives(task):
    work = Work(3, 2 if task in ("step", "forward", "kernel") else 1, 2)
    found = tasks.ours(task, work, 1)()
    found = [array.detach().numpy() for array in found] if task == "step" else [np.asarray(found)]
    if task == "samples":
        found = [1 - 2 * found[0].mean(axis=1)]
    tolerance = 5e-3 if task == "samples" else 1e-5
    assert largest_error(found, tasks.expected(task, work)) < tolerance


def test_a_worker_that_fails_is_a_status(monkeypatch, tmp_path):
    monkeypatch.setattr(running, "python_of", lambda name: "false")
    monkeypatch.setattr(running, "install", lambda name: None)
    assert running.run_worker("qulacs", "step", tmp_path, 1, 0.1, 5)["status"] == "error: no message"
    monkeypatch.setattr(running, "install", lambda name: "ERROR: no such version")
    assert running.run_worker("qulacs", "step", tmp_path, 1, 0.1, 5)["status"].startswith("not installed: ERROR")
