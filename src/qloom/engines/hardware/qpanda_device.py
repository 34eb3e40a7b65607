"""Devices through OriginQ's QPanda3: its local simulators, and chips of its cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.exchange import to_qpanda
from qloom.circuits.gate import Gate
from qloom.circuits.parts import finished, simpler
from qloom.engines.hardware.jobs import Device, DeviceError, Job, passing
from qloom.engines.hardware.local import LocalDevice
from qloom.extras import package

# Qubits that fit into memory: amplitudes, density matrices.
_LOCAL = {"CPUQVM": 26, "DensityMatrixSimulator": 12}
# How many letters of its key a task has as its batch number.
_LETTERS = 32


class QPandaDevice(Device):
    """A chip of OriginQ's cloud.

    The cloud can be asked for a task by its own number alone, which is lost if a run is killed between sending and
    writing it down, or an answer is lost. Such a job is not sent again: it stops with its batch number, and goes on
    once `known` says what became of it. Angles are sent with eight digits, as the package does.

    Args:
        backend: a QCloudBackend.
        known: batch number -> number of the task that has it, or "" where the account has none.
        options: QCloudOptions; None for its own ones without amended readout, whose counts are no measurements.
        prices: money_a_shot, money_a_row, seconds_a_shot.
    """

    def __init__(
        self, backend: Any, known: Mapping[str, str] | None = None, options: Any = None,
        prices: Mapping[str, float] | None = None,
    ):  # fmt: skip
        self.cloud = package("pyqpanda3.qcloud", "QPandaDevice", "devices")
        self.backend, self.name, self.known = backend, f"qpanda {backend.name()}", dict(known or {})
        self.options = options or self.cloud.QCloudOptions(amend_flag=0)
        self._said: dict[str, str] = {}
        self.priced(prices)

    @staticmethod
    def local(name: str, folder: str | Path) -> LocalDevice:
        """A local simulator in the background: "CPUQVM" or "DensityMatrixSimulator"; DeviceError for another.

        Its queue is in `folder`.
        """
        if name not in _LOCAL:
            raise DeviceError(
                f"no local simulator {name!r}, expected one of {', '.join(_LOCAL)}; chips are "
                "QPandaDevice(QCloudService(api_key).backend(name))"
            )
        return LocalDevice(f"{__name__}:{name}", folder, f"qpanda {name}", _LOCAL[name])

    def check(self, job: Job) -> None:
        if len(job.values):
            _sent_program(job, job.values[0])

    def submit(self, job: Job) -> str:
        programs, batch = [_sent_program(job, numbers) for numbers in job.values], job.key[:_LETTERS]
        try:
            return str(self.backend.run(programs, job.shots, self.options, batch_id=batch).job_id())
        except Exception as error:
            self._said[batch] = str(error)
            message = f"{self.name} did not take a job ({type(error).__name__}: {error})"
            raise DeviceError(message, passes="failed with status 4" not in str(error), paid=False) from error

    def find(self, job: Job) -> str | None:
        batch = job.key[:_LETTERS]
        if batch not in self.known:
            said = f" ({self._said[batch]})" if batch in self._said else ""
            raise DeviceError(
                f"{self.name} cannot be asked whether the job of batch number {batch} arrived{said}: look for it among "
                f"the tasks of your account, and pass known={{{batch!r}: its task number, or '' if there is none}}"
            )
        return self.known[batch] or None

    def result(self, handle: str, job: Job) -> np.ndarray | None:
        with passing(f"{self.name} does not answer"):
            found, status = self.cloud.QCloudJob(handle).query(), self.cloud.JobStatus
            state, answer = found.job_status(), json.loads(found.origin_data())
            counts = found.get_counts_list() if state == status.FINISHED else None
        if state == status.FAILED:  # so it says of requests that are refused, too
            message = f"{self.name}: task {handle} failed ({answer.get('message') or found.error_message()})"
            raise DeviceError(message, passes=not answer.get("success"))
        if counts is None:
            return None
        return _bits(counts, job, f"{self.name}: task {handle}")


def run_local(
    name: str, circuit: Circuit, qubits: tuple[int, ...], values: np.ndarray, shots: int, seed: int
) -> np.ndarray:
    """Bits (B, shots, k) from a local simulator: it takes no seed, so that its probabilities are drawn from here."""
    random, places = np.random.default_rng(seed), np.array(qubits)
    rows = []
    for numbers in values:
        found = _probabilities(name, to_qpanda(_bound(circuit, numbers)))
        drawn = random.choice(len(found), shots, p=found / found.sum())
        rows.append(drawn[:, None] >> places & 1)
    return np.array(rows, np.uint8)


def _probabilities(name: str, program: Any) -> np.ndarray:
    """(2^n,), qubit 0 the least significant bit."""
    machine = getattr(package("pyqpanda3.core", "QPandaDevice", "devices"), name)()
    if name == "CPUQVM":
        machine.run(program, 1)
        return np.abs(machine.result().get_state_vector()) ** 2
    machine.run(program)
    return np.asarray(machine.state_probs())


def _bound(circuit: Circuit, numbers: np.ndarray) -> Circuit:
    return Circuit(circuit.n_qubits).place(circuit, range(circuit.n_qubits), inputs=numbers.tolist())


def _sent_program(job: Job, numbers: np.ndarray) -> Any:
    """A row of a job, bit k from the k-th of its qubits. What is sent is text, in which matrices have no form."""
    bound = _bound(job.circuit, numbers)
    part = [one for op in bound.operations for one in (simpler(op) if _is_matrix(op.gate) else [op])]
    out = finished(Circuit(bound.n_qubits), part)
    for bit, qubit in enumerate(job.qubits):
        out.measure(qubit, bit)
    return to_qpanda(out)


def _is_matrix(gate: Gate) -> bool:
    return _is_matrix(gate.data) if gate.name == "controlled" else gate.name in ("unitary", "diagonal")


def _bits(counts: list[dict[str, int]], job: Job, what: str) -> np.ndarray:
    """(B, shots, k) of counts by numbers, 0x5 or 101, bit 0 the lowest; in an order of the job's own."""
    sums = [sum(table.values()) for table in counts]
    if sums != [job.shots] * len(job.values):
        raise DeviceError(f"{what} has counts of {sums} shots, expected {job.shots} of each of {len(job.values)}")
    random, places = np.random.default_rng(job.seed), np.arange(len(job.qubits))
    rows = []
    for table in counts:
        numbers = [int(key, 16 if key.startswith("0x") else 2) for key in table]
        drawn = random.permutation(np.repeat(numbers, list(table.values())))
        rows.append(drawn[:, None] >> places & 1)
    return np.array(rows, np.uint8)
