"""QASMBench's circuits against the distributions that Qiskit gives, and PennyLane's programs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

import qloom as ql
from benchmarks.shared import DATA
from qloom.circuits import Circuit
from qloom.circuits.conditions import bits_written
from qloom.circuits.qasm import QasmError
from tests.shared import shared

BENCH, PROGRAMS = DATA / "qasmbench", DATA / "openqasm3_pennylane"
# What their sources demand: c is not declared in these.
WITHOUT_REGISTERS = {f"vqe_uccsd_n{n}" for n in (4, 6, 8)}
# Programs without a qubit, and what no circuit holds, by what is said of it.
REFUSED = {
    "assignment": "no qubits", "binary_expressions": "no qubits", "classical": "no qubits",
    "unary_expressions": "no qubits", "variables": "no qubits", "functions": "rotl",
    "post_processing": "c is not declared", "condition_on_measurement": "while on measured bits",
    "custom_gates": "gate custom_three acts on what is none of its qubits",
    "end_in_measure_conditioned_branch": "under a condition on measured bits",
}  # fmt: skip


def expected() -> dict[str, dict]:
    with gzip.open(BENCH / "expected_qiskit.json.gz", "rt") as file:
        return json.load(file)["circuits"]


def read(path: Path) -> Circuit:
    return ql.from_qasm(path.read_text())


def by_measured_qubits(circuit: Circuit, table: dict[str, float]) -> dict[str, float]:
    """Of the bits that were written, in order of their qubits from the last, as the published keys are."""
    last = {bits_written(op.gate)[0]: op.qubits[0] for op in circuit.operations if bits_written(op.gate)}
    order = sorted(last, key=lambda bit: -last[bit])
    out: dict[str, float] = {}
    for bits, p in table.items():
        key = "".join(bits[bit] for bit in order)
        out[key] = out.get(key, 0) + p
    return out


@shared
def test_all_files_are_read_or_refused_as_their_sources_demand():
    files = sorted(BENCH.rglob("*.qasm"))
    assert len(files) >= 124
    for path in files:
        if path.parent.name in WITHOUT_REGISTERS:
            with pytest.raises(QasmError, match="c is not declared"):
                read(path)
        else:
            circuit = read(path)
            assert circuit.n_qubits == int(path.parent.name.split("_n")[-1]), path


@shared
def test_distributions_are_the_published_ones():
    """Exact ones to 1e-6; sampled ones, of 100,000 shots, to six of their standard errors."""
    n_exact = n_sampled = 0
    for name, record in expected().items():
        if record.get("kind") not in ("exact", "sampled_100000") or not record.get("measured"):
            continue
        circuit = read(BENCH / name)
        if circuit.n_qubits > 22:
            continue
        table = ql.distribution(circuit)
        if record["kind"] == "exact":
            found = by_measured_qubits(circuit, table)
            assert all(abs(found.get(key, 0) - p) < 1e-6 for key, p in record["probs"].items()), name
            assert sum(p * p for p in found.values()) == pytest.approx(record["sum_p2"], abs=1e-9), name
            n_exact += 1
        else:
            found = {bits[::-1]: p for bits, p in table.items()}
            for key, share in record["probs"].items():
                p = found.get(key.replace(" ", ""), 0)
                assert abs(p - share) < 6 * np.sqrt(p * (1 - p) / 1e5) + 1e-5, name
            n_sampled += 1
    assert (n_exact, n_sampled) == (44, 5)


@shared
def test_transpiled_circuits_are_the_original_ones():
    n_compared = 0
    for path in sorted(BENCH.rglob("*_transpiled.qasm")):
        original = path.with_name(path.name.replace("_transpiled", ""))
        if path.parent.name in WITHOUT_REGISTERS or not original.exists():
            continue
        circuits = [read(original), read(path)]
        if circuits[0].n_qubits > 16 or not circuits[0].n_bits or len(circuits[0]) > 20_000:
            continue
        one, other = (ql.distribution(circuit) for circuit in circuits)
        assert max(abs(one.get(key, 0) - other.get(key, 0)) for key in one.keys() | other.keys()) < 2e-7, path
        n_compared += 1
    assert n_compared > 30


@shared
@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.qasm")), ids=lambda path: path.stem)
def test_programs_are_read_or_refused_by_name(path):
    if path.stem in REFUSED:
        with pytest.raises(QasmError, match=REFUSED[path.stem]):
            read(path)
    else:
        assert read(path).n_qubits > 0


def gates(name: str) -> list[tuple]:
    return [
        (op.gate.name, op.qubits, *(round(angle.offset, 9) for angle in op.angles))
        for op in read(PROGRAMS / f"{name}.qasm").operations
    ]


@shared
def test_gates_of_programs_are_as_their_source_says():
    """Read by hand."""
    found = gates("nested_control_flow")
    assert [gate[0] for gate in found].count("y") == 15
    assert found[:6] == [("x", (0,))] * 6  # 0, 2 .. 10
    assert found[6] == ("z", (0,))
    assert gates("end_in_loop") == [("rx", (0,), 1.0)]
    assert gates("complex_subroutines") == [
        ("h", (0,)), ("y", (0,)), ("h", (0,)), ("rx", (0,), 0.1), ("x", (2,)), ("y", (3,)),
    ]  # fmt: skip
    assert gates("subroutines") == [("h", (0,)), ("measure", (0,))]
    assert [gate[0] for gate in gates("resets")] == ["reset"] * 10 + ["measure"] * 10
