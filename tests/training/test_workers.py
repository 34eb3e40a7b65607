"""Workers of one machine: they end as one does, also after kill -9 of one of them or of all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from qloom.errors import WorkerError
from qloom.training import train_run
from qloom.training.launching import ABANDONED, launch
from qloom.training.rendering import render_configuration

# A worker that says its rank and attempt, and ends as it is told.
WORKER = "import os, sys, time; rank, attempt = (int(os.environ[n]) for n in ('RANK', 'TORCHELASTIC_RESTART_COUNT'));"
# Training by the command line; the worker of a rank is killed at a step, in its first life.
TRAIN = """
import os, signal, sys
from qloom.cli import main
from qloom.models.tables.stacking import Stack

path, rank, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
step, taken = Stack._step, []

def counted(*given):
    taken.append(1)
    if (os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"], len(taken)) == (rank, "0", last):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*given)

Stack._step = counted
main(["train", path])
"""
CHANGES = ("training.epochs=5", "comparison.seeds=1")
MODEL = "model/weights.safetensors"


def launched(code, count=2, restarts=0):
    """The exit code of workers of a few words, and what the launcher said."""
    said = []
    return launch([sys.executable, "-c", WORKER + code], count, restarts, said.append), said


def test_all_end_well_and_the_first_speaks(capfd):
    assert launched("print(rank, attempt, os.environ['WORLD_SIZE'])", 3) == (0, [])
    assert capfd.readouterr().out == "0 0 3\n"


def test_a_killed_worker_is_started_again_with_all_others(tmp_path):
    code = f"open(f'{tmp_path}/{{rank}}-{{attempt}}', 'w'); rank == 1 and attempt < 2 and os.kill(os.getpid(), 9)"
    code += "; rank == 0 and attempt < 2 and time.sleep(60)"
    begun = time.monotonic()
    status, said = launched(code, 2, 2)
    assert status == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{rank}-{attempt}" for rank in range(2) for attempt in range(3)
    }
    assert said[1] == "worker 2 of 2 was ended by SIGKILL; all go on from the last checkpoint, 2 of 2 times"
    assert time.monotonic() - begun < 60  # the others are ended at once


def test_one_lost_too_often_is_an_error():
    with pytest.raises(WorkerError, match="worker 1 of 2 was ended by SIGKILL, after 1 times before"):
        launched("rank == 0 and os.kill(os.getpid(), 9)", 2, 1)


def test_mistakes_are_not_tried_again(capfd):
    """What another worker than the first cannot do is said, once; the others have only lost it."""
    code = f"rank and sys.exit(print('qloom: no file', file=sys.stderr) or 2); sys.exit({ABANDONED})"
    assert launched(code, 3, 5)[1] == []
    assert capfd.readouterr().err == "qloom: no file\n"
    assert launched("sys.exit(2)", 2, 5) == (2, [])


def test_workers_do_not_outlive_their_launcher(tmp_path):
    code = f"""
import sys
from qloom.training.launching import launch
work = "from qloom.training.launching import end_with_launcher as e; import os, time; e(); "
work += "open('{tmp_path}/' + os.environ['RANK'], 'w').write(str(os.getpid())); time.sleep(600)"
launch([sys.executable, '-c', work], 2, 0, print)
"""
    launcher = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: all((tmp_path / rank).exists() and (tmp_path / rank).read_text() for rank in "01"))
    launcher.kill()
    launcher.wait()
    workers = [int((tmp_path / rank).read_text()) for rank in "01"]
    wait_for(lambda: not any(map(is_alive, workers)))


def is_alive(pid):
    """Whether a process runs; one that has ended and that nobody waits for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not get there in time"
        time.sleep(0.01)


def train_by_workers(configuration, folder, rank="none", last=0):
    """The run folder, and what the launcher said; the worker of a rank is killed at a step."""
    path, said = folder / f"{configuration.name}.yaml", []
    path.write_text(render_configuration(configuration))
    assert launch([sys.executable, "-c", TRAIN, str(path), rank, str(last)], 2, 1, said.append) == 0
    return configuration.folder, said


def largest_difference(one, other):
    one, other = load_file(one / MODEL), load_file(other / MODEL)
    return max(np.abs(one[name] - other[name]).max() for name in one)


@pytest.mark.slow
def test_a_killed_worker_changes_no_weight(configure, tmp_path):
    """Three epochs have three steps each of every network: the tenth step is the control's first."""
    alone = train_run(configure(tmp_path, "training.epochs=3", "comparison.seeds=1", name="alone"))
    configuration = configure(tmp_path, "training.epochs=3", "comparison.seeds=1", name="killed")
    folder, said = train_by_workers(configuration, tmp_path, "1", 8)
    assert said == ["worker 2 of 2 was ended by SIGKILL; all go on from the last checkpoint, 1 of 1 times"]
    assert 0 < largest_difference(folder, alone) < 1e-5
    log = (folder / "log.txt").read_text()
    assert "2 workers, each on " in log
    assert (folder / "report.html").exists()


@pytest.fixture(scope="module")
def whole(configure, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return train_by_workers(configure(folder, *CHANGES, name="whole"), folder)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("rank", "last"), [("0", 3), ("1", 12), ("0", 20)])
def test_a_killed_worker_leaves_the_same_bits(whole, configure, tmp_path, rank, last):
    folder, said = train_by_workers(configure(tmp_path, *CHANGES, name="killed"), tmp_path, rank, last)
    assert len(said) == 1
    for name in (MODEL, "predictions.parquet"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.slow
def test_a_killed_job_resumes_to_the_same_bits(whole, configure, tmp_path):
    configuration = configure(tmp_path, *CHANGES, name="killed")
    path = tmp_path / "killed.yaml"
    path.write_text(render_configuration(configuration))
    command = [sys.executable, "-m", "qloom", "train", str(path), "--workers", "2"]
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_for(lambda: any(configuration.folder.glob("checkpoints/*.safetensors")) or job.poll() is not None)
    job.send_signal(signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    subprocess.run([*command, "--resume"], check=True, stdout=subprocess.DEVNULL)
    for name in (MODEL, "predictions.parquet"):
        assert (configuration.folder / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.slow
def test_torchrun_starts_workers_too(whole, configure, tmp_path):
    configuration = configure(tmp_path, *CHANGES, name="torchrun")
    path = tmp_path / "torchrun.yaml"
    path.write_text(render_configuration(configuration))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    ended = subprocess.run([*command, "-m", "qloom", "train", str(path)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("test ROC AUC") <= 2  # one worker speaks
    assert (configuration.folder / MODEL).read_bytes() == (whole / MODEL).read_bytes()


def test_workers_inside_a_worker_are_refused(configure, tmp_path, monkeypatch, capfd):
    from qloom.cli import main

    path = tmp_path / "tiny.yaml"
    path.write_text(render_configuration(configure(tmp_path)))
    monkeypatch.setitem(os.environ, "RANK", "0")
    with pytest.raises(SystemExit) as ended:
        main(["train", str(path), "--workers", "2"])
    assert ended.value.code == 2
    assert "--workers 2 in a worker that torchrun started" in capfd.readouterr().err
