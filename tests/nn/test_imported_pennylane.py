"""Trained layers of PennyLane: values and derivatives are those of the original, or they are refused by name."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.circuits import exchange
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.nn.imported.polynomials import Polynomials
from tests.nn.foreign import check_goes_on, check_same, quantum, trained

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    qml = pytest.importorskip("pennylane", reason="PennyLane is not installed")

X, Y, Z = qml.X, qml.Y, qml.Z
DEVICE = qml.device("default.qubit", wires=3)
HERMITIAN = np.array([[1.0, 0.3 - 0.2j], [0.3 + 0.2j, -0.4]])


@qml.qnode(DEVICE)
def templates(inputs, w, a):
    qml.AngleEmbedding(2 * inputs + 0.1, wires=[2, 0, 1], rotation="Y")
    qml.StronglyEntanglingLayers(w, wires=range(3))
    qml.RZ(a, wires=1)
    qml.CRX(torch.pi * inputs[..., 1] - 0.5, wires=[2, 0])
    return [qml.expval(Z(0) @ X(1)), qml.expval(0.5 * Z(1) + 2 * Y(2) - 0.25 * qml.Identity(0))]


@qml.qnode(DEVICE)
def gate_by_gate(inputs, late, early):
    """Blocks of weights in another order than they are used in, some entries twice, scaled and shifted."""
    for q in range(3):
        qml.RX(-inputs[q] / 3, wires=q)
        qml.RY(early[q, 1], wires=q)
    qml.CNOT([0, 2])
    qml.ctrl(qml.RY, 1, control_values=0)(late[1] * 0.5 + 1, wires=2)
    qml.adjoint(qml.RZ)(early[0, 0], wires=0)
    qml.PauliRot(late[0] - inputs[1] * 0, "XYZ", wires=[2, 0, 1])
    qml.Rot(early[0, 1], 0.2, 2 * late[1], wires=1)
    qml.IsingXY(late[2], wires=[2, 1])
    qml.Toffoli([2, 1, 0])
    return qml.expval(Z(2)), qml.expval(qml.Hermitian(HERMITIAN, 0)), qml.expval(X(1) @ Y(0))


@qml.qnode(DEVICE)
def of_batches(inputs, w):
    for q in range(3):
        qml.RY(inputs[:, q], wires=q)
    qml.BasicEntanglerLayers(w, wires=[1, 2, 0], rotation=qml.RZ)
    qml.RX(inputs[:, 0] * 2, wires=1)
    qml.SimplifiedTwoDesign(w[0], torch.stack([w[:2, :2]]), wires=range(3))
    return qml.probs(wires=[2, 0])


@qml.qnode(qml.device("default.qubit", wires=["b", "c", "a"]))
def of_names(inputs, w):
    qml.RY(inputs[..., 0], wires="a")
    qml.RX(w[0], wires="b")
    qml.CNOT(["a", "c"])
    qml.CRot(w[1], inputs[..., 1], w[0], wires=["b", "a"])
    return qml.probs()


@qml.qnode(qml.device("default.qubit"))
def of_one_output(inputs, w):
    qml.IQPEmbedding(torch.zeros(2), wires=[4, 7])
    qml.RY(inputs[..., 0] + 0.25, wires=7)
    qml.IsingXX(w, wires=[4, 7])
    qml.Rot(w, 0.3, inputs[..., 1], wires=4)
    qml.RX(1.1, wires=7)
    return qml.expval(qml.Projector([0, 1], wires=[7, 4]))


@qml.qnode(qml.device("default.qubit", wires=2))
def of_shape_one(inputs, first, second, third):
    """Weights of shapes (), (1,) and (3,), as in PennyLane's own documentation; (1,) is a batch there."""
    qml.AngleEmbedding(inputs, wires=range(2))
    qml.Rot(*third, wires=0)
    qml.RY(first, wires=1)
    qml.RX(second, wires=1)
    qml.CNOT(wires=[0, 1])
    return qml.expval(Z(0)), qml.expval(Z(1) @ Y(0))


@qml.qnode(DEVICE)
def of_products(inputs, w):
    qml.IQPEmbedding(inputs, wires=[2, 0, 1], n_repeats=2, pattern=[[2, 0], [0, 1]])
    qml.StronglyEntanglingLayers(w, wires=range(3))
    return [qml.expval(Z(0) @ X(1)), qml.expval(Y(2))]


