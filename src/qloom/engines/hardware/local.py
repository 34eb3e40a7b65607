"""A device on this machine that behaves as one elsewhere: jobs are queued, paid once, and outlive who sent them.

Simulators of device makers run in a process of its own, which reads a queue in an SQLite file: what `submit` has put
there is run once, whoever is killed. So the ways of a real device, its journal, budget and resumption, are walked
without one.
"""

from __future__ import annotations

import atexit
import fcntl
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.hardware.jobs import Device, DeviceError, Job

_TABLES = """
CREATE TABLE IF NOT EXISTS queue (
    key TEXT PRIMARY KEY, target TEXT NOT NULL, circuit TEXT NOT NULL, qubits TEXT NOT NULL, n_rows INTEGER NOT NULL,
    n_values INTEGER NOT NULL, numbers BLOB NOT NULL, shots INTEGER NOT NULL, seed INTEGER NOT NULL,
    status TEXT NOT NULL, bits BLOB, message TEXT, sent INTEGER NOT NULL
);
"""
# Seconds without a job after which the process ends.
IDLE = 20.0
_PAUSE = 0.01
# Processes outlive this one, but are asked how they ended as long as it lives.
_STARTED: list[subprocess.Popen[bytes]] = []
# When this process last started one, and seconds within which that has taken the lock.
_LAST: dict[Path, float] = {}
_STARTING = 5.0


class LocalDevice(Device):
    """Runs jobs on a simulator in the background.

    Args:
        target: "MODULE:NAME"; the module's `run_local(NAME, circuit, qubits, values, shots, seed)` gives the bits.
        folder: where the queue is; who shares it shares the jobs.
        name: as journals have it.
        n_qubits: that it has; None for any number.
    """

    def __init__(self, target: str, folder: str | Path, name: str, n_qubits: int | None = None):
        self.target, self.name, self.n_qubits = target, name, n_qubits
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        with _opened(self.folder) as connection:
            connection.executescript(_TABLES)

    def submit(self, job: Job) -> str:
        values = np.ascontiguousarray(job.values, np.float64)
        row = (
            job.key, self.target, job.circuit.to_json(), ",".join(map(str, job.qubits)), *values.shape,
            zlib.compress(values.tobytes()), job.shots, job.seed, "queued",
        )  # fmt: skip
        with _opened(self.folder) as connection:
            connection.execute(
                "INSERT INTO queue (key, target, circuit, qubits, n_rows, n_values, numbers, shots, seed, status, "
                "sent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) "
                "ON CONFLICT (key) DO UPDATE SET sent = sent + 1, message = NULL, "
                "status = CASE status WHEN 'failed' THEN 'queued' ELSE status END",
                row,
            )
        return job.key

    def find(self, job: Job) -> str | None:
        with _opened(self.folder) as connection:
            found = connection.execute("SELECT 1 FROM queue WHERE key = ?", (job.key,)).fetchone()
        return job.key if found else None

    def result(self, handle: str, job: Job) -> np.ndarray | None:
        with _opened(self.folder) as connection:
            found = connection.execute("SELECT status, bits, message FROM queue WHERE key = ?", (handle,)).fetchone()
        if found is None:
            raise DeviceError(f"{self.name} does not know job {handle[:12]}", paid=True)
        status, bits, message = found
        if status == "failed":
            raise DeviceError(f"{self.name}: {message}", paid=False)
        if status == "done":
            count = len(job.values) * job.shots * len(job.qubits)
            flat = np.unpackbits(np.frombuffer(zlib.decompress(bits), np.uint8), count=count)
            return flat.reshape(len(job.values), job.shots, len(job.qubits))
        _start(self.folder)
        return None

    @property
    def bought(self) -> dict[str, int]:
        """How often each job was sent, by key: what the other side would bill."""
        with _opened(self.folder) as connection:
            return dict(connection.execute("SELECT key, sent FROM queue"))


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "queue.sqlite", timeout=60, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        yield connection
    finally:
        connection.close()


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process is at the queue; the lock is the system's, and goes with who holds it."""
    with (folder / "service.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _start(folder: Path) -> None:
    """A process for the queue, unless one is at it; of several that are started at once one stays."""
    _STARTED[:] = [process for process in _STARTED if process.poll() is None]
    with _alone(folder) as is_free:
        if not is_free or time.monotonic() - _LAST.get(folder, -IDLE) < _STARTING:
            return
    _LAST[folder] = time.monotonic()
    started = subprocess.Popen(
        [sys.executable, "-m", "qloom.engines.hardware.local", str(folder)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    _STARTED.append(started)


@atexit.register
def _let_go() -> None:
    """Processes go on without this one: nobody waits for them."""
    for process in _STARTED:
        process.returncode = process.poll() or 0


def serve(folder: Path) -> None:
    """Run what is queued until nothing comes."""
    with _alone(folder) as is_free, _opened(folder) as connection:
        last = time.monotonic()
        while is_free and time.monotonic() - last < IDLE:
            row = connection.execute(
                "SELECT key, target, circuit, qubits, n_rows, n_values, numbers, shots, seed FROM queue "
                "WHERE status = 'queued' ORDER BY rowid LIMIT 1"
            ).fetchone()
            if row is None:
                time.sleep(_PAUSE)
                continue
            _run(connection, row)
            last = time.monotonic()


def _run(connection: sqlite3.Connection, row: tuple) -> None:
    key, target, circuit, qubits, n_rows, n_values, numbers, shots, seed = row
    values = np.frombuffer(zlib.decompress(numbers)).reshape(n_rows, n_values)
    measured = tuple(map(int, qubits.split(",")))
    module, name = target.split(":", 1)
    try:
        run_local = import_module(module).run_local
        bits = run_local(name, Circuit.from_json(circuit), measured, values, shots, seed)
        content = zlib.compress(np.packbits(np.asarray(bits, np.uint8)).tobytes())
        connection.execute("UPDATE queue SET status = 'done', bits = ? WHERE key = ?", (content, key))
    except Exception as error:  # of any simulator: it is the job's
        message = f"{type(error).__name__}: {error}"[:1000]
        connection.execute("UPDATE queue SET status = 'failed', message = ? WHERE key = ?", (message, key))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        serve(Path(sys.argv[1]))
