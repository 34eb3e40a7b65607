"""Noise models of other packages: the same noisy circuits there and here. Run where the packages are installed."""

import gzip
import json

import numpy as np
import pytest

from benchmarks.shared import DATA
from qloom.circuits import Circuit
from qloom.engines import ReferenceEngine, make_batch, probabilities
from qloom.engines.outputs import DensityMatrix
from qloom.errors import CircuitError
from qloom.noise import NoiseModel, from_braket, from_cirq, from_qiskit
from qloom.noise.recognition import recognized
from tests.shared import shared

N = 3


def density(circuit):
    """(2^n, 2^n)."""
    evaluator = ReferenceEngine().prepare(circuit, DensityMatrix(circuit.n_qubits))
    numbers = evaluator.values(make_batch(circuit))[0]
    size = 2**circuit.n_qubits
    return numbers.view(complex).reshape(size, size)


def ops(seed=0, gates=("h", "x", "sx", "rz", "cx", "cz")):
    """Random gates on three qubits, each given as name, angles, qubits."""
    generator, found = np.random.default_rng(seed), []
    for _ in range(12):
        name = gates[generator.integers(len(gates))]
        count = 2 if name in ("cx", "cz") else 1
        angles = (float(generator.normal()),) if name == "rz" else ()
        found.append((name, angles, tuple(map(int, generator.permutation(N)[:count]))))
    return found


def ours(listed):
    circuit = Circuit(N)
    for name, angles, qubits in listed:
        circuit.append(name, angles, qubits)
    return circuit


# -- channels by their Kraus operators


@pytest.mark.parametrize(("made", "name"), [
    (Circuit(1).depolarizing(0.1, 0), "depolarizing"),
    (Circuit(2).depolarizing(0.1, 0, 1), "depolarizing"),
    (Circuit(3).depolarizing(0.1, 0, 1, 2), "depolarizing"),
    (Circuit(1).phase_damping(0.3, 0), "pauli_channel"),
    (Circuit(2).pauli_channel(np.linspace(0, 0.1, 15), (0, 1)), "pauli_channel"),
    (Circuit(1).amplitude_damping(0.3, 0), "kraus"),
    (Circuit(1).unitary(np.array([[0, 1], [1, 0]]), (0,)), "unitary"),
])  # fmt: skip
def test_channels_are_recognized_and_do_the_same(made, name):
    op = made.operations[0]
    kraus = op.gate.operators(*(angle.offset for angle in op.angles))
    found = recognized(list(kraus)).operations[0]
    assert found.gate.name == name
    transfers = [o.gate.transfer(*(a.offset for a in o.angles)) for o in (op, found)]
    assert np.abs(transfers[0] - transfers[1]).max() < 1e-9


def test_an_identity_is_nothing():
    assert len(recognized([1j * np.eye(4)])) == 0
    assert len(recognized([np.sqrt(0.5) * np.eye(2), np.sqrt(0.5) * np.eye(2)])) == 0


# -- Qiskit and Aer


def aer_model():
    noise = pytest.importorskip("qiskit_aer.noise")
    model = noise.NoiseModel()
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.02, 1), ["x", "sx", "h"])
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.05, 2), ["cx"])
    model.add_quantum_error(noise.amplitude_damping_error(0.1), ["x"], [1])
    lopsided = noise.pauli_error([("XI", 0.1), ("IZ", 0.05), ("II", 0.85)])
    model.add_quantum_error(lopsided, ["cx"], [2, 0])
    relaxing = noise.thermal_relaxation_error(50, 70, 3).expand(noise.thermal_relaxation_error(90, 30, 3))
    model.add_quantum_error(relaxing, ["cz"], [0, 1])
    model.add_readout_error([[0.95, 0.05], [0.1, 0.9]], [0])
    model.add_all_qubit_readout_error([[0.98, 0.02], [0.03, 0.97]])
    return model