@qml.qnode(DEVICE)
def of_polynomials(inputs, w):
    """Of degree two, with and without squares and constants, beside a * x + b of an input and of a weight."""
    x, y, z = (inputs[..., k] for k in range(3))
    qml.RY(x * y + 0.3 * z, wires=0)
    qml.RX(2 * y + 0.1, wires=0)
    qml.Rot(w[0], z**2 / 2 - 0.5, 2 * w[1], wires=1)
    qml.CRX((torch.pi - x) * (torch.pi - z), wires=[0, 2])
    qml.RY(x * y + 0.3 * z, wires=1)
    qml.ctrl(qml.RY, 1)((inputs @ inputs.new_tensor([1.0, -2.0, 0.5])).square(), wires=2)
    qml.RX(inputs.sum(-1) - w[2] * 0, wires=1)
    qml.RY(w[2], wires=2)
    return [qml.expval(Z(0) @ Z(1)), qml.expval(X(2)), qml.expval(Y(1))]


LAYERS = {
    "templates": (templates, {"w": (2, 3, 3), "a": 1}, 3),
    "gate by gate": (gate_by_gate, {"late": 3, "early": (3, 2)}, 3),
    "of batches": (of_batches, {"w": (3, 3)}, 3),
    "of names": (of_names, {"w": (2,)}, 2),
    "of one output": (of_one_output, {"w": 1}, 2),
    "of products": (of_products, {"w": (1, 3, 3)}, 3),
    "of polynomials": (of_polynomials, {"w": 3}, 3),
    "of shape one": (of_shape_one, {"first": 1, "second": (1,), "third": 3}, 2),
}


def arranged(layer, x):
    """PennyLane's outputs, which stand in front for a tuple and have no dimension for one, as (B, O)."""
    rows = torch.stack([layer(row).reshape(-1) for row in x]) if layer.qnode is gate_by_gate else layer(x)
    return rows.squeeze(-1).T if rows.dim() == 3 else rows.reshape(len(x), -1)


@pytest.fixture(params=LAYERS)
def pair(request):
    qnode, shapes, n_inputs = LAYERS[request.param]
    torch.manual_seed(0)
    layer, x = qml.qnn.TorchLayer(qnode, shapes), torch.rand(5, n_inputs) * 3 - 1.5
    optimizer = torch.optim.Adam(layer.parameters(), 0.2)
    for _ in range(3):
        optimizer.zero_grad()
        (arranged(layer, x) - 0.3).square().sum().backward()
        optimizer.step()
    return layer, x


def test_values_and_derivatives_are_those_of_the_original(pair):
    layer, x = pair
    new = ql.nn.from_pennylane(layer, x.shape[1])
    named, slots = quantum(new).named_weights(), quantum(new).circuit.input_slots
    assert {name: tuple(t.shape) for name, t in named.items()} == {
        name: tuple(p.shape) for name, p in layer.qnode_weights.items()
    }
    assert all(torch.equal(t, layer.qnode_weights[name]) for name, t in named.items())
    n_polynomials = {of_products: 2, of_polynomials: 5}.get(layer.qnode, 0)
    assert [block.shape for block in slots] == [(x.shape[1],), (n_polynomials,)][: 1 + bool(n_polynomials)]
    assert isinstance(new, torch.nn.Sequential) == bool(n_polynomials)
    check_same(new, lambda x: arranged(layer, x), list(layer.parameters()), x, 2e-6)
    layer.double(), new.double()
    check_same(new, lambda x: arranged(layer, x), list(layer.parameters()), x.double(), 1e-10)


def test_a_layer_of_float64_stays_one(pair):
    layer, x = pair
    assert quantum(ql.nn.from_pennylane(layer.double(), x.shape[1])).weights.dtype == torch.float64


@pytest.mark.parametrize("name", ["templates", "of products"])
def test_training_goes_on_and_is_saved(name):
    torch.manual_seed(0)
    layer = qml.qnn.TorchLayer(*LAYERS[name][:2])
    x = torch.rand(5, 3)
    check_goes_on(ql.nn.from_pennylane(trained(layer, x), 3), x)


