"""Workers that are processes: they find each other, add up, tell each other, and notice who has gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from qloom.fitting.surroundings import COUNT, COUNT_HERE, MEETING, RANK, RANK_HERE
from qloom.fitting.workers import ALONE, Workers, joined

# Two processes are started once for all that is asked of them. The second is ended at the last sum.
ASKED = """
import os, signal, torch
from qloom.errors import WorkerError
from qloom.fitting.workers import joined

with joined() as workers:
    rank = workers.rank
    assert (workers.count, workers.leads) == (2, rank == 0)
    numbers = torch.tensor([0.1, 1e8, -1.0]) * (rank + 1)
    workers.add(numbers)
    assert torch.equal(numbers, torch.tensor([0.1, 1e8, -1.0]) + torch.tensor([0.1, 1e8, -1.0]) * 2)
    assert workers.mean(float(rank)) == 0.5
    assert workers.told(lambda: {"a": [1, rank]}) == {"a": [1, 0]}
    assert workers.told_bytes(bytes([rank, 255])) == bytes([0, 255])
    assert workers.told_bytes(b"" if rank == 0 else b"unheard") == b""

    layer = workers.replicate(torch.nn.Linear(2, 1))
    with torch.no_grad():
        layer.weight.fill_(1.0)
    layer(torch.full((1, 2), float(rank))).sum().backward()
    assert layer.weight.grad.tolist() == [[0.5, 0.5]]
    try:
        if rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        workers.add(numbers)
    except WorkerError as error:
        print(error)
"""


@pytest.mark.parametrize("count_here", ["2", pytest.param("1", marks=pytest.mark.slow)])
def test_processes_agree(tmp_path, count_here):
    """Through memory they share, or through sockets, as on several machines."""
    environment = {**os.environ, COUNT: "2", COUNT_HERE: count_here, MEETING: f"file://{tmp_path / 'meeting'}"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", ASKED],
            env={**environment, RANK: str(rank), RANK_HERE: str(rank)},
            stdout=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    assert workers[1].communicate(timeout=120) == (b"", None)  # whoever starts workers sees first that one has ended
    said = workers[0].communicate(timeout=120)[0].decode()
    assert [worker.returncode for worker in workers] == [0, -signal.SIGKILL]
    assert said.startswith("another worker of this training has gone (")
    assert "go on from the last checkpoint with --resume" in said


def test_alone_nothing_is_asked():
    with joined({}) as workers:
        assert workers == ALONE == Workers(0, 1)
        assert workers.told(lambda: {"a": (1,)}) == {"a": (1,)}
        assert (workers.told_bytes(b"own"), workers.mean(0.1)) == (b"own", 0.1)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("n_rows", [0, 1, 7, 8, 9, 64, 256, 1001])
def test_shares_are_all_rows_once(count, n_rows):
    shares = [Workers(rank, count).share(n_rows) for rank in range(count)]
    assert [row for first, n in shares for row in range(first, first + n)] == list(range(n_rows))
    assert max(n for _, n in shares) - min(n for _, n in shares) <= 15  # whole multiples of 8 rows, but the last