def aer_density(listed, model):
    qiskit, aer = pytest.importorskip("qiskit"), pytest.importorskip("qiskit_aer")
    circuit = qiskit.QuantumCircuit(N)
    for name, angles, qubits in listed:
        getattr(circuit, name)(*angles, *qubits)
    circuit.save_density_matrix()
    simulator = aer.AerSimulator(method="density_matrix", noise_model=model)
    rho = simulator.run(circuit).result().data()["density_matrix"].data
    return np.asarray(rho).reshape((2,) * (2 * N)).transpose(2, 1, 0, 5, 4, 3).reshape(2**N, 2**N)


@pytest.mark.parametrize("seed", range(4))
def test_aers_noise_models(seed):
    source, listed = aer_model(), ops(seed)
    model = from_qiskit(source, is_strict=False)
    found = density(model.without_readout().apply(ours(listed)))
    assert np.abs(found - aer_density(listed, source)).max() < 1e-10


def test_aers_depolarizing_and_readout_are_ours():
    model = from_qiskit(aer_model())
    noisy = model.apply(Circuit(2).h(0).x(1).cx(0, 1))
    assert noisy.operations[1].gate.name == "depolarizing"
    assert noisy.operations[1].angles[0].offset == pytest.approx(0.02 * 3 / 4)
    assert [op.angles[0].offset for op in noisy.operations if op.gate.name == "depolarizing"][-1] == pytest.approx(
        0.05 * 15 / 16
    )
    assert [tuple(a.offset for a in op.angles) for op in noisy.operations[-2:]] == [
        (pytest.approx(0.05), pytest.approx(0.1)), (pytest.approx(0.02), pytest.approx(0.03)),
    ]  # fmt: skip
    with pytest.raises(CircuitError, match="cz on qubits 1, 2 has no entry in Aer's noise model, expected cz on 0, 1"):
        model.apply(Circuit(3).cz(1, 2))
    with pytest.raises(CircuitError, match="ccx on qubits 0, 1, 2 has no entry in Aer's noise model"):
        model.apply(Circuit(3).ccx(0, 1, 2))


def test_a_backend_of_qiskit():
    """Its own two readout errors, if it tells them; gates by the rule that Aer has."""
    pytest.importorskip("qiskit")
    aer = pytest.importorskip("qiskit_aer")
    from qiskit.providers.fake_provider import GenericBackendV2

    backend = GenericBackendV2(N, coupling_map=[[0, 1], [1, 2]], seed=3)
    model = from_qiskit(backend)
    assert (model.n_qubits, model.unit) == (N, "ns")
    listed = [
        ("sx", (), (0,)),
        ("cx", (), (0, 1)),
        ("x", (), (2,)),
        ("cx", (), (1, 2)),
        ("rz", (0.4,), (1,)),
        ("sx", (), (1,)),
    ]
    source = aer.noise.NoiseModel.from_backend(backend)
    assert np.abs(density(model.without_readout().apply(ours(listed))) - aer_density(listed, source)).max() < 1e-8
    assert len(model.readouts) == N


def test_other_things_than_qiskits_are_refused():
    pytest.importorskip("qiskit")
    with pytest.raises(CircuitError, match="source is a float, expected"):
        from_qiskit(0.1)


# -- Braket


def braket_model():
    noises, models = pytest.importorskip("braket.circuits.noises"), pytest.importorskip("braket.circuits.noise_model")
    from braket.circuits import Gate

    model = models.NoiseModel()
    model.add_noise(noises.Depolarizing(0.02), models.GateCriteria([Gate.H, Gate.X]))
    model.add_noise(noises.TwoQubitDepolarizing(0.05), models.GateCriteria(Gate.CNot))
    model.add_noise(noises.AmplitudeDamping(0.1), models.GateCriteria(Gate.X, [1]))
    model.add_noise(noises.BitFlip(0.03), models.GateCriteria(Gate.CNot, [(0, 1), (2, 0)]))
    model.add_noise(noises.PhaseFlip(0.01), models.GateCriteria())
    return model