def test_the_layer_of_a_model_is_exchanged():
    torch.manual_seed(1)
    quantum = qml.qnn.TorchLayer(templates, {"w": (2, 3, 3), "a": 1})
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), quantum, torch.nn.Linear(2, 2))
    x = torch.rand(6, 4)
    expected = trained(model, x)(x)
    ql.nn.replace(model, "1", ql.nn.from_pennylane(model[1], 3))
    assert (model(x) - expected).abs().max() < 2e-6


def test_frozen_weights_stay_frozen():
    layer = qml.qnn.TorchLayer(templates, {"w": (2, 3, 3), "a": 1})
    layer.qnode_weights["w"].requires_grad_(False)
    assert ql.nn.from_pennylane(layer, 3).trained.tolist() == [False] * 18 + [True]
    layer.qnode_weights["a"].requires_grad_(False)
    assert not ql.nn.from_pennylane(layer, 3).trained.any()
    layer = qml.qnn.TorchLayer(of_products, {"w": (1, 3, 3)}).requires_grad_(False)
    assert not ql.nn.from_pennylane(layer, 3).layer.trained.any()


def test_channels_come_over_to_an_engine_that_has_them():
    @qml.qnode(qml.device("default.mixed", wires=2))
    def noisy(inputs, w):
        qml.RY(inputs[..., 0], wires=1)
        qml.AmplitudeDamping(0.2, wires=1)
        qml.CNOT([1, 0])
        qml.RX(w[0], wires=0)
        return qml.expval(Z(0) @ Z(1))

    layer = qml.qnn.TorchLayer(noisy, {"w": (1,)})
    new = ql.nn.from_pennylane(layer, 1, engine=DensityEngine())
    x = torch.rand(4, 1)
    assert (new(x)[:, 0] - layer(x)).abs().max() < 1e-6


# -- what is refused


def layer_of(make, shapes=(("w", (4,)),), device=DEVICE, **options):
    def circuit(inputs, w):
        return make(inputs, w)

    return qml.qnn.TorchLayer(qml.QNode(circuit, device, **options), dict(shapes))


def measured(make, result=None):
    def circuit(inputs, w):
        make(inputs, w)
        return qml.expval(Z(0)) if result is None else result()

    return layer_of(circuit)


@pytest.mark.parametrize(("layer", "sentence"), [
    (lambda: measured(lambda x, w: qml.RX(w[0] * x[..., 0], wires=0)),
     "RX has an angle made of 2 slots (x[0] and w[0] among them), expected a * x + b of one, or inputs alone"),
    (lambda: measured(lambda x, w: qml.RX(x[..., 0] * x[..., 1] + w[0], wires=0)), "RX has an angle made of 3 slots"),
    (lambda: measured(lambda x, w: qml.RX(w[0] * w[1], wires=0)), "RX has an angle made of 2 slots (w[0] and w[1]"),
    (lambda: measured(lambda x, w: qml.RY(x[..., 0] * x[..., 1] * x[..., 2], wires=2)),
     "layer: RY has an angle that is no polynomial of degree two in inputs"),
    (lambda: measured(lambda x, w: qml.RX(torch.sin(x[..., 1]), wires=0)),
     "layer: RX has an angle that is no polynomial of degree two in inputs, expected that or a * x + b of one slot"),
    (lambda: measured(lambda x, w: qml.RX(torch.relu(x[..., 1] * x[..., 2]), wires=0)),
     "a gate rx on qubits (0,) whose angle is no a * x + b of one slot, nor of degree two in inputs alone, expected"),
    (lambda: measured(lambda x, w: qml.RX(w[1] ** 2, wires=0)), "a gate rx on qubits (0,) whose angle is no a * x + b"),
    (lambda: measured(lambda x, w: qml.RX(x[..., 1].detach() + w[0], wires=0)), "a gate rx on qubits (0,) whose angle"),
    (lambda: measured(lambda x, w: [qml.X(0)] if x.reshape(-1)[1] > 1 else []), "has other gates for other numbers"),
    (lambda: measured(lambda x, w: qml.IQPEmbedding(x * w[:3], wires=range(3))), "IQPEmbedding has an angle made of 2"),
    (lambda: measured(lambda x, w: qml.AmplitudeEmbedding(x, wires=range(2), pad_with=0.0, normalize=True)),
     "AmplitudeEmbedding has "),
    (lambda: measured(lambda x, w: qml.Hadamard(0), lambda: qml.var(Z(0))), "returns var(Z(0)), expected expectation"),
    (lambda: measured(lambda x, w: qml.Hadamard(0), lambda: [qml.probs(wires=0), qml.expval(Z(0))]), "returns probs("),
    (lambda: layer_of(lambda x, w: [qml.RX(x[..., 0], 0), qml.expval(w[0] * Z(0) + w[1] * X(0))][1]),
     "with inputs or weights in it, expected numbers alone"),
    (lambda: layer_of(lambda x, w: [qml.RX(x[..., 0], 0), qml.expval(Z(0))][1], shots=100), "with 100 shots, expected"),
])  # fmt: skip
def test_what_has_no_place_in_a_circuit_is_refused_by_name(layer, sentence):
    with pytest.raises((CircuitError, UnsupportedError), match=re.escape(sentence)) as raised:
        ql.nn.from_pennylane(layer(), 3)
    assert "\n" not in str(raised.value)


