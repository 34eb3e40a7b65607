"""Every job is written down before it is sent: what was paid is not lost, and not paid twice."""

from __future__ import annotations

import fcntl
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qloom.engines.hardware.jobs import Cost, Job
from qloom.errors import ArtifactError, CircuitError, QloomError

_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    key TEXT PRIMARY KEY, device TEXT NOT NULL, shots INTEGER NOT NULL, money REAL NOT NULL, seconds REAL NOT NULL,
    status TEXT NOT NULL, handle TEXT, bits BLOB, shape TEXT, message TEXT, began REAL NOT NULL, ended REAL
)
"""
# Written down and maybe sent; sent and not read yet; read; failed and paid for; failed and not paid for.
SENDING, SENT, DONE, LOST, REFUSED = "sending", "sent", "done", "lost", "refused"


class BudgetError(QloomError):
    """A job would cost more than is left; nothing was sent."""


@dataclass(frozen=True)
class Budget:
    """What may be spent, over all runs of one journal; None for any.

    Args:
        shots: measurements.
        money: in the device's currency.
        minutes: on the device.

    Raises:
        CircuitError: for a number below 0.
    """

    shots: int | None = None
    money: float | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("shots", self.shots), ("money", self.money), ("minutes", self.minutes)):
            if value is not None and not value >= 0:
                raise CircuitError(f"budget of {name}={value!r}, expected a number from 0 on, or None")

    def __str__(self) -> str:
        given = {"shots": self.shots, "of money": self.money, "minutes on the device": self.minutes}
        return f"the budget of {', '.join(f'{value:,} {what}' for what, value in given.items() if value is not None)}"

    def check(self, spent: Cost, asked: Cost) -> None:
        """Raise BudgetError if what is asked for is more than is left once what is spent is taken off."""
        limits = (
            ("shots", self.shots, spent.shots, asked.shots),
            ("money", self.money, spent.money, asked.money),
            ("minutes", self.minutes, spent.seconds / 60, asked.seconds / 60),
        )
        for name, limit, so_far, more in limits:
            if limit is not None and so_far + more > limit * (1 + 1e-12):
                raise BudgetError(
                    f"a job of {more:,.6g} {name} is more than is left of {limit:,.6g}, of which {so_far:,.6g} are "
                    "spent; nothing was sent: raise the budget, or take what is there"
                )


class Entry(NamedTuple):
    """A job as the journal has it."""

    status: str
    handle: str | None
    bits: np.ndarray | None
    message: str | None


class Journal:
    """Jobs of a device in an SQLite file. Safe between threads and processes.

    Args:
        path: of the file, made if it does not exist.

    Raises:
        ArtifactError: for a file that is something else, or cannot be opened.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            with self._open() as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(_TABLE)
        except sqlite3.Error as error:
            raise ArtifactError(f"{path} is no journal ({error}), expected a file that qloom wrote, or none") from None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            yield connection
        finally:
            connection.close()

    def entry(self, key: str) -> Entry | None:
        """The job of a key; None if it was never written down."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT status, handle, bits, shape, message FROM jobs WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else Entry(row[0], row[1], _unpacked(row[2], row[3]), row[4])

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Held by who asks whether a job was sent, and sends it: no other thread or process does so meanwhile.

        The lock is the system's: it goes with a process that is killed.
        """
        with self.path.with_name(self.path.name + ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def reserve(self, job: Job, device: str, cost: Cost, budget: Budget) -> None:
        """Write a job down as one that is sent now, if the budget has room; BudgetError if not.

        Only while `sending` is held, and for a job that is not there or was refused.
        """
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                budget.check(_spent(connection), cost)
                connection.execute(
                    "INSERT OR REPLACE INTO jobs (key, device, shots, money, seconds, status, began) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (job.key, device, cost.shots, cost.money, cost.seconds, SENDING, time.time()),
                )
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def sent(self, key: str, handle: str) -> None:
        """Write down that the device took a job, and the handle that it is asked for by."""
        self._update(key, status=SENT, handle=handle)

    def done(self, key: str, bits: np.ndarray) -> None:
        """Write down what was measured. Shapes: bits (B, shots, k) of 0 and 1."""
        shape = ",".join(map(str, bits.shape))
        self._update(key, status=DONE, bits=zlib.compress(np.packbits(bits).tobytes()), shape=shape, ended=time.time())

    def failed(self, key: str, message: str, paid: bool) -> None:
        """Write down why there is no result. What was not paid for may be sent again, and does not count as spent."""
        self._update(key, status=LOST if paid else REFUSED, message=message, ended=time.time())

    def _update(self, key: str, **columns: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        with self._open() as connection:
            connection.execute(f"UPDATE jobs SET {names} WHERE key = ?", (*columns.values(), key))

    @property
    def spent(self) -> Cost:
        """By all jobs that were sent, or may have been."""
        with self._open() as connection:
            return _spent(connection)

    def __len__(self) -> int:
        with self._open() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM jobs").fetchone()[0])


def _spent(connection: sqlite3.Connection) -> Cost:
    row = connection.execute(
        "SELECT COALESCE(SUM(shots), 0), COALESCE(SUM(money), 0.0), COALESCE(SUM(seconds), 0.0), COUNT(*) FROM jobs "
        "WHERE status != ?",
        (REFUSED,),
    ).fetchone()
    return Cost(*row)


def _unpacked(content: bytes | None, shape: str | None) -> np.ndarray | None:
    if content is None or shape is None:
        return None
    sizes = tuple(map(int, shape.split(",")))
    count = int(np.prod(sizes))
    return np.unpackbits(np.frombuffer(zlib.decompress(content), np.uint8), count=count).reshape(sizes)
