"""A million gates of OpenQASM 2 read, beside Qiskit's reader in one run.

Goals: under 3 s and 500 MB; at least 2 times faster than Qiskit's is the stretch. Checked: as many gates of each name.
Floor: the text's 21 MB once, and three objects a gate (an operation, its angles, its qubits) of about 300 bytes.

Run: python -m benchmarks.circuits.reading   (with Qiskit beside, in an environment that has it)
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import qloom as ql
from benchmarks.results import append_row, provenance

GATES, QUBITS = 1_000_000, 20


def text() -> str:
    """A quarter each of rotations by numbers of their own, CNOTs, Hadamards and u3 with one such number."""
    random = np.random.default_rng(0)
    numbers, first = random.uniform(0, 6, GATES), random.integers(0, QUBITS, GATES)
    second = (first + random.integers(1, QUBITS, GATES)) % QUBITS
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{QUBITS}];", f"creg c[{QUBITS}];"]
    for k, (a, b, number) in enumerate(zip(first.tolist(), second.tolist(), numbers.tolist(), strict=True)):
        kinds = f"rz({number}) q[{a}];", f"cx q[{a}],q[{b}];", f"h q[{a}];", f"u3(pi/2,{number},-pi/4) q[{a}];"
        lines.append(kinds[k % 4])
    return "\n".join([*lines, "measure q -> c;"])


def seconds(read: Any, source: str) -> tuple[float, Any]:
    times = []
    for _ in range(3):
        gc.collect()
        start = time.perf_counter()
        found = read(source)
        times.append(time.perf_counter() - start)
    return median(times), found


def main() -> None:
    source = text()
    mine, circuit = seconds(ql.from_qasm, source)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    row: dict[str, Any] = {"seconds": mine, "megabytes": int(status["VmHWM"].split()[0]) / 1e3, "qiskit_seconds": None}
    if find_spec("qiskit") is not None:
        from qiskit import qasm2

        row["qiskit_seconds"], other = seconds(qasm2.loads, source)
        names = {"u": "u3"}
        assert Counter(other.count_ops()) == Counter({names.get(n, n): k for n, k in circuit.gate_counts().items()})
    append_row("circuits_reading", {**row, **provenance()})
    print(row)


if __name__ == "__main__":
    main()
