"""What is asked of a device, what it costs, and what a device is."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError, QloomError

PRICES = ("money_a_shot", "money_a_row", "seconds_a_shot")


class DeviceError(QloomError):
    """A device that does not answer, a job that failed.

    Args:
        passes: whether it may be well again: the same is asked once more.
        paid: whether a job that failed has been paid for.
    """

    def __init__(self, message: str, passes: bool = False, paid: bool = True):
        super().__init__(message)
        self.passes, self.paid = passes, paid


@contextmanager
def passing(what: str) -> Iterator[None]:
    """Whatever a service raises may pass: it is asked again."""
    try:
        yield
    except Exception as error:
        raise DeviceError(f"{what} ({type(error).__name__}: {error})", passes=True) from error


@dataclass(frozen=True)
class Cost:
    """What jobs cost.

    Args:
        shots: measurements.
        money: in the device's currency.
        seconds: on the device.
        jobs: how many.
    """

    shots: int = 0
    money: float = 0.0
    seconds: float = 0.0
    jobs: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.shots + other.shots, self.money + other.money, self.seconds + other.seconds, self.jobs + other.jobs
        )

    def less(self, other: Cost) -> Cost:
        """What is left of it without the other, each part 0 at least."""
        parts = ((getattr(self, name), getattr(other, name)) for name in ("shots", "money", "seconds", "jobs"))
        return Cost(*(max(0, mine - theirs) for mine, theirs in parts))

    def __mul__(self, times: int) -> Cost:
        return Cost(self.shots * times, self.money * times, self.seconds * times, self.jobs * times)

    def __str__(self) -> str:
        parts = [f"{self.jobs:,} job{'s' * (self.jobs != 1)}, {self.shots:,} shots"]
        parts += [f"{self.money:,.2f} of money"] * (self.money > 0)
        parts += [f"{self.seconds / 60:.1f} minutes on the device"] * (self.seconds > 0)
        return ", ".join(parts)


@dataclass(frozen=True)
class Job:
    """One circuit at many numbers, measured.

    Args:
        circuit: whose only slots are inputs, in one block.
        qubits: that are measured, bit k from the k-th.
        values: of the slots, (B, P).
        shots: of each row.
        place: what tells the same measurements apart when they are made again, such as the call of a stream.
        device: name of who measures.
    """

    circuit: Circuit
    qubits: tuple[int, ...]
    values: np.ndarray
    shots: int
    place: tuple[int, ...]
    device: str = ""

    @cached_property
    def key(self) -> str:
        """64 letters, the same for the same content in every process."""
        found = hashlib.sha256(f"{self.device}\n{self.circuit.to_json()}".encode())
        values = np.ascontiguousarray(self.values, np.float64)
        for part in (self.qubits, values.shape, (self.shots,), self.place):
            found.update(repr(tuple(map(int, part))).encode())
        found.update(values.tobytes())
        return found.hexdigest()

    @property
    def seed(self) -> int:
        """For devices that draw by numbers of their own."""
        return int(self.key[:7], 16)

    @property
    def size(self) -> int:
        """All measurements."""
        return len(self.values) * self.shots


class Device(ABC):
    """What runs jobs. An adapter is one file with a subclass.

    Attributes:
        name: as journals have it.
        n_qubits: None for any number.
        money_a_shot, money_a_row: prices, a row being one circuit of a job.
        seconds_a_shot: on the device.
    """

    name: str
    n_qubits: int | None = None
    money_a_shot: float = 0.0
    money_a_row: float = 0.0
    seconds_a_shot: float = 0.0

    def priced(self, prices: Mapping[str, float] | None) -> Self:
        """The same at prices by name, `money_a_shot`, `money_a_row` and `seconds_a_shot`; others stay.

        Raises:
            CircuitError: for another name, or a price below 0.
        """
        for name, value in (prices or {}).items():
            if name not in PRICES or not value >= 0:
                raise CircuitError(f"price {name}={value!r}, expected one of {', '.join(PRICES)}, from 0 on")
            setattr(self, name, float(value))
        return self

    def cost(self, rows: int, shots: int) -> Cost:
        """Of a job, before it is sent: `rows` circuits, each measured `shots` times."""
        n = rows * shots
        return Cost(n, n * self.money_a_shot + rows * self.money_a_row, n * self.seconds_a_shot, 1)

    def check(self, job: Job) -> None:  # noqa: B027 - most have nothing to add
        """Raise for a job that the device cannot have, before it is paid for."""

    @abstractmethod
    def submit(self, job: Job) -> str:
        """Send a job under its key; what it is asked for by afterwards. DeviceError if it was not taken."""

    @abstractmethod
    def find(self, job: Job) -> str | None:
        """What `submit` gave for a job with this key, if that was taken; None if it never arrived."""

    @abstractmethod
    def result(self, handle: str, job: Job) -> np.ndarray | None:
        """Bits (B, shots, k), uint8; None as long as it waits. DeviceError for a job that failed or is forgotten."""
