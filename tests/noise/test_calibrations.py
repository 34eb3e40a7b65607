"""Models of devices: against Aer's exact outputs, closed forms of the rule, and files with what is odd in them."""

import gzip
import json
from functools import cache

import numpy as np
import pytest

from benchmarks.shared import DATA
from qloom.circuits import Circuit
from qloom.engines import ReferenceEngine, probabilities
from qloom.errors import ArtifactError, CircuitError, ConfigError
from qloom.noise import NoiseModel
from qloom.noise.calibrations.coherence import Coherence, average_fidelity
from qloom.noise.calibrations.google import decoherence
from qloom.noise.calibrations.ibm import depolarizing_rate
from tests.shared import shared

FOLDER = DATA / "device_calibrations"
IBM = ["manila", "lagos", "guadalupe", "kyiv", "torino"]
GOOGLE = ["rainbow", "weber", "willow_pink"]
NAMES = [f"ibm_{name}" for name in IBM] + [f"google_{name}" for name in GOOGLE]
EXPECTED = ["fake_manila/bell", "fake_manila/ghz5", "fake_manila/ramsey", "fake_lagos/bell", "fake_lagos/trotter"]


@cache
def device(name, **how):
    return NoiseModel.from_calibration(FOLDER / f"{name}.json.gz", **how)


def expected(name):
    with gzip.open(FOLDER / "expected_noisy_circuits.json.gz") as file:
        return json.load(file)["circuits"][name]


def as_vector(table, n_qubits):
    vector = np.zeros(2**n_qubits)
    for bits, value in table.items():
        vector[int(bits, 2)] = value
    return vector


@shared
@pytest.mark.parametrize("name", EXPECTED)
def test_noisy_circuits_are_those_of_aer(name):
    known, model = expected(name), device(name.replace("fake", "ibm").partition("/")[0])
    n = known["n"]
    circuit = Circuit(n)
    for gate, qubits, angles in known["ops"]:
        circuit.append(gate, angles, qubits)
    model = model.on(range(n))
    for noise, table in ((model.without_readout(), "p_before_readout"), (model, "p_with_readout")):
        found = probabilities(noise.apply(circuit), engine=ReferenceEngine())
        assert np.abs(found - as_vector(known[table], n)).max() < 1e-7


@shared
@pytest.mark.parametrize("name", NAMES)
def test_devices_load_say_what_was_odd_and_come_back_from_json(name):
    model = device(name)
    some = model.on(range(5)) if len(model.entries) > 500 else model
    assert NoiseModel.from_json(some.to_json()) == some
    text = str(model)
    assert "relaxation over" in text
    assert "other gates" in text
    assert len(text.splitlines()) < 45


@shared
def test_dead_couplers_and_times_that_cannot_be_are_listed_and_run():
    notes = [note.text for note in device("ibm_torino").notes]
    assert sum("T2 is above 2 T1" in text for text in notes) == 5
    assert sum("cz has error 1" in text for text in notes) == 22
    model = device("ibm_torino").on([85, 86])
    noisy = model.apply(Circuit(2).sx(0).cz(0, 1))
    rates = [op.angles[0].offset for op in noisy.operations if op.gate.name == "depolarizing" and len(op.qubits) == 2]
    assert rates == [1.0]
    t1, t2 = (angle.offset for angle in noisy.operations[-3].angles[:2])
    assert t2 == pytest.approx(2 * t1)
    # An error each time leaves a fully mixed state, and one in 15 words of it less of each: then relaxation.
    assert probabilities(noisy, engine=ReferenceEngine()).sum() == pytest.approx(1)
    assert sum("ecr has error 1" in note.text for note in device("ibm_kyiv").notes) == 5
    assert [note.qubits for note in device("ibm_lagos").notes] == [(2,)]


@shared
def test_a_circuit_that_is_not_written_in_the_devices_gates_is_refused():
    with pytest.raises(CircuitError, match="h on qubit 0 has no entry in ibmq_manila, expected sx, x, cx"):
        device("ibm_manila").apply(Circuit(2).h(0).cx(0, 1))
    with pytest.raises(CircuitError, match="cx on qubits 0, 2 has no entry in ibmq_manila, expected cx on"):
        device("ibm_manila").apply(Circuit(3).cx(0, 2))


@shared
@pytest.mark.parametrize("name", GOOGLE)
def test_googles_gates_have_the_reported_error_in_all(name):
    """Depolarizing noise and relaxation of a gate: the Pauli error of the file, where relaxation leaves some."""
    model = device(f"google_{name}")
    with gzip.open(FOLDER / f"google_{name}.json.gz") as file:
        metrics = json.load(file)["metrics"]
    told = dict(metrics["single_qubit_rb_pauli_error_per_gate"])
    for q, label in enumerate(model.labels):
        noisy = model.on([label]).without_readout().apply(Circuit(1).x(0))
        error, enough = 0.0, False
        for op in noisy.operations[1:]:
            if op.gate.name == "depolarizing":
                error, enough = error + op.angles[0].offset, True
            else:
                t1, t2, time, _ = (angle.offset for angle in op.angles)
                error += decoherence(Coherence(t1, t2), time)
        assert (error == pytest.approx(told[label])) if enough else error >= told[label], q


