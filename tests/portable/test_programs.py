"""torch.export programs, read in processes of their own; what traces them takes half a minute to be loaded."""

from __future__ import annotations

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
