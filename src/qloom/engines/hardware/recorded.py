"""Stored counts, given again as if they were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.hardware.jobs import Device, DeviceError, Job


class RecordedDevice(Device):
    """Answers with counts that were recorded for these circuits, each once measured.

    A circuit that is not among them, or more shots than were recorded, raise DeviceError.

    Args:
        counts: of circuits without slots, by bit strings of all their qubits, bit 0 leftmost.
        name: as journals have it.
    """

    def __init__(self, counts: Mapping[Circuit, Mapping[str, int]], name: str = "recorded"):
        self.name = name
        self._counts = {_gates(circuit): dict(table) for circuit, table in counts.items()}

    def submit(self, job: Job) -> str:
        if _gates(job.circuit) not in self._counts:
            raise DeviceError(f"{self.name} has no counts of {job.circuit!r}, expected one of those recorded")
        total = sum(self._counts[_gates(job.circuit)].values())
        if len(job.values) != 1 or job.shots > total:
            raise DeviceError(
                f"{self.name} has {total} shots of {job.circuit!r}, asked for {len(job.values)} x {job.shots}"
            )
        return job.key

    def find(self, job: Job) -> str | None:
        return None

    def result(self, handle: str, job: Job) -> np.ndarray:
        table = self._counts[_gates(job.circuit)]
        rows = np.repeat([_row(bits) for bits in table], list(table.values()), axis=0)
        kept = np.random.default_rng(job.seed).permutation(len(rows))[: job.shots]
        return rows[kept][None][..., list(job.qubits)]


def _gates(circuit: Circuit) -> Circuit:
    """Without measurements."""
    out = Circuit(circuit.n_qubits)
    out.operations = [op for op in circuit.operations if op.gate.kind != "measurement"]
    return out


def _row(bits: str) -> Sequence[int]:
    return [int(bit) for bit in bits]