@pytest.mark.parametrize("seed", range(4))
def test_brakets_noise_models(seed):
    source = braket_model()
    from braket.circuits import Circuit as Theirs
    from braket.devices import LocalSimulator

    names = {"h": "h", "x": "x", "sx": "v", "rz": "rz", "cx": "cnot", "cz": "cz"}
    listed, circuit = ops(seed), Theirs()
    for q in range(N):
        listed.append(("x", (), (q,)))
    for name, angles, qubits in listed:
        getattr(circuit, names[name])(*qubits, *angles)
    noisy = source.apply(circuit).density_matrix()
    rho = LocalSimulator("braket_dm").run(noisy, shots=0).result().result_types[0].value
    found = density(from_braket(source).apply(ours(listed)))
    assert np.abs(found - np.asarray(rho)).max() < 1e-10


def test_brakets_readout_noise():
    noises, models = pytest.importorskip("braket.circuits.noises"), pytest.importorskip("braket.circuits.noise_model")
    source = models.NoiseModel().add_noise(noises.GeneralizedAmplitudeDamping(0.2, 0.7), models.MeasureCriteria([0]))
    model = from_braket(source)
    assert [angle.offset for angle in model.readouts[0].operation.angles] == pytest.approx([0.2 * 0.3, 0.2 * 0.7])
    initial = models.NoiseModel().add_noise(noises.BitFlip(0.1), models.QubitInitializationCriteria([0]))
    with pytest.raises(CircuitError, match="noise of initial states"):
        from_braket(initial)
    with pytest.raises(CircuitError, match="source is a float"):
        from_braket(0.1)


# -- Cirq


def cirq_density(listed, noise):
    cirq = pytest.importorskip("cirq")
    qubits = cirq.LineQubit.range(N)
    gates = {"h": cirq.H, "x": cirq.X, "sx": cirq.X**0.5, "cx": cirq.CX, "cz": cirq.CZ}
    operations = [
        (cirq.rz(*angles) if name == "rz" else gates[name]).on(*(qubits[q] for q in places))
        for name, angles, places in listed
    ]
    # One gate a moment, on its own qubits: what stands still has no noise, as here.
    moments = [list(noise.noisy_moments([cirq.Moment([op])], list(op.qubits))) for op in operations]
    return cirq.final_density_matrix(cirq.Circuit(moments), qubit_order=qubits, dtype=np.complex128)


class Lopsided:
    """A model of one's own: damping before every X, a turned flip behind every CX."""

    @staticmethod
    def make():
        cirq = pytest.importorskip("cirq")

        class Own(cirq.NoiseModel):
            def noisy_operation(self, op):
                if op.gate == cirq.X:
                    return [cirq.amplitude_damp(0.2).on(*op.qubits), op]
                if op.gate == cirq.CX:
                    return [op, cirq.bit_flip(0.1).on(op.qubits[1]), cirq.depolarize(0.05, 2).on(*op.qubits[::-1])]
                if cirq.is_measurement(op):
                    return [cirq.generalized_amplitude_damp(0.7, 0.2).on(*op.qubits), op]
                return op

        return Own()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["own", "constant"])
def test_cirqs_noise_models(kind, seed):
    cirq = pytest.importorskip("cirq")
    source = Lopsided.make() if kind == "own" else cirq.ConstantQubitNoiseModel(cirq.depolarize(0.03))
    listed, qubits = ops(seed), cirq.LineQubit.range(N)
    model = from_cirq(source, qubits)
    assert np.abs(density(model.without_readout().apply(ours(listed))) - cirq_density(listed, source)).max() < 1e-10
    assert any("wait" in note.text for note in model.notes) == (kind == "constant")
    if kind == "own":
        assert [a.offset for a in model.readouts[1].operation.angles] == pytest.approx([0.2 * 0.3, 0.2 * 0.7])


