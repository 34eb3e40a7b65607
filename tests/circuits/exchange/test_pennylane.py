"""Circuits from PennyLane and to it: scripts, functions with slots, mid-circuit measurements, channels."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.circuits.exchange import from_pennylane, to_pennylane
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from tests.circuits.dense import circuit_matrix
from tests.circuits.exchange.random_circuits import (
    SEEDS,
    SLOW_SEEDS,
    TOLERANCE,
    density,
    matrix,
    numbers_for,
    random_circuit,
    random_program,
    same_distribution,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    qml = pytest.importorskip("pennylane", reason="PennyLane is not installed")


def script(*ops) -> object:
    return qml.tape.QuantumScript(list(ops))


def own_matrix(foreign, n_qubits: int) -> np.ndarray:
    if not foreign.operations:
        return np.eye(2**n_qubits)
    return np.asarray(qml.matrix(foreign, wire_order=range(n_qubits)))


def agrees(foreign, n_qubits: int) -> bool:
    found = circuit_matrix(from_pennylane(foreign, wires=range(n_qubits)))
    return np.abs(found - own_matrix(foreign, n_qubits)).max() < TOLERANCE


def check(seeds):
    for seed in seeds:
        circuit = random_circuit(seed)
        numbers = numbers_for(circuit, seed)
        by_name = [
            {b.name: np.array([numbers[b.name, k] for k in range(b.size)]).reshape(b.shape) for b in slots}
            for slots in (circuit.input_slots, circuit.weight_slots)
        ]
        foreign = to_pennylane(circuit, *by_name)
        expected = matrix(circuit, numbers)
        assert np.abs(own_matrix(foreign, circuit.n_qubits) - expected).max() < TOLERANCE, seed
        again = from_pennylane(foreign, wires=range(circuit.n_qubits))
        assert np.abs(circuit_matrix(again) - expected).max() < TOLERANCE, seed


def test_random_circuits_come_back_with_their_phase():
    check(SEEDS)


@pytest.mark.slow
def test_thousands_of_random_circuits_come_back_with_their_phase():
    check(SLOW_SEEDS)


def test_phases_are_kept_under_a_control():
    for seed in range(60):
        circuit = random_circuit(seed, max_qubits=3, max_gates=4, with_slots=False)
        operations = [
            qml.ctrl(qml.map_wires(op, {q: q + 1 for q in range(3)}), control=0)
            for op in to_pennylane(circuit).operations
        ]
        found = from_pennylane(script(*operations), wires=range(circuit.n_qubits + 1))
        assert np.abs(circuit_matrix(found) - circuit_matrix(circuit.controlled())).max() < TOLERANCE, seed


FIXED = ["Hadamard", "PauliX", "PauliY", "PauliZ", "S", "T", "SX", "CNOT", "CZ", "CY", "CH", "SWAP", "ISWAP", "SISWAP",
         "SQISW", "ECR", "CSWAP", "Toffoli", "CCZ", "QubitSum"]  # fmt: skip
TURNED = {
    "RX": 1, "RY": 1, "RZ": 1, "PhaseShift": 1, "Rot": 3, "U1": 1, "U2": 2, "U3": 3, "CRX": 1, "CRY": 1, "CRZ": 1,
    "CRot": 3, "ControlledPhaseShift": 1, "CPhaseShift00": 1, "CPhaseShift01": 1, "CPhaseShift10": 1, "IsingXX": 1,
    "IsingXY": 1, "IsingYY": 1, "IsingZZ": 1, "PSWAP": 1, "SingleExcitation": 1, "SingleExcitationPlus": 1,
    "SingleExcitationMinus": 1, "DoubleExcitation": 1, "DoubleExcitationPlus": 1, "DoubleExcitationMinus": 1,
    "OrbitalRotation": 1, "FermionicSWAP": 1, "GlobalPhase": 1,
}  # fmt: skip


def made(name: str, random: np.random.Generator):
    kind = getattr(qml, name)
    width = kind.num_wires or 1
    wires = random.permutation(width).tolist()
    return kind(*random.uniform(-4, 4, TURNED.get(name, 0)), wires=wires), width


@pytest.mark.parametrize("name", [*FIXED, *TURNED])
def test_gates_are_their_matrices(name):
    random = np.random.default_rng(5)
    for _ in range(3):
        op, width = made(name, random)
        assert agrees(script(op), width)
        for other in (qml.adjoint(op), qml.pow(op, 2), qml.pow(op, -3)):
            assert agrees(script(other), width)
        wires = list(range(width, width + 2))
        assert agrees(script(qml.ctrl(op, control=wires, control_values=[0, 1])), width + 2)


@pytest.mark.parametrize("make", [
    lambda: qml.prod(qml.X(0), qml.S(0)), lambda: qml.exp(qml.X(0) @ qml.Z(1), -0.3j),
    lambda: qml.evolve(qml.X(0) + qml.Z(0), 0.3), lambda: qml.MultiControlledX([0, 1, 2], [0, 1]),
    lambda: qml.pow(qml.S(0), 0.5), lambda: qml.QFT([1, 0, 2]), lambda: qml.ctrl(qml.GlobalPhase(0.3), 0),
    lambda: qml.QFT(range(5)), lambda: qml.GroverOperator(range(4)), lambda: qml.PCPhase(0.3, 2, range(2)),
    lambda: qml.PauliRot(0.3, "XIY", [2, 0, 1]), lambda: qml.MultiRZ(0.4, [1, 0]),
    lambda: qml.PauliRot(0.3, "II", [0, 1]),
    lambda: qml.DiagonalQubitUnitary(np.exp(1j * np.arange(4)), [1, 0]),
    lambda: qml.QubitUnitary(np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0], [1, 0]),
    lambda: qml.ControlledQubitUnitary(qml.matrix(qml.RX(0.3, 0)), [1, 0]),
    lambda: qml.Permute([1, 2, 0], range(3)), lambda: qml.Select([qml.X(2), qml.RY(0.3, 2)], [0]),
    lambda: qml.IntegerComparator(2, geq=False, wires=range(3)),
], ids=[str(k) for k in range(19)])  # fmt: skip
def test_gates_made_of_others(make):
    op = make()
    assert agrees(script(op), max(op.wires) + 1)


def test_templates_are_taken_apart():
    random = np.random.default_rng(2)
    weights = random.normal(size=qml.StronglyEntanglingLayers.shape(2, 5))
    foreign = script(
        qml.AngleEmbedding(random.normal(size=5), wires=range(5), rotation="Y"),
        qml.StronglyEntanglingLayers(weights, wires=range(5)),
        qml.TrotterProduct(qml.X(0) + 0.3 * qml.Z(0) @ qml.Y(3), 0.3, n=2, order=2),
        qml.BasicEntanglerLayers(random.normal(size=(1, 5)), wires=range(5)),
        qml.QuantumPhaseEstimation(qml.RX(0.3, 0), estimation_wires=[1, 2]),
    )
    assert agrees(foreign, 5)


def test_states_that_are_prepared():
    state = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0][0] * np.exp(0.3j)
    for op in (qml.StatePrep(state, wires=[1, 0]), qml.BasisState([1, 0], wires=[1, 0])):
        foreign = script(op, qml.RX(0.3, wires=0))
        expected = qml.devices.qubit.simulate(foreign.copy(measurements=[qml.state()])).reshape(-1)
        assert np.abs(ql.state(from_pennylane(foreign)) - expected).max() < 1e-9


def test_a_gate_of_ones_own_is_what_it_does_and_not_what_it_is_called():
    class RX(qml.operation.Operation):
        num_params, num_wires = 1, 1

        @staticmethod
        def compute_matrix(a):
            return np.diag([1, np.exp(1j * a)])

    assert np.abs(circuit_matrix(from_pennylane(script(RX(0.3, wires=0)))) - np.diag([1, np.exp(0.3j)])).max() < 1e-12


# -- slots


def test_arguments_of_a_function_become_slots():
    def circuit(x, w, a):
        qml.AngleEmbedding(x, wires=range(3))
        qml.StronglyEntanglingLayers(w, wires=range(3))
        qml.FermionicSWAP(2 * a + 1, wires=[2, 0])
        qml.adjoint(qml.CRot)(a, -a, 0.3, wires=[1, 2])
        qml.ctrl(qml.GlobalPhase, control=0)(a / 2)
        qml.OrbitalRotation(a, wires=range(4))

    ours = from_pennylane(circuit, {"x": (3,)}, {"w": (1, 3, 3), "a": ()})
    assert [(block.name, block.shape) for block in ours.weight_slots] == [("w", (1, 3, 3)), ("a", ())]
    random = np.random.default_rng(3)
    x, w, a = random.normal(size=3), random.normal(size=(1, 3, 3)), random.normal()
    expected = qml.matrix(circuit, wire_order=range(4))(x, w, a)
    assert np.abs(circuit_matrix(ours, x, [*w.reshape(-1), a]) - expected).max() < TOLERANCE


def test_a_qnode_is_read_without_its_measurements():
    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(x):
        qml.RX(x[0], wires=0)
        qml.CNOT(wires=[0, 1])
        return qml.expval(qml.Z(1))

    ours = from_pennylane(circuit, {"x": (1,)})
    assert ours.gate_counts() == {"rx": 1, "cx": 1}
    value = ql.expectation(ours, ql.Z(1), [0.3])
    assert value == pytest.approx(float(circuit(np.array([0.3]))))

    @qml.qnode(qml.device("default.qubit", wires=["b", "a", "c"]))
    def named():
        qml.X("a")
        return qml.probs()

    assert from_pennylane(named) == Circuit(3).x(1)
    with pytest.raises(CircuitError, match="missing a required argument: 'x'"):
        from_pennylane(circuit)


def test_values_of_slots_may_be_tensors_with_gradients():
    torch = pytest.importorskip("torch")
    circuit = Circuit(2)
    w = circuit.weights(2, name="w")
    circuit.rx(2 * w[0] + 0.1, 0).cx(0, 1).controlled()
    circuit.rxx(w[1], 0, 1)
    weights = torch.tensor([0.3, 0.4], dtype=torch.float64, requires_grad=True)
    foreign = to_pennylane(circuit, weights=weights).copy(measurements=[qml.expval(qml.Z(0))])
    value = qml.execute([foreign], qml.device("default.qubit"), diff_method="backprop")[0]
    value.backward()
    assert value.item() == pytest.approx(ql.expectation(circuit, ql.Z(0), weights=[0.3, 0.4]))
    step = 1e-6
    for k in range(2):
        moved = [np.array([0.3, 0.4]) + sign * step * np.eye(2)[k] for sign in (1, -1)]
        slope = np.subtract(*(ql.expectation(circuit, ql.Z(0), weights=one) for one in moved)) / (2 * step)
        assert weights.grad[k].item() == pytest.approx(slope, abs=1e-7)


def test_what_is_given_for_slots_is_checked():
    circuit = Circuit(1)
    circuit.rx(circuit.weights(2, name="w")[0], 0)
    with pytest.raises(CircuitError, match="got no weights, expected values of w"):
        to_pennylane(circuit)
    with pytest.raises(ShapeError, match="weights has shape"):
        to_pennylane(circuit, weights=[1.0, 2.0, 3.0])
    with pytest.raises(CircuitError, match="parameters are numbers"):
        from_pennylane(script(qml.RX(0.3, 0)), {"x": ()})
    with pytest.raises(CircuitError, match="batch of 2"):
        from_pennylane(script(qml.RX(np.array([0.3, 0.4]), 0)))
    with pytest.raises(CircuitError, match="in inputs and in weights"):
        from_pennylane(lambda x: None, {"x": ()}, {"x": ()})


def test_sums_and_products_of_slots_are_refused():
    for make in (lambda x: qml.RX(x[0] + x[1], 0), lambda x: qml.RX(x[0] * x[1], 0)):
        with pytest.raises(CircuitError, match="two"):
            from_pennylane(make, {"x": (2,)})


# -- wires and bits


def test_wires_stand_in_numerical_order_or_as_they_occur():
    assert from_pennylane(script(qml.X(5), qml.Z(2))).operations[0].qubits == (1,)
    assert from_pennylane(script(qml.X("b"), qml.Z("a"))).operations[0].qubits == (0,)
    assert from_pennylane(script(qml.X("b"), qml.Z("a")), wires=["a", "b"]).operations[0].qubits == (1,)
    with pytest.raises(CircuitError, match="lacks 'b'"):
        from_pennylane(script(qml.X("b")), wires=["a"])


def own_distribution(foreign) -> dict[str, float]:
    """Of all mid-circuit measurements, by PennyLane's deferred measurements."""
    found = [op for op in foreign.operations if isinstance(op, qml.ops.MidMeasure)]
    values = [qml.ops.MeasurementValue([one]) for one in found]
    whole = qml.tape.QuantumScript(foreign.operations, [qml.probs(op=values)])
    (tape,), _ = qml.defer_measurements(whole)
    table = np.asarray(qml.execute([tape], qml.device("default.qubit"))[0])
    return {f"{k:0{len(found)}b}": float(p) for k, p in enumerate(table) if p > 1e-14}


