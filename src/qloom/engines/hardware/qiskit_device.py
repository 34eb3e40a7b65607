"""Devices through Qiskit's primitives: IBM's, whatever has a BackendV2, Aer, and IBM's fake machines."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.exchange import to_qiskit
from qloom.engines.hardware.jobs import Device, DeviceError, Job, passing
from qloom.engines.hardware.local import LocalDevice
from qloom.extras import package

# What transpiling looks for, the same in every run.
LEVEL, SEED = 1, 0


class QiskitDevice(Device):
    """A backend of Qiskit's that takes jobs by SamplerV2.

    Args:
        backend: a BackendV2.
        sampler: of the same; None for IBM Runtime's.
        service: a QiskitRuntimeService, to ask for jobs by their keys after a run was killed; None for the backend's.
        prices: money_a_shot, money_a_row, seconds_a_shot.
    """

    def __init__(
        self, backend: Any, sampler: Any = None, service: Any = None, prices: Mapping[str, float] | None = None
    ):  # fmt: skip
        self.backend, self.name, self.n_qubits = backend, f"qiskit {backend.name}", backend.num_qubits
        self._service: Any = service if service is not None else getattr(backend, "service", None)
        self._sampler = sampler
        if self._service is None:
            raise DeviceError(
                f"{self.name} has no service that knows its jobs by their keys: what was paid could be lost; pass "
                "service=, or take QiskitDevice.local(...) for simulators"
            )
        if sampler is not None and not hasattr(getattr(sampler, "options", None), "environment"):
            raise DeviceError(f"{type(sampler).__name__} tags no jobs, expected IBM Runtime's SamplerV2, or none")
        self.priced(prices)

    @staticmethod
    def named(name: str, folder: str | Path) -> Device:
        """One on this machine, as `local` has it, or a machine of IBM's that the saved account may use.

        Raises:
            DeviceError: for a machine that is not there.
            ExtraError: without IBM's package.
        """
        if name == "aer" or name.startswith("Fake"):
            return QiskitDevice.local(name, folder)
        runtime = package("qiskit_ibm_runtime", "QiskitDevice", "devices", brought_by="qiskit-ibm-runtime")
        try:
            backend = runtime.QiskitRuntimeService().backend(name)
        except Exception as error:
            raise DeviceError(f"{name} is not there ({type(error).__name__}: {error})") from error
        return QiskitDevice(backend)

    @staticmethod
    def local(name: str, folder: str | Path) -> LocalDevice:
        """Aer in the background: "aer" without noise, or as a fake machine, such as "FakeManilaV2".

        Its queue is in `folder`.
        """
        n_qubits = None if name == "aer" else fake_backend(name).num_qubits
        return LocalDevice(f"{__name__}:{name}", folder, f"qiskit {name}", n_qubits)

    def check(self, job: Job) -> None:
        _pubs(self.backend, job.circuit, job.qubits, job.values)

    def submit(self, job: Job) -> str:
        pubs, sampler = _pubs(self.backend, job.circuit, job.qubits, job.values), self._sampler
        if sampler is None:
            runtime = package("qiskit_ibm_runtime", "QiskitDevice", "devices", brought_by="qiskit-ibm-runtime")
            sampler = runtime.SamplerV2(mode=self.backend)
        sampler.options.environment.job_tags = [job.key]
        with passing(f"{self.name} did not take a job"):
            return str(sampler.run(pubs, shots=job.shots).job_id())

    def find(self, job: Job) -> str | None:
        with passing(f"{self.name} does not say what it has"):
            found = self._service.jobs(job_tags=[job.key], limit=1)
        return str(found[0].job_id()) if found else None

    def result(self, handle: str, job: Job) -> np.ndarray | None:
        with passing(f"{self.name} does not answer"):
            sent = self._service.job(handle)
            status = str(getattr(sent.status(), "name", sent.status())).upper()
            done = sent.result() if status == "DONE" else None
        if status in ("ERROR", "CANCELLED"):
            raise DeviceError(f"{self.name}: job {handle} ended as {status.lower()}", paid=False)
        return None if done is None else _bits(done, job.qubits)


def run_local(
    name: str, circuit: Circuit, qubits: tuple[int, ...], values: np.ndarray, shots: int, seed: int
) -> np.ndarray:
    """Bits (B, shots, k) from Aer."""
    primitives = package("qiskit_aer.primitives", "QiskitDevice", "devices", brought_by="qiskit-aer")
    backend = _simulator(name)
    sampler = primitives.SamplerV2.from_backend(backend, seed=seed)
    return _bits(sampler.run(_pubs(backend, circuit, qubits, values), shots=shots).result(), qubits)


@lru_cache(maxsize=8)
def _simulator(name: str) -> Any:
    aer = package("qiskit_aer", "QiskitDevice", "devices", brought_by="qiskit-aer")
    return aer.AerSimulator() if name == "aer" else aer.AerSimulator.from_backend(fake_backend(name))


def fake_backend(name: str) -> Any:
    """One of IBM's machines as it was recorded; DeviceError for another name."""
    fakes = package("qiskit_ibm_runtime.fake_provider", "QiskitDevice", "devices", brought_by="qiskit-ibm-runtime")
    made = getattr(fakes, name, None)
    if made is None:
        known = [known for known in dir(fakes) if known.startswith("Fake") and known.endswith("V2")]
        raise DeviceError(f"no machine {name!r}, expected aer or one of {', '.join(known[:5])} ... {known[-1]}")
    return made()


def _pubs(backend: Any, circuit: Circuit, qubits: tuple[int, ...], values: np.ndarray) -> list[tuple[Any, ...]]:
    """The circuit as the backend runs it, with numbers for its parameters in their order; without any once a row."""
    transpiled = _transpiled(backend, circuit, qubits)
    parameters = list(transpiled.parameters)
    if not parameters:  # rows of no numbers are not what all samplers expect
        return [(transpiled,)] * len(values)
    places = [int(parameter.name.rsplit("[", 1)[1][:-1]) if "[" in parameter.name else 0 for parameter in parameters]
    return [(transpiled, values[:, places])]


@lru_cache(maxsize=256)
def _transpiled(backend: Any, circuit: Circuit, qubits: tuple[int, ...]) -> Any:
    qiskit = package("qiskit", "QiskitDevice", "devices")
    measured = circuit.copy()
    for bit, qubit in enumerate(qubits):
        measured.measure(qubit, bit)
    return qiskit.transpile(to_qiskit(measured), backend, optimization_level=LEVEL, seed_transpiler=SEED)


def _bits(result: Any, qubits: tuple[int, ...]) -> np.ndarray:
    """(B, shots, k): its arrays have bit 0 last, rows first where there are any."""
    parts = []
    for one in result:
        array = np.asarray(next(iter(one.data.values())).array, np.uint8)
        bits = np.unpackbits(array, axis=-1)[..., -len(qubits) :][..., ::-1]
        parts.append(bits.reshape(-1, *bits.shape[-2:]))
    return np.concatenate(parts)
