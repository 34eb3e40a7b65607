"""Ray: two workers of a local cluster end in the bits of two workers here, and trials are those of one process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from qloom.training.rendering import render_configuration
from tests.learning.guides import guide

pytestmark = pytest.mark.slow
RESULTS = ("model/weights.safetensors", "predictions.parquet")


@pytest.fixture(scope="module")
def write(configure, tmp_path_factory):
    """A small configuration as a file, by name."""
    pytest.importorskip("ray", reason="Ray is an extra")
    folder = tmp_path_factory.mktemp("ray")

    def make(name, *changes):
        path = folder / f"{name}.yaml"
        path.write_text(render_configuration(configure(folder / "runs", *changes, name=name)))
        return path

    return make


def qloom(path, *words):
    """Run the command line in the folder of a configuration, which names paths from there."""
    command = [sys.executable, "-m", "qloom", *words]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True)


def test_workers_of_ray_end_as_our_own(write):
    for name, where in (("here", ()), ("there", ("--on", "ray"))):
        path = write(name)
        ended = qloom(path, "train", str(path), "--workers", "2", *where)
        assert ended.returncode == 0, ended.stderr
    runs = path.parent / "runs"
    for result in RESULTS:
        assert (runs / "here" / result).read_bytes() == (runs / "there" / result).read_bytes()
    assert (runs / "there" / "report.html").exists()
    assert "2 workers, each on " in (runs / "there" / "log.txt").read_text()
    assert {place.name for place in runs.iterdir()} == {"here", "there"}  # nothing of Ray's own is left
    again = qloom(path, "train", str(path), "--workers", "2", "--on", "ray")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "there exists already; go on with --resume" in again.stderr


def test_trials_of_ray_are_those_of_one_process(write):
    over = ("--over", "model.width=4,8", "--over", "model.n_layers=1,2", "--trials", "3", "--sampler", "random")
    for name, where in (("one", ()), ("many", ("--on", "ray", "--workers", "2"))):
        path = write(name, "training.epochs=1")
        ended = qloom(path, "tune", str(path), *over, "--name", name, *where)
        assert ended.returncode == 0, ended.stderr
    one, many = (json.loads((path.parent / "runs" / name / "trials.json").read_text()) for name in ("one", "many"))
    assert [(t["settings"], t["loss"], t["score"]) for t in one] == [
        (t["settings"], t["loss"], t["score"]) for t in many
    ]


def test_a_dataset_of_ray_is_a_stream_as_the_page_says(tmp_path):
    pytest.importorskip("ray", reason="Ray is an extra")
    before = """
from pathlib import Path
import pyarrow as pa
import ray
from qloom.data.streams import open_stream

ray.init(num_cpus=1, include_dashboard=False)
dataset = ray.data.from_arrow([pa.table({"amount": [0.5, 1.5]}), pa.table({"amount": [2.5]})])
"""
    code = f"{before}{guide('scale').python[-1].source}\nassert stream.read(0)['amount'].to_pylist() == [0.5, 1.5, 2.5]"
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
