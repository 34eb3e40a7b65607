"""Trained networks of Qiskit Machine Learning: values and derivatives are those of the original, or refused by name."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.errors import CircuitError, UnsupportedError
from qloom.nn.imported import qiskit as ours
from tests.nn.foreign import check_goes_on, check_same, trained

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("qiskit_machine_learning", reason="Qiskit Machine Learning is not installed")
    from qiskit import QuantumCircuit, transpile
    from qiskit.circuit import Parameter, ParameterVector
    from qiskit.circuit.library import PauliEvolutionGate, ZGate, real_amplitudes, z_feature_map, zz_feature_map
    from qiskit.primitives import StatevectorEstimator, StatevectorSampler
    from qiskit.quantum_info import Operator, Pauli, SparsePauliOp
    from qiskit_machine_learning.algorithms import VQC, VQR, NeuralNetworkClassifier
    from qiskit_machine_learning.connectors import TorchConnector
    from qiskit_machine_learning.neural_networks import EstimatorQNN, SamplerQNN
    from qiskit_machine_learning.optimizers import COBYLA

X, TH, LATE = ParameterVector("x", 3), ParameterVector("θ", 11), Parameter("a late one")
SUMS = [SparsePauliOp.from_list([("ZXI", 1.0), ("IIY", -0.5)]), SparsePauliOp("IIZ"), Pauli("YIZ")]


def circuit() -> QuantumCircuit:
    """Not symmetric in its qubits; inputs and weights scaled, shifted and used twice."""
    made = QuantumCircuit(3)
    for q in range(3):
        made.rx(2 * X[q] + 0.1, q)
        made.ry(TH[q], q)
    made.cx(0, 1)
    made.crx(TH[3] / 2, 1, 2)
    made.rzz(LATE, 0, 2)
    for q in range(3):
        made.rz(-TH[4 + q], q)
        made.rx(TH[7 + q], q)
    made.cx(2, 0)
    made.ry(TH[10] + TH[10], 0)
    made.u(TH[0], 0.3, X[1], 1)
    return made


ORDERS = {
    "as in the circuit": ([*TH, LATE], None),
    "another order": ([LATE, *reversed(TH)], None),
    "inputs in another order": ([*TH, LATE], [X[1], X[0], X[2]]),
}


def network(kind=EstimatorQNN, order="another order", **options):
    weights, inputs = ORDERS[order]
    if kind is EstimatorQNN:
        options = {"observables": SUMS} | options
    return kind(
        circuit=circuit(), input_params=inputs or list(X), weight_params=weights, input_gradients=True, **options
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [EstimatorQNN, SamplerQNN])
def test_values_and_derivatives_are_those_of_the_original(kind, order):
    torch.manual_seed(0)
    x = torch.rand(3, 3)
    connector = trained(TorchConnector(network(kind, order)), x, 2)
    new = ql.nn.from_qiskit(connector)
    assert torch.equal(new.weights.detach(), connector.weight.detach())
    check_same(new, connector, [connector.weight], x, 2e-6)


def test_blocks_are_the_vectors_where_these_stand_so():
    made = QuantumCircuit(2)
    a, b = ParameterVector("a", 2), ParameterVector("w", 12)
    for k, weight in enumerate(b):
        made.ry(weight, k % 2)
        made.cx(k % 2, 1 - k % 2)
    made.rx(a[0] - a[0] + a[1], 0)
    made.rz(a[0], 1)
    made.rx(Parameter("x"), 1)
    qnn = EstimatorQNN(circuit=made, input_params=[made.parameters[-1]], weight_params=[*a, *b])
    new = ql.nn.from_qiskit(qnn, np.arange(14) / 10)
    assert str(new.circuit.weight_slots) == "a (2,), w (12,)"
    assert str(new.circuit.input_slots) == "x ()"
    assert new.weights.dtype == torch.float64
    assert new.named_weights()["w"][10] == 1.2


def test_one_order_of_ours_and_theirs_is_one_block():
    assert str(ql.nn.from_qiskit(network(), np.zeros(12)).circuit.weight_slots) == "weights (12,)"


def test_training_goes_on_and_is_saved():
    torch.manual_seed(0)
    x = torch.rand(3, 3)
    check_goes_on(ql.nn.from_qiskit(trained(TorchConnector(network()), x, 2)), x)


@pytest.mark.parametrize(("interpret", "count"), [
    (lambda k: k.bit_count() % 2, 2), (lambda k: k % 3, 3), (lambda k: [3, 0, 0, 1, 2, 2, 2, 0][k], 4),
    (lambda k: k, 8),
])  # fmt: skip
def test_classes_of_outcomes(interpret, count):
    torch.manual_seed(0)
    x = torch.rand(3, 3)
    connector = TorchConnector(network(SamplerQNN, interpret=interpret, output_shape=count))
    check_same(ql.nn.from_qiskit(connector), connector, [connector.weight], x, 2e-6)


def test_primitives_that_measure_are_compared_without():
    numbers = np.linspace(0, 2, 12)
    exact, sampled = (ql.nn.from_qiskit(network(), numbers), ql.nn.from_qiskit(network(SamplerQNN), numbers))
    x = torch.rand(4, 3, dtype=torch.float64)
    noisy = network(estimator=StatevectorEstimator(seed=1))
    assert torch.equal(ql.nn.from_qiskit(noisy, numbers)(x), exact(x))
    shots = network(SamplerQNN, sampler=StatevectorSampler(seed=1))
    assert torch.equal(ql.nn.from_qiskit(shots, numbers)(x), sampled(x))
    # One value in 10^9 is off by six deviations: 0.015625 is the default precision, 1,024 shots have at most 1 / 64.
    assert 0 < np.abs(noisy.forward(x.numpy(), numbers) - exact(x).detach().numpy()).max() < 6 * 0.015625 * 2
    assert 0 < np.abs(shots.forward(x.numpy(), numbers) - sampled(x).detach().numpy()).max() < 6 / 64


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    features = random.uniform(-1, 1, (12, 3))
    return features, features[:, 0] + features[:, 2] > 0


def test_a_fitted_classifier(table):
    features, labels = table
    model = VQC(
        feature_map=z_feature_map(3, reps=1), ansatz=real_amplitudes(3, reps=1), optimizer=COBYLA(maxiter=15),
        initial_point=np.linspace(0, 2, 6),
    )  # fmt: skip
    with pytest.raises(CircuitError, match="VQC has no weights yet, expected a fitted one; call fit first"):
        ql.nn.from_qiskit(model)
    model.fit(features, labels)
    new = ql.nn.from_qiskit(model)
    assert np.abs(new(torch.tensor(features)).detach().numpy() - model.predict_proba(features)).max() < 1e-10
    assert np.array_equal(new.weights.detach().numpy(), model.weights)


def test_a_fitted_regressor_and_a_classifier_of_a_network(table):
    features, labels = table
    regressor = VQR(
        feature_map=z_feature_map(3, reps=1), ansatz=real_amplitudes(3, reps=1), optimizer=COBYLA(maxiter=15),
        initial_point=np.linspace(0, 2, 6), observable=SparsePauliOp("XIZ"),
    )  # fmt: skip
    classifier = NeuralNetworkClassifier(
        network(observables=SparsePauliOp("IZX")), optimizer=COBYLA(maxiter=15), initial_point=np.linspace(0, 2, 12)
    )
    for model in (regressor.fit(features, labels * 1.0), classifier.fit(features, labels * 2 - 1)):
        new = ql.nn.from_qiskit(model)
        expected = model.neural_network.forward(features, model.weights)
        assert np.abs(new(torch.tensor(features)).detach().numpy() - expected).max() < 1e-10
        assert np.abs(expected).max() > 0.1


# -- polynomials of inputs


def behind(maps, *, is_reversed=False):
    """A network of a feature map and a trained circuit behind it."""
    inputs = list(maps.parameters)[:: -1 if is_reversed else 1]
    ansatz, others = real_amplitudes(maps.num_qubits, reps=1), maps.num_qubits - 1
    return EstimatorQNN(
        circuit=maps.compose(ansatz), input_params=inputs, weight_params=ansatz.parameters,
        observables=[SparsePauliOp("Y" + "X" * others), SparsePauliOp("Z" + "I" * others)], input_gradients=True,
    )  # fmt: skip


def test_a_fitted_classifier_with_its_own_feature_map(table):
    features, labels = table
    model = VQC(ansatz=real_amplitudes(3, reps=1), optimizer=COBYLA(maxiter=15), initial_point=np.linspace(0, 2, 6))
    new = ql.nn.from_qiskit(model.fit(features, labels))
    assert np.abs(new(torch.tensor(features)).detach().numpy() - model.predict_proba(features)).max() < 1e-10
    assert np.array_equal(new.layer.weights.detach().numpy(), model.weights)
    assert str(new.layer.circuit.input_slots) == "x (3,), polynomials (3,)"


def test_a_fitted_regressor_with_its_own_feature_map(table):
    features, labels = table
    model = VQR(ansatz=real_amplitudes(3, reps=1), optimizer=COBYLA(maxiter=15), initial_point=np.linspace(0, 2, 6))
    new = ql.nn.from_qiskit(model.fit(features, labels * 1.0))
    assert np.abs(new(torch.tensor(features)).detach().numpy() - model.predict(features)).max() < 1e-10


@pytest.mark.parametrize(("entanglement", "count"), [("linear", 2), ("full", 3)])
def test_products_of_features(entanglement, count):
    torch.manual_seed(0)
    x = torch.rand(3, 3)
    connector = trained(TorchConnector(behind(zz_feature_map(3, reps=2, entanglement=entanglement))), x)
    new = ql.nn.from_qiskit(connector)
    assert str(new.layer.circuit.input_slots) == f"x (3,), polynomials ({count},)"
    check_same(new, connector, [connector.weight], x, 2e-6)
    check_goes_on(new, x)


def mixed(has_control=False):
    """Squares, sums, products that are no products of factors, and a * x + b, in gates of all kinds."""
    inner, made = QuantumCircuit(2, name="inner"), QuantumCircuit(3)
    inner.rz(X[0] * X[1] / 2 + 0.3 * X[2], 1)
    inner.ry(X[1] ** 2 - 0.5, 0)
    made.h(range(3))
    made.append(inner.to_gate(), [2, 0])
    if has_control:
        made.append(inner.to_gate().control(1), [1, 2, 0])
    made.rx(2 * X[0] + 0.1, 1)
    made.append(PauliEvolutionGate(SparsePauliOp("XX"), X[2] * (X[2] - X[0])), [0, 1])
    made.ry(X[0] + X[1], 2)
    made.append(ZGate().control(1), [0, 1])
    return made


MAPS = {
    "mixed": (mixed, 4),
    "under a control": (lambda: mixed(has_control=True), 4),
    "of another basis": (lambda: transpile(zz_feature_map(3), basis_gates=["rz", "sx", "cx"], optimization_level=0), 4),
    "of a map": (lambda: z_feature_map(3, data_map_func=lambda x: x[0] * x[0] - 1), 3),
    "of names": (lambda: mixed().assign_parameters(dict(zip(X, map(Parameter, "cab"), strict=True))), 4),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize(("name", "is_reversed"), [*((name, False) for name in MAPS), ("mixed", True)])
def test_polynomials_of_inputs(name, is_reversed):
    torch.manual_seed(0)
    x, (make, count) = torch.rand(2, 3) * 2 - 1, MAPS[name]
    connector = trained(TorchConnector(behind(make(), is_reversed=is_reversed)), x, 1)
    new = ql.nn.from_qiskit(connector)
    assert new.layer.n_inputs == 3 + count
    check_same(new, connector, [connector.weight], x, 2e-6)


# -- what is refused


def with_angle(make):
    made = circuit()
    made.rz(make(X, TH), 0)
    return EstimatorQNN(circuit=made, input_params=list(X), weight_params=[*TH, LATE]), np.zeros(12)


def with_bits():
    made = circuit()
    made.measure_all()
    return SamplerQNN(circuit=made, input_params=list(X), weight_params=[*TH, LATE]), np.zeros(12)


def with_shape():
    qnn = network(SamplerQNN, interpret=lambda k: (k % 2, k // 4), output_shape=(2, 2))
    return qnn, np.zeros(12)


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: with_angle(lambda x, w: x[0] * x[1] * x[2]), "rz of the Qiskit circuit has the angle inputs[0]*inpu"),
    (lambda: with_angle(lambda x, w: x[0] * w[0]), "expected a number or a * x + b of one parameter"),
    (lambda: with_angle(lambda x, w: x[0] * x[1] + w[0]), "expected a number or a * x + b of one parameter"),
    (lambda: with_angle(lambda x, w: x[0].sin()), "has the angle sin(inputs[0]), expected a number or a * x"),
    (lambda: with_angle(lambda x, w: 1 / x[0]), "expected a number or a * x + b of one parameter"),
    (lambda: with_angle(lambda x, w: x[0] ** 3), "expected a number or a * x + b of one parameter"),
    (lambda: with_angle(lambda x, w: w[0] * w[1]), "expected a number or a * x + b of one parameter"),
    (with_bits, "Qiskit's SamplerQNN has a circuit that was compiled for a device or has bits, expected gates alone"),
    (with_shape, "makes outputs of shape (2, 2) of 3 qubits, expected all outcomes"),
    (lambda: (network(observables=[Operator(np.diag([1j] + 7 * [2]))]), np.zeros(12)), "measures a Operator that is"),
    (lambda: (network(), np.zeros(11)), "weights has shape (11,), expected (12,)"),
    (lambda: (network(), None), "no weights for the EstimatorQNN, expected 12; give weights=..."),
    (lambda: (TorchConnector(network()), np.zeros(12)), "weights given beside those of a TorchConnector, expected"),
    (lambda: (circuit(), None), "from_qiskit got a QuantumCircuit, expected a TorchConnector, EstimatorQNN,"),
])  # fmt: skip
def test_what_is_no_such_network_is_refused_by_name(make, sentence):
    with pytest.raises((CircuitError, UnsupportedError), match=re.escape(sentence)) as raised:
        ql.nn.from_qiskit(*make())
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", [EstimatorQNN, SamplerQNN])
def test_what_would_be_read_wrongly_does_not_come_over(kind, monkeypatch):
    real = ours.finished
    monkeypatch.setattr(ours, "finished", lambda *args: real(*args).ry(0.01, 0))
    with pytest.raises(
        UnsupportedError, match=rf"Qiskit's {kind.__name__} differs from what was read of it by [\d.e-]+ in"
    ):
        ql.nn.from_qiskit(network(kind), np.linspace(0, 2, 12))
