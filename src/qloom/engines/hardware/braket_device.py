"""Devices through Amazon Braket: its local simulators, and machines by their ARN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.exchange import to_braket
from qloom.engines.hardware.jobs import Device, DeviceError, Job, passing
from qloom.engines.hardware.local import LocalDevice
from qloom.extras import package

_LOCAL = ("braket_sv", "braket_dm")


class BraketDevice(Device):
    """A machine of Braket's; every row of a job is a task under a token made of its key, so that none runs twice.

    Args:
        device: an AwsDevice.
        prices: money_a_shot, money_a_row, seconds_a_shot.
    """

    def __init__(self, device: Any, prices: Mapping[str, float] | None = None):
        self.device, self.name = device, f"braket {device.name}"
        self.priced(prices)

    @staticmethod
    def named(name: str, folder: str | Path) -> Device:
        """One on this machine, as `local` has it, or a machine by its ARN; DeviceError for one that is not there."""
        if not name.startswith("arn:"):
            return BraketDevice.local(name, folder)
        aws = package("braket.aws", "BraketDevice", "devices", brought_by="amazon-braket-sdk")
        try:
            return BraketDevice(aws.AwsDevice(name))
        except Exception as error:
            raise DeviceError(f"{name} is not there ({type(error).__name__}: {error})") from error

    @staticmethod
    def local(name: str, folder: str | Path) -> LocalDevice:
        """A local simulator in the background: "braket_sv" or "braket_dm"; DeviceError for another.

        Its queue is in `folder`.
        """
        if name not in _LOCAL:
            raise DeviceError(f"no local simulator {name!r}, expected one of {', '.join(_LOCAL)}")
        return LocalDevice(f"{__name__}:{name}", folder, f"braket {name}")

    def check(self, job: Job) -> None:
        if len(job.values):
            _bound(job.circuit, job.qubits, job.values[0])

    def submit(self, job: Job) -> str:
        arns = []
        for row, numbers in enumerate(job.values):
            circuit = _bound(job.circuit, job.qubits, numbers)
            token = f"{job.key[:48]}-{row}"
            with passing(f"{self.name} did not take a task"), under_token(self.device.aws_session, token):
                arns.append(self.device.run(circuit, shots=job.shots, tags={"qloom": job.key[:48]}).id)
        return " ".join(arns)

    def find(self, job: Job) -> str | None:
        return None  # the same tokens are sent again, and give the tasks that are there

    def result(self, handle: str, job: Job) -> np.ndarray | None:
        aws = package("braket.aws", "BraketDevice", "devices", brought_by="amazon-braket-sdk")
        rows = []
        for arn in handle.split():
            with passing(f"{self.name} does not answer"):
                task = aws.AwsQuantumTask(arn)
                state = task.state()
                measured = task.result().measurements if state == "COMPLETED" else None
            if state in ("FAILED", "CANCELLED"):  # the other tasks of the job are paid for
                raise DeviceError(f"{self.name}: task {arn} ended as {state.lower()}", paid=len(job.values) > 1)
            if measured is None:
                return None
            rows.append(np.asarray(measured, np.uint8))
        return np.array(rows)


@contextmanager
def under_token(session: Any, token: str) -> Iterator[None]:
    """Tasks of a session are made under a token: a second one with the same is the first. The SDK hands none on."""
    create = session.create_quantum_task
    with patch.object(session, "create_quantum_task", lambda **given: create(**given, clientToken=token)):
        yield


def run_local(
    name: str, circuit: Circuit, qubits: tuple[int, ...], values: np.ndarray, shots: int, seed: int
) -> np.ndarray:
    """Bits (B, shots, k) from a local simulator."""
    simulator, random = _simulator(name), np.random.default_rng(seed)
    # It takes a fresh generator for every circuit, and no seed. This process runs one job at a time.
    with patch.object(np.random, "default_rng", lambda *_: random):
        tasks = (simulator.run(_bound(circuit, qubits, numbers), shots=shots) for numbers in values)
        return np.array([task.result().measurements for task in tasks], np.uint8)


@lru_cache(maxsize=4)
def _simulator(name: str) -> Any:
    return package("braket.devices", "BraketDevice", "devices", brought_by="amazon-braket-sdk").LocalSimulator(name)


def _bound(circuit: Circuit, qubits: tuple[int, ...], numbers: np.ndarray) -> Any:
    """A circuit with numbers, all qubits there, measured in this order."""
    bound = Circuit(circuit.n_qubits).place(circuit, range(circuit.n_qubits), inputs=numbers.tolist())
    for qubit in range(circuit.n_qubits):  # what is not acted on is not there otherwise
        bound.append("id", (), (qubit,))
    out = to_braket(bound)
    for qubit in qubits:
        out.measure(qubit)
    return out