def test_random_programs_are_what_pennylane_finds():
    for seed in range(60):
        circuit = random_program(seed, overwrites=False, resets=False)
        foreign = to_pennylane(circuit)
        again = ql.distribution(from_pennylane(foreign, wires=range(3)))
        assert same_distribution(again, own_distribution(foreign), 1e-9), seed
        order = [op.gate.data for op in circuit.operations if op.gate.kind == "measurement"]
        expected = {"".join(bits[k] for k in order): p for bits, p in ql.distribution(circuit).items()}
        assert same_distribution(again, expected), seed


def test_resets_and_conditions():
    with qml.queuing.AnnotatedQueue() as queue:
        qml.X(0)
        m, n = qml.measure(0, reset=True), qml.measure(0)
        qml.cond(m & ~n, qml.X)(1)
        qml.cond(m + 2 * n == 2, qml.X, qml.Y)(1)
        k = qml.measure(1)
        qml.cond(k, qml.X)(0)
    ours = from_pennylane(qml.tape.QuantumScript.from_queue(queue))
    assert ql.distribution(ours) == {"100": 1.0}
    assert from_pennylane(to_pennylane(Circuit(1).reset(0))).gate_counts() == {"measure": 1, "reset": 1}


def test_what_pennylane_has_not_is_refused():
    for circuit in (
        Circuit(2).measure(0, 0).when(0, 1, Circuit(2).measure(1, 1)),
        Circuit(1).measure(0, 0).when(0, 1, Circuit(1).reset(0)),
        Circuit(1).readout_error(0.1, 0.2, 0),
    ):
        with pytest.raises(UnsupportedError):
            to_pennylane(circuit)
    with pytest.raises(UnsupportedError, match="postselects"):
        from_pennylane(lambda: qml.measure(0, postselect=1))
    with pytest.raises(UnsupportedError, match="DoubleExcitationPlus has no gate"):
        from_pennylane(lambda x: qml.DoubleExcitationPlus(x, range(4)), {"x": ()})
    with pytest.raises(CircuitError, match="expected a QuantumScript"):
        from_pennylane(3)