@shared
def test_googles_readout_is_that_of_all_qubits_at_once_where_it_is_told():
    both = [
        device("google_rainbow", metrics=way).on(["3_2"]).readouts[0].operation.angles
        for way in ("parallel", "isolated")
    ]
    assert [angle.offset for angle in both[1]] == [0.0124, 0.0472]
    assert both[0][0].offset == pytest.approx(0.011324999999999807)
    assert device("google_rainbow") == device("google_rainbow", metrics="parallel")
    with pytest.raises(ConfigError, match="metrics='mean', expected"):
        device("google_rainbow", metrics="mean")


# -- the rule


def test_reported_errors_are_those_of_both_channels_together():
    """Average fidelity of depolarizing noise and relaxation, from their transfer matrices: 1 - e."""
    for width, error in ((1, 0.002), (2, 0.015)):
        times, time = [Coherence(50.0, 70.0), Coherence(90.0, 40.0)][:width], 0.05
        fidelity = average_fidelity(times, time)
        rate = depolarizing_rate(error, fidelity, width)
        share = 1 - rate * 4**width / (4**width - 1)  # what depolarizing noise leaves of each word but I
        process = (1 + share * (np.prod([4 * each.process_fidelity(time) for each in times]) - 1)) / 4**width
        size = 2**width
        assert (size * process + 1) / (size + 1) == pytest.approx(1 - error, abs=1e-12)
        assert depolarizing_rate(1.0, fidelity, width) == 1.0
        assert depolarizing_rate(1e-9, fidelity, width) == 0.0


def test_average_fidelity_of_relaxation_is_the_closed_form():
    t1, t2, time = 50.0, 70.0, 9.0
    expected = 1 / 2 + np.exp(-time / t1) / 6 + np.exp(-time / t2) / 3
    assert average_fidelity([Coherence(t1, t2)], time) == pytest.approx(expected, abs=1e-14)
    assert average_fidelity([None], time) == 1


def plain(**changes):
    """A calibration of two qubits."""
    qubit = {"T1_us": 100.0, "T2_us": 80.0, "p_meas1_given0": 0.01, "p_meas0_given1": 0.02}
    gates = [["sx", [0], 1e-3, 40.0], ["sx", [1], 1e-3, 40.0], ["rz", [0], 0.0, 0.0], ["cx", [0, 1], 1e-2, 300.0]]
    return {"device": "plain", "qubits": [dict(qubit, **changes), dict(qubit)], "gates": gates}


@pytest.mark.parametrize("packed", [True, False])
def test_plain_and_gzipped_files(tmp_path, packed):
    path, text = tmp_path / "device.json", json.dumps(plain()).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if packed else text)
    model = NoiseModel.from_calibration(path)
    assert model.notes == ()
    assert model == NoiseModel.from_calibration(str(path))
    (tmp_path / "model.json").write_text(model.to_json())
    assert NoiseModel.from_calibration(tmp_path / "model.json") == model


@pytest.mark.parametrize(("changes", "note", "acts"), [
    ({"T1_us": None}, "T1 is missing, taken as endless", 1),
    ({"T2_us": None}, "T2 is missing, taken as 2 T1", 1),
    ({"T1_us": None, "T2_us": None}, "T1 and T2 are missing, no relaxation", 0),
    ({"T2_us": 300.0}, "T2 is above 2 T1, cut to 2 T1", 1),
    ({"p_meas0_given1": None}, "a readout error is missing, read without error", 1),
    ({"p_meas0_given1": 0.7}, "a bit is read wrong more often than not, taken as it is", 1),
])  # fmt: skip
def test_what_is_missing_or_odd_is_noted(tmp_path, changes, note, acts):
    path = tmp_path / "device.json"
    path.write_text(json.dumps(plain(**changes)))
    model = NoiseModel.from_calibration(path)
    assert [(entry.qubits, entry.text) for entry in model.notes] == [((0,), note)]
    assert note in str(model)
    noisy = model.apply(Circuit(1).sx(0))
    assert noisy.gate_counts().get("thermal_relaxation", 0) == acts
    assert probabilities(noisy, engine=ReferenceEngine()).sum() == pytest.approx(1)


@pytest.mark.parametrize("content", [
    b"", b"[1]", b"{}", b'{"qubits": [], "gates": [["sx", [0], 0, 0]]}', b'{"qubits": [{}], "gates": [["sx"]]}',
    b'{"metrics": {"one": [["a_b", 1]]}}', b'{"metrics": {}}', gzip.compress(b"{}", mtime=0)[:-5],
    gzip.compress(b"x", mtime=0),
])  # fmt: skip
def test_files_that_are_no_calibration_are_refused(tmp_path, content):
    path = tmp_path / "device.json"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="expected"):
        NoiseModel.from_calibration(path)
    with pytest.raises(ArtifactError, match="cannot be read"):
        NoiseModel.from_calibration(tmp_path / "missing.json")
