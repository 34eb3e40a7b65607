"""torch.export programs, read in processes of their own; what traces them takes half a minute to be loaded."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from qloom.data import read_table
from qloom.models.tables.served import read_served
from qloom.portable import export_run

pytestmark = pytest.mark.slow

_RUN = """
import sys, numpy as np, torch{also}
network = torch.export.load(sys.argv[1]).module()
np.save(sys.argv[3], network(torch.from_numpy(np.load(sys.argv[2]))).detach().numpy())
assert {alone} or 'qloom' not in sys.modules
"""


@pytest.mark.parametrize(("model", "to", "needs_qloom"), [
    ("classifier", "surrogate", False), ("regressor", "surrogate", False), ("classifier", "torch", True),
])  # fmt: skip
def test_program_in_a_process_of_its_own(request, tmp_path, model, to, needs_qloom):
    path, rows = request.getfixturevalue(model)
    folder, record = export_run(path, to, tmp_path / to, data=str(rows))
    predictor = read_served(path)
    features = predictor.preprocessing_.transform(read_table(rows))
    np.save(tmp_path / "x.npy", features)
    code = _RUN.format(also="\nimport qloom" if needs_qloom else "", alone=needs_qloom)
    places = [str(folder / "network.pt2"), str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    subprocess.run([sys.executable, *([] if needs_qloom else ["-I"]), "-c", code, *places], check=True)
    found, truth = np.load(tmp_path / "y.npy"), predictor.predict_features(features)
    assert np.abs(found - truth).max() <= record["checked"]["bound"]
    assert set(record["checked"]["files"]) == {"network.pt2"} | ({"network.npz"} if to == "surrogate" else set())


def test_encoder_and_head_run_on_torch_alone(classifier, tmp_path):
    path, rows = classifier
    folder, record = export_run(path, "torch", tmp_path / "parts", data=str(rows), part="classical")
    features = read_served(path).preprocessing_.transform(read_table(rows))
    np.save(tmp_path / "x.npy", features)
    places = [str(folder / "encoder.pt2"), str(tmp_path / "x.npy"), str(tmp_path / "angles.npy")]
    subprocess.run([sys.executable, "-I", "-c", _RUN.format(also="", alone=False), *places], check=True)
    assert np.abs(np.load(tmp_path / "angles.npy")).max() <= np.pi
    assert record["runs_with"] == "torch alone"


def test_qiskit_reads_the_circuit(classifier, tmp_path):
    qasm3, info = pytest.importorskip("qiskit.qasm3"), pytest.importorskip("qiskit.quantum_info")
    pytest.importorskip("qiskit_qasm3_import")
    path, rows = classifier
    folder, _ = export_run(path, "qasm", tmp_path / "qasm", data=str(rows))
    told = json.loads((folder / "circuit.json").read_text())
    circuit = qasm3.loads((folder / "circuit.qasm").read_text())
    from qloom.portable.original import open_original

    step = open_original(path, None).circuit
    x = np.random.default_rng(0).uniform(-3, 3, 3)
    named = {p.name: p for p in circuit.parameters}
    bound = circuit.assign_parameters({named[name]: value for name, value in zip(told["inputs"], x, strict=True)})
    state = info.Statevector(bound)
    # Qiskit's words begin with the last qubit.
    words = [info.SparsePauliOp([t["word"][::-1] for t in terms], [t["coefficient"] for t in terms])
             for terms in told["observables"]]  # fmt: skip
    values = [state.expectation_value(word).real for word in words]
    np.testing.assert_allclose(values, step.values(x[None])[0], atol=1e-12)
