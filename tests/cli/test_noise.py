"""`qloom noise`: a run on devices, from the command line, with the section it adds to the report."""

from __future__ import annotations

import json

import pytest

from qloom.circuits import Circuit
from qloom.noise import NoiseModel


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    """A device of five qubits in a ring, as a file."""
    model = NoiseModel(name="ring", is_strict=True, n_qubits=5, free=("rz",))
    for q in range(5):
        model = model.after("sx", Circuit(1).depolarizing(0.001, 0), [q]).with_readout(0.02, 0.04, [q])
        model = model.after("cx", Circuit(2).depolarizing(0.02, 0, 1), [q, (q + 1) % 5])
    path = tmp_path_factory.mktemp("devices") / "ring.json"
    path.write_text(model.to_json())
    return path


def test_a_run_on_a_device(qloom, ring, trained):
    qloom("noise", trained, "--device", ring, "--shots", "200", "--rows", "30", "--no-corrected")
    found = json.loads((trained / "noise.json").read_text())
    (device,) = found["devices"]
    by_key = {each["key"]: each for each in device["executions"]}
    assert list(by_key) == ["exact", "shots", "noisy", "noisy-shots", "mitigated", "mitigated-shots"]
    assert by_key["exact"]["off"] == 0
    assert by_key["mitigated"]["off"] < by_key["noisy"]["off"]
    assert set(device["gates"]) <= {"sx", "rz", "cx"}
    assert found["control"]["title"] == "classical layer of equal size"
    page = (trained / "report.html").read_text()
    assert "On devices" in page
    assert "ring runs the circuit as" in page


def test_a_model_that_is_no_device(qloom, trained, tmp_path):
    """Its noise is that of the circuit's own gates; readout alone leaves nothing to extrapolate, which is said."""
    (tmp_path / "uniform.json").write_text(NoiseModel.uniform(1e-3, 1e-2, 2e-2).to_json())
    (tmp_path / "readout.json").write_text(NoiseModel.uniform(readout=0.02).to_json())
    words = ("--shots", "100", "--rows", "10", "--no-corrected")
    shown = qloom("noise", trained, "--device", "uniform.json", "--device", "readout.json", *words)
    assert shown.code == 0
    assert "is no device" in " ".join(shown.out.split())
    first, second = json.loads((trained / "noise.json").read_text())["devices"]
    assert all(each["refused"] is None for each in first["executions"])
    refused = {each["key"]: each["refused"] for each in second["executions"] if each["refused"]}
    assert set(refused) == {"mitigated", "mitigated-shots"}


def test_mistakes_are_one_line(qloom, ring, trained, tmp_path):
    for words, message in (
        (["noise", trained, "--device", tmp_path / "none.json"], "none.json cannot be read"),
        (["noise", tmp_path, "--device", ring], "expected the folder of a finished run"),
        (["noise", trained, "--device", ring, "--rows", "0"], "rows=0, expected an integer of at least 1"),
        (["noise", trained, "--device", ring, "--shots", "0"], "shots=0, expected an integer of at least 1"),
    ):
        ended = qloom(*words)
        assert ended.code == 2
        assert message in ended.err
        assert len(ended.err.strip().splitlines()) == 1