@shared
@pytest.mark.parametrize(("name", "gate", "metric"), [
    ("rainbow", "xy", "sqrt_iswap"), ("weber", "xy", "sqrt_iswap"), ("willow_pink", "cz", "cz"),
])  # fmt: skip
def test_googles_devices_are_those_of_cirq(name, gate, metric):
    """Its noise properties of the same metrics, times as ours: one-qubit and two-qubit gates, and isolated readout."""
    cirq, google = pytest.importorskip("cirq"), pytest.importorskip("cirq_google")
    path = DATA / "device_calibrations" / f"google_{name}.json.gz"
    told = json.loads(gzip.decompress(path.read_bytes()))["metrics"]

    def qubits(target):
        return tuple(cirq.GridQubit(*map(int, label.split("_"))) for label in target.split("-"))

    metrics = {key: {qubits(target): [value] for target, value in rows} for key, rows in told.items()}
    times = dict.fromkeys((cirq.PhasedXZGate, cirq.ZPowGate, cirq.ResetChannel), 25.0)
    times |= dict.fromkeys((cirq.ISwapPowGate, cirq.CZPowGate, cirq.FSimGate, google.SycamoreGate), 32.0)
    times[cirq.MeasurementGate] = 4000.0
    properties = google.noise_properties_from_calibration(google.Calibration(metrics=metrics), gate_times_ns=times)
    theirs = google.NoiseModelFromGoogleNoiseProperties(properties)
    for target, _ in told[f"two_qubit_parallel_{metric}_gate_xeb_pauli_error_per_cycle"][:5]:
        pair = qubits(target)
        found = NoiseModel.from_calibration(path, "isolated" if name == "rainbow" else "auto").on(target.split("-"))
        asked = from_cirq(theirs, pair)
        angles = (np.pi / 2,) if gate == "xy" else ()
        circuit = Circuit(2).x(0).x(1).append(gate, angles, (0, 1)).sx(0).append(gate, angles, (1, 0))
        both = [density(model.without_readout().apply(circuit)) for model in (found, asked)]
        if name != "rainbow":  # whose gates alone are other numbers than those of gates at once
            # Where relaxation leaves no dephasing, Cirq has 10 s of it.
            assert np.abs(both[0] - both[1]).max() < 1e-8
        if name != "weber":  # whose readout at once is other numbers than Cirq's
            rates = [[angle.offset for angle in model.readouts[0].operation.angles] for model in (found, asked)]
            assert rates[0] == pytest.approx(rates[1], abs=1e-12)


def test_what_cirq_takes_for_noise():
    cirq = pytest.importorskip("cirq")
    qubits = cirq.LineQubit.range(2)
    assert from_cirq(None, qubits).apply(Circuit(2).x(0).cx(0, 1)).gate_counts() == {"x": 1, "cx": 1}
    pairs = from_cirq(cirq.depolarize(0.1), qubits, pairs=[(qubits[0], qubits[1])])
    assert pairs.apply(Circuit(2).cx(0, 1)).gate_counts() == {"cx": 1, "depolarizing": 2}
    with pytest.raises(CircuitError, match="cx on qubits 1, 0 has no entry in Cirq's noise model"):
        pairs.apply(Circuit(2).cx(1, 0))
    with pytest.raises(CircuitError, match="none that Cirq takes"):
        from_cirq("noise", qubits)


def test_packages_that_are_missing_are_named():
    for name, function in (("qiskit", from_qiskit), ("braket", from_braket), ("cirq", from_cirq)):
        try:
            __import__(name)
        except ModuleNotFoundError:
            with pytest.raises(ImportError, match=r"install it with: pip install 'qloom\[exchange\]'"):
                function(0.1, *([[]] if name == "cirq" else []))
    assert NoiseModel().apply(Circuit(1)).operations == []
    assert probabilities(Circuit(1), engine=ReferenceEngine()) == pytest.approx([1, 0])
