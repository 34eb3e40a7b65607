"""Sums over processes through shared memory: exact, in one order, for any number of numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from qloom._native import SharedSums

PIECE = 1 << 16


@pytest.fixture
def shared(tmp_path):
    """A function of a rank and how many there are: its sums, through one file."""

    def make(rank, count):
        path = tmp_path / str(count)
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(SharedSums.bytes(count))
        return SharedSums(str(path), rank, count)

    return make


def brought(rank, step, size):
    return np.random.default_rng([rank, step]).normal(size=size).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_sums_are_those_in_the_order_of_ranks(shared, count):
    """Many small sums in a row, with long ones between: a place that is used too early would be seen."""
    sizes = [*([5] * 300), PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7, *([1, 0, 40] * 100)]
    all_sums = [shared(rank, count) for rank in range(count)]

    def work(rank):
        wrong = 0
        for step, size in enumerate(sizes):
            numbers = brought(rank, step, size)
            all_sums[rank].add(numbers)
            expected = brought(0, step, size)
            for other in range(1, count):
                expected = expected + brought(other, step, size)
            wrong += not np.array_equal(numbers, expected)
        return wrong

    with ThreadPoolExecutor(count) as pool:
        assert list(pool.map(work, range(count))) == [0] * count


def test_one_that_is_late_is_waited_for(shared):
    first, second, numbers = shared(0, 2), shared(1, 2), [np.ones(3, np.float32) for _ in range(2)]
    waiting = threading.Thread(target=first.add, args=(numbers[0],))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    second.add(numbers[1])
    waiting.join(30)
    assert numbers[0].tolist() == [2, 2, 2]


def test_ctrl_c_ends_the_waiting(tmp_path):
    path = tmp_path / "sums"
    path.write_bytes(bytes(SharedSums.bytes(2)))
    # Whoever runs the tests may ignore Ctrl-C, and processes inherit that.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += f"import numpy; from qloom._native import SharedSums; s = SharedSums({str(path)!r}, 0, 2);"
    code += "print(1, flush=True); s.add(numpy.ones(3, numpy.float32))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        try:
            assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
        finally:
            process.kill()


def test_files_and_ranks_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="cannot be opened"):
        SharedSums(str(tmp_path / "none"), 0, 2)
    (tmp_path / "short").write_bytes(b"short")
    with pytest.raises(ValueError, match="cannot be mapped"):
        SharedSums(str(tmp_path / "short"), 0, 2)
    with pytest.raises(ValueError, match="rank must be below count"):
        SharedSums(str(tmp_path / "short"), 2, 2)
