"""Relaxation of a qubit over the time of a gate, as devices report it: what is missing or impossible, fidelities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, prod

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.noise.model import Note

# A time that is not known: none of what it rules is seen, in any unit.
ENDLESS = 1e18


@dataclass(frozen=True)
class Coherence:
    """T1 and T2 of a qubit, T2 at most 2 T1."""

    t1: float
    t2: float

    def process_fidelity(self, time: float) -> float:
        """Tr of the relaxation's transfer matrix over 4, at rest in |0>."""
        return (1 + exp(-time / self.t1) + 2 * exp(-time / self.t2)) / 4

    def relaxation(self, time: float, qubit: int, width: int) -> Operation:
        """The channel over a time, on a qubit of a gate."""
        return Circuit(width).thermal_relaxation(self.t1, self.t2, time, 0.0, qubit).operations[0]


def coherence(t1: float | None, t2: float | None, qubit: int) -> tuple[Coherence | None, list[Note]]:
    """Of reported times: T2 cut at 2 T1, missing ones endless; None where both are missing."""
    known1, known2 = (t is not None and isfinite(t) and t > 0 for t in (t1, t2))
    notes = []
    if not known1:
        notes.append(
            Note((qubit,), "T1 is missing, taken as endless" if known2 else "T1 and T2 are missing, no relaxation")
        )
    elif not known2:
        notes.append(Note((qubit,), "T2 is missing, taken as 2 T1"))
    if not (known1 or known2):
        return None, notes
    long1 = float(t1) if known1 and t1 is not None else ENDLESS
    long2 = float(t2) if known2 and t2 is not None else 2 * long1
    if long2 > 2 * long1:
        notes.append(Note((qubit,), "T2 is above 2 T1, cut to 2 T1"))
        long2 = 2 * long1
    return Coherence(long1, long2), notes


def average_fidelity(coherences: Sequence[Coherence | None], time: float) -> float:
    """Average gate fidelity of the relaxation of all qubits of a gate over its time."""
    size = 2 ** len(coherences)
    process = prod(1.0 if each is None else each.process_fidelity(time) for each in coherences)
    return (size * process + 1) / (size + 1)