def test_other_objects_are_refused():
    with pytest.raises(CircuitError, match=r"got a QNode, expected a qml.qnn.TorchLayer"):
        ql.nn.from_pennylane(templates, 3)
    for qnode, shapes, _ in (LAYERS["gate by gate"], LAYERS["of batches"]):
        with pytest.raises(CircuitError, match=r"does not run on n_inputs=2 numbers \(.+\), expected as many"):
            ql.nn.from_pennylane(qml.qnn.TorchLayer(qnode, shapes), 2)
    with pytest.raises(CircuitError, match=r"n_inputs='3', expected an integer"):
        ql.nn.from_pennylane(qml.qnn.TorchLayer(templates, {"w": (2, 3, 3), "a": 1}), "3")


def test_an_engine_that_measures_is_refused():
    shots = ql.engines.Shots(ql.engines.StatevectorEngine(), 100)
    with pytest.raises(UnsupportedError, match="is verified with exact values, got "):
        ql.nn.from_pennylane(qml.qnn.TorchLayer(templates, {"w": (2, 3, 3), "a": 1}), 3, engine=shots)


@pytest.mark.parametrize("change", [lambda c: c.rx(0.001, 1), lambda c: c.swap(0, 1), lambda c: c.ry(-0.3, 0)])
def test_what_would_be_read_wrongly_does_not_come_over(change, monkeypatch):
    """The comparison is alive: a circuit with one more gate than PennyLane's is found out, and by how much."""
    real = exchange.from_pennylane
    monkeypatch.setattr(exchange, "from_pennylane", lambda *args: change(real(*args)))
    with pytest.raises(UnsupportedError, match=r"by [\d.e-]+ in its values at the trained weights, expected"):
        ql.nn.from_pennylane(qml.qnn.TorchLayer(templates, {"w": (2, 3, 3), "a": 1}), 3)


def test_a_polynomial_that_would_be_read_wrongly_does_not_come_over(monkeypatch):
    real = Polynomials.angle
    monkeypatch.setattr(Polynomials, "angle", lambda self, x, constant, *rest: real(self, x, constant + 1e-6, *rest))
    with pytest.raises(UnsupportedError, match=r"by [\d.e-]+ in its values at the trained weights, expected"):
        ql.nn.from_pennylane(qml.qnn.TorchLayer(of_products, {"w": (1, 3, 3)}), 3)


def test_a_gradient_that_differs_is_found(monkeypatch):
    """PennyLane's own gradient is asked, not only its values."""
    from qloom.nn.imported import pennylane

    real = pennylane._Tracer.slopes
    monkeypatch.setattr(pennylane._Tracer, "slopes", lambda self, *args: real(self, *args) + 1e-6)
    with pytest.raises(UnsupportedError, match=r"by 1e-06 in its gradient by the weights, expected at most"):
        ql.nn.from_pennylane(qml.qnn.TorchLayer(templates, {"w": (2, 3, 3), "a": 1}), 3)


def test_estimated_gradients_are_not_compared():
    qnode = qml.QNode(templates.func, DEVICE, diff_method="finite-diff")
    ql.nn.from_pennylane(qml.qnn.TorchLayer(qnode, {"w": (2, 3, 3), "a": 1}), 3)