# -- noise


@pytest.mark.parametrize("make", [
    lambda: qml.BitFlip(0.1, 0), lambda: qml.PhaseFlip(0.1, 0), lambda: qml.DepolarizingChannel(0.2, 0),
    lambda: qml.AmplitudeDamping(0.3, 0), lambda: qml.PhaseDamping(0.3, 0), lambda: qml.ResetError(0.1, 0.2, 0),
    lambda: qml.GeneralizedAmplitudeDamping(0.3, 0.2, 0), lambda: qml.PauliError("XY", 0.2, [1, 0]),
    lambda: qml.ThermalRelaxationError(0.1, 1.2, 1.3, 0.4, 0),
    lambda: qml.QubitChannel([np.diag([1, 0.6]), np.array([[0, 0.8], [0, 0]])], 0),
], ids=[str(k) for k in range(10)])  # fmt: skip
def test_channels_are_theirs(make):
    foreign = script(qml.RY(1.0, 0), qml.CNOT([0, 1]), qml.RX(0.4, 1), make())
    device = qml.device("default.mixed", wires=2)
    ours = from_pennylane(foreign)
    for one in (foreign, to_pennylane(ours)):
        expected = qml.execute([one.copy(measurements=[qml.density_matrix([0, 1])])], device)[0]
        assert np.abs(density(ours) - expected).max() < 1e-9
