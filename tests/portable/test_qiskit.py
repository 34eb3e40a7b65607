"""Qiskit reads what `--to qasm` writes; in the environment of other packages (make test-slow)."""

from __future__ import annotations

import json

import numpy as np
import pytest

from qloom.models import HybridClassifier
from qloom.portable import export_run
from qloom.portable.original import open_original

qasm3, info = pytest.importorskip("qiskit.qasm3"), pytest.importorskip("qiskit.quantum_info")
pytest.importorskip("qiskit_qasm3_import")


@pytest.mark.slow
def test_qiskit_gives_the_same_values(tmp_path):
    rng = np.random.default_rng(0)
    model = HybridClassifier(n_qubits=4, n_layers=2, width=8, epochs=1)
    model.fit(rng.normal(size=(60, 3)), np.arange(60) % 2).save(tmp_path / "model")
    folder, _ = export_run(tmp_path / "model", "qasm", tmp_path / "qasm", rows=50)
    told = json.loads((folder / "circuit.json").read_text())
    circuit = qasm3.loads((folder / "circuit.qasm").read_text())
    x = rng.uniform(-3, 3, 4)
    named = {parameter.name: parameter for parameter in circuit.parameters}
    at_x = circuit.assign_parameters({named[name]: value for name, value in zip(told["inputs"], x, strict=True)})
    # Qiskit's words begin with the last qubit.
    words = [
        info.SparsePauliOp([term["word"][::-1] for term in terms], [term["coefficient"] for term in terms])
        for terms in told["observables"]
    ]
    values = [info.Statevector(at_x).expectation_value(word).real for word in words]
    truth = open_original(tmp_path / "model", None).circuit.values(x[None])[0]
    np.testing.assert_allclose(values, truth, atol=1e-12)
