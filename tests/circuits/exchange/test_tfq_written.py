"""Messages that TensorFlow Quantum wrote itself, beside Cirq's matrices: tfq_writer.py makes them and tells how."""

from __future__ import annotations

import base64
import json
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.installation import python_of
from qloom.circuits import Circuit
from qloom.circuits.exchange import from_tfq
from tests.circuits.dense import circuit_matrix
from tests.circuits.exchange.random_circuits import density

HERE = Path(__file__).parent
KEPT = [json.loads(line) for line in (HERE / "tfq_written.jsonl").read_text().splitlines()]


def off(written: dict) -> float:
    """How far the circuit of a message is from Cirq's matrix of what was written."""
    circuit = from_tfq(zlib.decompress(base64.b64decode(written["bytes"])))
    numbers = [written["values"][block.name] for block in circuit.weight_slots]
    if "unitary" in written:
        found, (real, imaginary) = circuit_matrix(circuit, (), numbers), written["unitary"]
    else:
        bound = Circuit(circuit.n_qubits).place(circuit, range(circuit.n_qubits), numbers)
        found, (real, imaginary) = density(bound), written["density"]
    return float(np.abs(found - (np.array(real) + 1j * np.array(imaginary))).max())


@pytest.mark.parametrize("written", KEPT, ids=["gates", "controls", "channels"])
def test_what_it_wrote_is_what_cirq_says(written):
    assert off(written) < 1e-7


@pytest.mark.slow
def test_random_circuits_that_it_writes_are_what_cirq_says():
    python = python_of("tensorflow_quantum")
    if not python.exists():
        pytest.skip("not installed; python3.12 -m benchmarks.peers.installation tensorflow_quantum")
    done = subprocess.run([str(python), str(HERE / "tfq_writer.py"), "600"], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 600
    assert max(off(row) for row in rows if not row["loose"]) < 1e-7
    assert max(off(row) for row in rows) < 1e-5
