"""`qloom bench`: the limits, a table and a file."""

import json

import pytest

from qloom.benchmarking import Work
from qloom.cli import bench


@pytest.fixture
def small_work(monkeypatch):
    monkeypatch.setattr(bench, "STEPS", (Work(2, 4, 1),))
    monkeypatch.setattr(bench, "STATES", (Work(3, 1, 2),))


def test_bench_prints_and_writes(qloom, small_work, tmp_path):
    ended = qloom("bench", "--threads", "1", "--seconds", "0.01", "--json", "speed.json")
    assert ended.code == 0
    assert "training step" in ended.out
    figures = json.loads((tmp_path / "speed.json").read_text())
    assert [row["n_qubits"] for row in figures["rows"]] == [2, 3]
    assert all(0 < row["fraction"] < 2 for row in figures["rows"])
    assert figures["limits"][0]["memory_bytes_per_second"] > 0


@pytest.mark.parametrize("words", [("--threads", "0"), ("--seconds", "0")])
def test_bench_refuses_what_it_cannot_measure(qloom, words):
    ended = qloom("bench", *words)
    assert ended.code == 2
    assert "expected at least 1 thread" in ended.err
