"""A run killed with kill -9 in mid-training and resumed ends with the weights of one that was never stopped."""

import os
import signal
import subprocess
import sys
import time

import pytest

from qloom.training import resume_run, train_run
from qloom.training.checkpoints import read_checkpoint
from qloom.training.rendering import render_configuration

TRAIN = "import sys; from qloom.cli import main; main(['train', sys.argv[1]])"


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the run did not get there in time"
        time.sleep(0.002)


@pytest.mark.parametrize("key", ["hybrid", "hybrid_classical"])
def test_killed_run_resumes_to_the_same_weights(key, configure, tmp_path):
    changes = ["training.epochs=12", "model.n_qubits=4", "comparison.seeds=1"]
    configuration = configure(tmp_path, *changes, name="killed")
    path = tmp_path / "killed.yaml"
    path.write_text(render_configuration(configuration))
    process = subprocess.Popen([sys.executable, "-c", TRAIN, str(path)], stdout=subprocess.DEVNULL)
    checkpoint = configuration.folder / "checkpoints" / f"{key}.safetensors"
    wait_for(lambda: checkpoint.exists() or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    stopped_at = read_checkpoint(checkpoint)[0]["epoch"]
    assert stopped_at < 12, "the run was over before it could be killed"
    assert not (configuration.folder / "metrics.json").exists()

    resumed = resume_run(configuration.folder)
    whole = train_run(configure(tmp_path, *changes, name="whole"))
    for name in ("model/weights.safetensors", "predictions.parquet"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes()
    assert (
        read_checkpoint(checkpoint)[0]["best_epoch"]
        == read_checkpoint(whole / "checkpoints" / checkpoint.name)[0]["best_epoch"]
    )
