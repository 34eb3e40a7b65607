"""What a trapped-ion machine recorded: survival counts, and programs with their counts."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any, NamedTuple

from benchmarks.shared import DATA
from qloom.circuits import Circuit
from qloom.circuits.qasm import from_qasm

FOLDER = DATA / "quantinuum_rb"
SPEC = FOLDER / "published_spec.csv"
# Two-qubit gates of a Clifford, on average.
ENTANGLERS = 1.5
# The machine's gate as the files spell it out, and as what it is: one gate, with the noise of one.
_SPELT, _GATE = "{ cx a,b; rz(pi/2) b; cx a,b; }", "{ rzz(pi/2) a,b; }"


@cache
def _load(name: str) -> Any:
    with gzip.open(FOLDER / name) as file:
        return json.load(file)


def survival_counts(day: str, experiment: str) -> tuple[list[int], list[int], int, int] | None:
    """Lengths, survivals, shots and qubits of a sequence, all pairs together; None where there are none."""
    found = _load("survival_counts.json.gz")["data"].get(day, {}).get(experiment)
    if found is None:
        return None
    rows = [
        (int(length), count)
        for qubits in found["survival"].values()
        for length, sequences in qubits.items()
        for count in sequences.values()
    ]
    return [m for m, _ in rows], [k for _, k in rows], found["shots"], 2 if experiment == "TQ_RB" else 1


def readout_error(day: str) -> float:
    """Share of wrong bits after preparing 0 and 1."""
    found = _load("survival_counts.json.gz")["data"][day]["SPAM"]
    counts = [count for qubits in found["survival"].values() for count in qubits.values()]
    return 1 - sum(counts) / (len(counts) * found["shots"])


def programs() -> tuple[list[Circuit], list[dict[str, int]]]:
    """Circuits of the recorded programs, and what was counted."""
    return [run.circuit for run in runs()], [run.counts for run in runs()]


class Run(NamedTuple):
    """A recorded program of pairs of qubits, with what it should give without noise; bits of qubit 0 first."""

    length: int
    circuit: Circuit
    ideal: str
    counts: dict[str, int]

    @property
    def pairs(self) -> list[tuple[int, ...]]:
        """Qubits that are entangled."""
        return sorted({tuple(sorted(op.qubits)) for op in self.circuit.operations if len(op.qubits) == 2})


@cache
def runs() -> list[Run]:
    """The programs as their texts have them, without the measurements in the end."""
    found = _load("h2_1_tq_rb_programs_and_counts.json.gz")["runs"].values()
    return [
        Run(run["length"], _read(run["qasm"]), run["ideal_output_q0_first"], run["counts_q0_first"]) for run in found
    ]


def _read(text: str) -> Circuit:
    assert _SPELT in text
    circuit = from_qasm(text.replace(_SPELT, _GATE))
    out = Circuit(circuit.n_qubits)
    out.operations = [op for op in circuit.operations if op.gate.kind != "measurement"]
    return out
