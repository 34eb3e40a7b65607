"""What a trapped-ion machine recorded: survival counts, and programs with their counts."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from math import pi
from typing import Any

from benchmarks.shared import DATA
from qloom.circuits import Circuit

FOLDER = DATA / "quantinuum_rb"
SPEC = FOLDER / "published_spec.csv"
# Two-qubit gates of a Clifford, on average.
ENTANGLERS = 1.5
_GATE = re.compile(r"(r[xyz]|zzmax)(?:\(([\d.]+)\*pi\))? q\[(\d+)\](?:,q\[(\d+)\])?")


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
    runs = _load("h2_1_tq_rb_programs_and_counts.json.gz")["runs"].values()
    return [_circuit(run["qasm"]) for run in runs], [run["counts_q0_first"] for run in runs]


def _circuit(qasm: str) -> Circuit:
    circuit = Circuit(8)
    body = qasm.split("creg")[1]
    for name, angle, first, second in _GATE.findall(body):
        if name == "zzmax":
            circuit.rzz(pi / 2, int(first), int(second))
        else:
            circuit.append(name, (float(angle) * pi,), (int(first),))
    return circuit
