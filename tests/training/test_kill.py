"""A run killed with kill -9 in mid-training and resumed ends with the weights of one that was never stopped."""

import signal
import subprocess
import sys
import time
from functools import cache

import pytest

from qloom.noise import NoiseModel
from qloom.training import resume_run, train_run
from qloom.training.checkpoints import read_checkpoint
from qloom.training.rendering import render_configuration

# Each step waits a moment, so that the run is still at it when the signal comes, however busy the machine is.
TRAIN = """
import sys, time
from qloom.cli import main
from qloom.models.tables.stacking import Stack

step = Stack._step

def slow_step(*given):
    time.sleep(0.05)
    return step(*given)

Stack._step = slow_step
main(['train', sys.argv[1]])
"""
CHANGES = ("training.epochs=8", "comparison.seeds=1")
# Exact values, and measurements and trajectories whose random numbers go on where they were.
ENGINES = {
    "exact": (), "measured": ("engine.shots=20",),
    "noisy": ("engine.name=trajectories", "engine.n_trajectories=2", "engine.noise={noise}"),
}  # fmt: skip


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the run did not get there in time"
        time.sleep(0.002)


@pytest.fixture(scope="module")
def whole(configure, tmp_path_factory):
    """Runs that were never stopped, by engine."""
    return cache(lambda engine: train_run(configure(*changed(tmp_path_factory.mktemp("whole"), engine))))


def changed(folder, engine):
    """What configures a run in a folder on an engine."""
    noise = folder.parent / "noise.json"
    noise.write_text(NoiseModel.uniform(0.01, 0.05, 0.02).to_json())
    return folder, *CHANGES, *(change.format(noise=noise) for change in ENGINES[engine])


@pytest.mark.parametrize(
    ("key", "engine"),
    [
        pytest.param("hybrid", "exact", marks=pytest.mark.slow),
        pytest.param("hybrid_classical", "exact", marks=pytest.mark.slow),
        pytest.param("hybrid", "measured", marks=pytest.mark.slow),
        pytest.param("hybrid", "noisy", marks=pytest.mark.slow),
    ],
)
def test_killed_run_resumes_to_the_same_weights(key, engine, whole, configure, tmp_path):
    configuration, whole = configure(*changed(tmp_path, engine), name="killed"), whole(engine)
    path = tmp_path / "killed.yaml"
    path.write_text(render_configuration(configuration))
    checkpoint = configuration.folder / "checkpoints" / f"{key}.safetensors"
    with subprocess.Popen([sys.executable, "-c", TRAIN, str(path)], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: checkpoint.exists() or process.poll() is not None)
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL

    stopped_at = read_checkpoint(checkpoint)[0]["epoch"]
    assert stopped_at < 8, "the run was over before it could be killed"
    assert not (configuration.folder / "metrics.json").exists()

    resumed = resume_run(configuration.folder)
    for name in ("model/weights.safetensors", "predictions.parquet"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes()
    assert (
        read_checkpoint(checkpoint)[0]["best_epoch"]
        == read_checkpoint(whole / "checkpoints" / checkpoint.name)[0]["best_epoch"]
    )
