"""The engine of devices: bits come from jobs, each of which is written down before it is sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine, Evaluator
from qloom.engines.batch import Batch
from qloom.engines.hardware.jobs import Cost, Device, DeviceError, Job
from qloom.engines.hardware.journal import DONE, LOST, REFUSED, SENDING, Budget, Entry, Journal
from qloom.engines.measuring.samplers import Sampler
from qloom.engines.measuring.shots import Shots
from qloom.engines.outputs import Outputs
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, UnsupportedError

# Of a request that a device did not take, or a result that did not come: how often, and the longest wait between.
MOST_TRIES, LONGEST_WAIT = 8, 30.0


class DeviceEngine(Shots):
    """Values measured on a device.

    Every job is written to a journal before it is sent, under a key made of its content and its place among the
    measurements of the run. A run that was killed, and begins again with the same seed, asks for results of jobs that
    were paid, sends nothing twice, and goes on. Derivatives are parameter shifts, the circuits of a batch in one job a
    group of words. Jobs are told apart by their order: threads that share an engine in no fixed one buy anew.

    Args:
        device: an adapter, such as `QiskitDevice` or `BraketDevice`.
        shots: measurements of each group of words and each circuit.
        journal: a file, or a `Journal`.
        budget: what all runs of this journal may spend; nothing is sent beyond it. None for any.
        seed: of the run: another one measures anew.
        timeout: seconds that a result is waited for; the job stays in the journal.
        on_job: called with what is spent after each job.

    Raises:
        CircuitError: for no seed, or `shots` below 1.
        ArtifactError: for a file that is no journal.

    When values are asked for it raises BudgetError for a job beyond the budget, and DeviceError for one that failed or
    whose result did not come in time.
    """

    def __init__(
        self, device: Device, shots: int, journal: str | Path | Journal, budget: Budget | None = None, seed: int = 0,
        timeout: float = 3600.0, on_job: Callable[[Cost], None] | None = None,
    ):  # fmt: skip
        if seed is None:
            raise CircuitError("seed=None, expected a number: a run that is begun again finds its jobs by it")
        self.jobs = Jobs(device, journal, budget or Budget(), timeout, on_job)
        super().__init__(_Measured(self.jobs), shots, seed)

    def __repr__(self) -> str:
        return f"DeviceEngine({self.jobs.device.name}, shots={self.shots})"

    @property
    def device(self) -> Device:
        """The adapter that jobs are sent to."""
        return self.jobs.device

    @property
    def journal(self) -> Journal:
        """Where every job is written down; opened by the engine if a path was given."""
        return self.jobs.journal

    @property
    def spent(self) -> Cost:
        """By all runs of the journal."""
        return self.jobs.journal.spent

    def estimate_cost(self, layer: Any, n_samples: int, n_steps: int = 1, by: Sequence[str] = ("weight",)) -> Cost:
        """What a training will cost: of a `QuantumLayer` on this engine, values and slopes of samples in each step.

        Args:
            layer: whose circuit is trained.
            n_samples: of each step.
            n_steps: of the training.
            by: whose slopes are wanted, "weight" and "input", by the layer's differentiator; nothing for values alone.
        """
        evaluator = layer.evaluator
        runs = evaluator.walk_runs(("input" in by, "weight" in by)) if by else 0
        values = self.device.cost(n_samples, self.shots)
        slopes = self.device.cost(runs * n_samples, self.shots) if runs else Cost()
        return (values + slopes) * evaluator.n_groups * n_steps


class _Measured(Engine):
    """Bits of circuits from jobs; values come from `Shots` around it."""

    gives = frozenset()
    is_exact = False

    def __init__(self, jobs: Jobs):
        self.jobs = jobs

    def __repr__(self) -> str:
        return self.jobs.device.name

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> Evaluator:
        raise UnsupportedError(f"{self.jobs.device.name} gives bits, not {outputs.kind}")

    def bits(self, circuit: Circuit, qubits: tuple[int, ...]) -> Sampler:
        most = self.jobs.device.n_qubits
        if most is not None and circuit.n_qubits > most:
            raise UnsupportedError(
                f"the circuit has {circuit.n_qubits} qubits, {self.jobs.device.name} has {most}; take fewer qubits"
            )
        if circuit.initial is not None:
            raise UnsupportedError("a circuit that starts from amplitudes is not run on devices; prepare them by gates")
        return _DeviceSampler(self.jobs, circuit, qubits)


class _DeviceSampler(Sampler):
    """Bits of one circuit, whose slots are inputs one after the other."""

    def __init__(self, jobs: Jobs, circuit: Circuit, qubits: tuple[int, ...]):
        self._jobs, self.qubits, self.n_bits = jobs, qubits, len(qubits)
        self.circuit = with_inputs_alone(circuit)

    def draw(self, batch: Batch, shots: int, stream: Stream) -> np.ndarray:
        weights = np.broadcast_to(batch.weights, (batch.size, batch.weights.shape[-1]))
        values = np.hstack([batch.inputs, weights]).astype(np.float64)
        place = tuple(map(int, stream.call()))
        return self._jobs.bits(Job(self.circuit, self.qubits, values, shots, place, self._jobs.device.name))


def with_inputs_alone(circuit: Circuit) -> Circuit:
    """The same with weights as further inputs, all in one block "v"."""
    out, n_inputs, n_slots = Circuit(circuit.n_qubits), circuit.n_inputs, circuit.n_inputs + circuit.n_weights
    slots = out.inputs(n_slots, name="v").tolist() if n_slots else []
    return out.place(circuit, range(circuit.n_qubits), weights=slots[n_inputs:], inputs=slots[:n_inputs])


class Jobs:
    """Jobs through the journal: found there, found on the device, or sent.

    Attributes:
        used: cost of what was asked for here, bought now or before.
        on_job: is told what all runs of the journal have spent after each job, where it is set.
    """

    def __init__(
        self, device: Device, journal: str | Path | Journal, budget: Budget, timeout: float,
        on_job: Callable[[Cost], None] | None,
    ):  # fmt: skip
        self.device, self.budget, self.timeout, self.on_job = device, budget, timeout, on_job
        self.journal = journal if isinstance(journal, Journal) else Journal(journal)
        self.used = Cost()

    def bits(self, job: Job) -> np.ndarray:
        """Of a job; what is known of it before, or once it is bought."""
        bits = self._found(job)
        self.used += self.device.cost(len(job.values), job.shots)
        if self.on_job is not None:
            self.on_job(self.journal.spent)
        return bits

    def _found(self, job: Job) -> np.ndarray:
        entry = self.journal.entry(job.key)
        if entry is not None and entry.status == DONE and entry.bits is not None:
            return self._checked(entry.bits, job)
        if entry is not None and entry.status == LOST:
            raise DeviceError(f"job {job.key[:12]} failed and was paid for ({entry.message}); give another seed")
        if entry is None or entry.handle is None or entry.status == REFUSED:
            self.device.check(job)
            with self.journal.sending():
                entry = self.journal.entry(job.key)
                handle = self._handle(job, entry)
        else:
            handle = entry.handle
        bits = self._checked(self._wait(handle, job), job)
        self.journal.done(job.key, bits)
        return bits

    def _handle(self, job: Job, entry: Entry | None) -> str:
        """Of a job that was sent before, or is sent now."""
        if entry is not None and entry.handle is not None and entry.status != REFUSED:
            return entry.handle
        if entry is not None and entry.status == SENDING:  # killed in between: it may have arrived
            found = self._tried(lambda: self.device.find(job))
            if found is not None:
                self.journal.sent(job.key, found)
                return found
        else:
            cost = self.device.cost(len(job.values), job.shots)
            self.journal.reserve(job, self.device.name, cost, self.budget)
        try:
            handle = self._sent(job)
        except DeviceError as error:
            if not error.passes:  # else it may have arrived: the next run asks
                self.journal.failed(job.key, str(error), paid=False)
            raise
        self.journal.sent(job.key, handle)
        return handle

    def _sent(self, job: Job) -> str:
        """Sent once: before it is tried again the device is asked whether it arrived."""

        def send() -> str:
            return self.device.find(job) or self.device.submit(job)

        try:
            return self.device.submit(job)
        except DeviceError as error:
            if not error.passes:
                raise
        try:
            return self._tried(send)
        except DeviceError as error:
            error.passes = True  # the first may have arrived
            raise

    def _tried(self, work: Callable[[], Any]) -> Any:
        for attempt in range(MOST_TRIES):
            try:
                return work()
            except DeviceError as error:
                if not error.passes or attempt == MOST_TRIES - 1:
                    raise
                time.sleep(min(LONGEST_WAIT, 0.1 * 2**attempt))
        raise AssertionError

    def _wait(self, handle: str, job: Job) -> np.ndarray:
        began, pause = time.monotonic(), 0.01
        while True:
            try:
                bits = self._tried(lambda: self.device.result(handle, job))
            except DeviceError as error:
                if not error.passes:
                    self.journal.failed(job.key, str(error), error.paid)
                raise
            if bits is not None:
                return np.asarray(bits, np.uint8)
            if time.monotonic() - began > self.timeout:
                raise DeviceError(
                    f"job {job.key[:12]} on {self.device.name} has no result after {self.timeout:g} s; it is in the "
                    f"journal {self.journal.path}: run again to ask for it"
                )
            time.sleep(pause)
            pause = min(LONGEST_WAIT, 1.5 * pause)

    def _checked(self, bits: np.ndarray, job: Job) -> np.ndarray:
        expected = (len(job.values), job.shots, len(job.qubits))
        if bits.shape != expected:
            raise DeviceError(
                f"job {job.key[:12]} gave bits of shape {bits.shape}, expected {expected}: results of another circuit"
            )
        return bits
