"""What the page of comparisons takes from measurements is what was measured, of the versions that were measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPARISON = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
# The column of the page -> the row of docs/performance.md.
MEASURED = {
    "PennyLane 0.45.1, JAX 0.7.1": "PennyLane default.qubit, JAX",
    "PennyLane Lightning 0.45.0": "PennyLane lightning.qubit, adjoint",
    "TensorCircuit-NG 1.10.0, JAX 0.10.2": "TensorCircuit-NG, JAX, fused gates, scan over layers",
    "TorchQuantum 0.1.8": "TorchQuantum",
    "TensorFlow Quantum 0.7.6": "TensorFlow Quantum, adjoint",
}


def table(text: str, first: str) -> list[list[str]]:
    """The cells of the table whose heading begins with `first`, that one included."""
    lines = text[text.index(f"| {first} |") :].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines[: next(i for i, line in enumerate(lines) if not line)]]
    return [rows[0], *rows[2:]]


def test_ratios_are_those_of_the_page_of_performance():
    sizes, *systems = table(PERFORMANCE, "ms (times ours)")
    found = {cells[0]: dict(zip(sizes[1:], cells[1:], strict=False)) for cells in systems}
    heading, *rows = table(COMPARISON, "qubits, samples, layers")
    assert heading[1:] == list(MEASURED)
    for size, *cells in rows:
        for column, cell in zip(heading[1:], cells, strict=True):
            measured = found[MEASURED[column]][size]
            ratio = re.search(r"\(([\d.,]+)\)", measured)
            assert cell.strip("*") == (ratio[1] if ratio else measured), (size, column)


def test_versions_and_day_are_those_of_the_measurement():
    folder = ROOT / "benchmarks" / "peers" / "requirements"
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+)$", "\n".join(p.read_text() for p in folder.iterdir()), re.MULTILINE))
    for title, package in {
        "PennyLane": "pennylane",
        "PennyLane Lightning": "pennylane-lightning",
        "TensorCircuit-NG": "tensorcircuit-ng",
        "TorchQuantum": "torchquantum",
        "TensorFlow Quantum": "tensorflow-quantum",
    }.items():
        assert any(column.split(",")[0] == f"{title} {pinned[package]}" for column in MEASURED)
    measured = re.search(r"Measured on (AMD EPYC, 2 cores, Linux), ([\d-]+), commit", PERFORMANCE)
    assert measured
    assert measured[1] in COMPARISON
    assert measured[2] in COMPARISON


@pytest.mark.parametrize(
    "section", re.split(r"^## ", COMPARISON, flags=re.MULTILINE)[2:6], ids=lambda s: s.split("\n")[0]
)
def test_every_table_of_capabilities_has_a_line_for_us(section):
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert any(row.startswith("| qloom |") for row in rows)
    assert len({row.count("|") for row in rows}) == 1
