"""Trained modules of TorchQuantum: values and derivatives are those of the original, or they are refused by name."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.circuits.parts import part_matrix
from qloom.errors import CircuitError, UnsupportedError
from qloom.nn.imported import torchquantum as ours
from qloom.nn.imported.polynomials import Polynomials
from qloom.nn.imported.torchquantum_gates import CONTROLLED, SAME, gate_part
from qloom.nn.imported.tracing import Traced
from tests.nn.foreign import check_goes_on, check_same, trained
from tests.nn.torchquantum_alone import import_torchquantum

tq = import_torchquantum()
tqf = tq.functional
# What TorchQuantum 0.1.8 itself cannot run: NameError, name 'mat_dict' is not defined.
BROKEN = {"chadamard", "cu1", "rccx", "singleexcitation", "toffoli", "u1", "u2"}
ENCODER = [
    {"input_idx": [2], "func": "ry", "wires": [0]}, {"input_idx": [0, 1, 2], "func": "u3", "wires": [1]},
    {"func": "h", "wires": [2]}, {"input_idx": [1], "func": "rzz", "wires": [2, 0]},
]  # fmt: skip


class Block(tq.QuantumModule):
    """Gates of all kinds, on qubits that are not alike; some trained, some numbers, one weight twice."""

    def __init__(self):
        super().__init__()
        self.random = tq.RandomLayer(n_ops=15, wires=[0, 1, 2])
        self.turn = tq.U3(has_params=True, trainable=True)
        self.between = tq.CRX(has_params=True, trainable=True)
        self.fixed = tq.RY(has_params=True, trainable=False, init_params=0.4)
        self.free = torch.nn.Parameter(torch.rand(2, 3))

    def forward(self, qdev):
        self.random(qdev)
        self.turn(qdev, wires=1)
        self.between(qdev, wires=[0, 2])
        self.fixed(qdev, wires=2)
        tqf.sx(qdev, wires=1)
        qdev.rz(params=0.3, wires=1)
        tqf.rzz(qdev, wires=[0, 1], params=self.turn.params[:, 1] * 2 + 0.1, inverse=True)
        tqf.crot(qdev, wires=[2, 0], params=self.free[:1] / 3)
        tqf.cu3(qdev, wires=[1, 2], params=-self.free[1:])
        tqf.multirz(qdev, wires=[2, 0, 1], params=self.free[0, 0], n_wires=3)
        tqf.qubitunitary(qdev, wires=[1, 0], params=np.linalg.qr(np.arange(16).reshape(4, 4) ** 1.5 + 1j)[0])
        tqf.sswap(qdev, wires=[0, 2])
        tqf.multicnot(qdev, wires=[2, 1, 0], n_wires=3)
        tqf.xxplusyy(qdev, wires=[2, 1], params=torch.stack([self.free[1, 0], self.free[0, 1] + 1])[None])


class Model(tq.QuantumModule):
    def __init__(self, measure=None):
        super().__init__()
        self.encoder, self.block = tq.GeneralEncoder(ENCODER), Block()
        self.measure = measure or tq.MeasureAll(tq.PauliZ)

    def forward(self, x):
        qdev = tq.QuantumDevice(n_wires=3, bsz=x.shape[0], device=x.device, record_op=True)
        self.encoder(qdev, 2 * x + 0.25)
        qdev.reset_op_history()
        self.block(qdev)
        return self.measure(qdev)


def sums(qdev):
    """Fixed sums of expectation values of words on all qubits, reached by names of all kinds."""
    words = [tq.measurement.expval_joint_analytical(qdev, word) for word in ("XYZ", "ZIX")]
    zs = tq.expval(qdev, [2, 0], [tq.PauliZ(), tq.PauliZ()])
    return torch.stack([words[0] - 0.5 * words[1], zs.sum(-1) * 3 + 0.25, zs[:, 0]], dim=1)


MEASURES = {
    "Z": tq.MeasureAll(tq.PauliZ), "Y": tq.MeasureAll(tq.PauliY), "sums": sums,
    "pairs": lambda qdev: tq.MeasureAll(tq.PauliZ)(qdev)[:, :2].reshape(-1, 1, 2).sum(-1).squeeze(),
    "of a list": tq.MeasureMultiPauliSum([{"wires": [2, 0], "observables": ["x", "y"]}]),
}  # fmt: skip


@pytest.mark.parametrize("measure", MEASURES)
def test_values_and_derivatives_are_those_of_the_original(measure):
    torch.manual_seed(0)
    x, module = torch.rand(5, 3) * 2 - 1, Model(MEASURES[measure])
    trained(module, x)
    kept = [p.detach().clone() for p in module.parameters()]
    new = ql.nn.from_torchquantum(module, 3)
    assert all(torch.equal(p, before) for p, before in zip(module.parameters(), kept, strict=True))
    weights = {name: p for name, p in module.named_parameters() if p.requires_grad}
    named = new.named_weights()
    assert list(named) == [name.replace(".", "_") for name in weights]
    assert all(torch.equal(t, p) for t, p in zip(named.values(), weights.values(), strict=True))
    assert new.weights.dtype == torch.float32
    check_same(new, lambda x: module(x).reshape(len(x), -1), list(weights.values()), x, 5e-6)


def test_training_goes_on_and_is_saved():
    torch.manual_seed(0)
    x = torch.rand(5, 3)
    check_goes_on(ql.nn.from_torchquantum(trained(Model(), x), 3), x)


def test_a_kept_device_and_no_inputs():
    class Alone(tq.QuantumModule):
        def __init__(self):
            super().__init__()
            self.q_device = tq.QuantumDevice(n_wires=2)
            self.first, self.second = (tq.RX(has_params=True, trainable=True) for _ in range(2))

        def forward(self):
            self.q_device.reset_states(1)
            self.first(self.q_device, wires=1)
            tqf.cnot(self.q_device, wires=[1, 0])
            self.second(self.q_device, wires=1)
            return tq.expval(self.q_device, [0, 1], [tq.PauliZ(), tq.PauliZ()])

    module = Alone()
    module()
    module().sum().backward()
    assert (ql.nn.from_torchquantum(module, 0)() - module()[0]).abs().max() < 1e-6


def own_matrix(name, numbers):
    """TorchQuantum's matrix, which takes as many of the numbers as the gate has angles, and those."""
    matrix = tq.mat_dict[name]
    if isinstance(matrix, torch.Tensor):
        return matrix, None
    count = next(count for count in range(1, 5) if tq.op_name_dict[name].num_params == count)
    found = matrix(numbers[:, :count])
    return found.reshape(found.shape[-2:]), numbers[:, :count]


@pytest.mark.parametrize("name", [*SAME, *CONTROLLED])
def test_a_gate_is_its_matrix(name):
    """The table of names against TorchQuantum's own matrices, phase and order of wires included."""
    matrix, numbers = own_matrix(name, torch.tensor([[0.3, -0.7, 1.9, 0.4]]))
    qubits = list(range(len(matrix).bit_length() - 1))
    slots = ql.Circuit(1)
    call = {"name": name, "params": numbers, "wires": qubits, "inverse": False}
    part = gate_part(call, Traced(slots.input_slots, slots.weight_slots, 0, Polynomials(0)), "a test")
    assert np.abs(part_matrix(part, qubits, name) - matrix.numpy()).max() < 2e-7
    if name not in BROKEN:
        device = tq.QuantumDevice(n_wires=len(qubits), bsz=1)
        device.reset_identity_states()
        getattr(tqf, name)(device, wires=qubits, params=numbers)
        assert np.abs(part_matrix(part, qubits, name) - device.get_states_1d().numpy().T).max() < 2e-7


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_torchquantum_cannot_run_is_known(name):
    with pytest.raises(NameError, match="mat_dict"):
        getattr(tqf, name)(tq.QuantumDevice(n_wires=3), wires=[0, 1, 2], params=torch.ones(1, 1))


# -- what is refused


class Given(tq.QuantumModule):
    """A module of two qubits that does what it is given, and measures Z where that returns nothing."""

    def __init__(self, run):
        super().__init__()
        self.turn, self.run = tq.RX(has_params=True, trainable=True), run

    def forward(self, x):
        qdev = tq.QuantumDevice(n_wires=2, bsz=len(x))
        self.turn(qdev, wires=0)
        returned = self.run(self, qdev, x)
        return tq.MeasureAll(tq.PauliZ)(qdev) if returned is None else returned


def after(function):
    return lambda m, q, x: function(tq.MeasureAll(tq.PauliZ)(q), m, x)


def amplitudes(m, q, x):
    tq.StateEncoder()(q, x)


def twice(m, q, x):
    tq.MeasureAll(tq.PauliX)(q)


@pytest.mark.parametrize(("run", "sentence"), [
    (lambda m, q, x: tqf.rx(q, wires=0, params=x[:, 0] * m.turn.params[0, 0]), "rx has an angle made of 2 slots (x[0]"),
    (lambda m, q, x: tqf.rx(q, wires=0, params=x[:, 0] * x[:, 1].square()), "rx has an angle that is no polynomial"),
    (lambda m, q, x: tqf.ry(q, wires=0, params=torch.relu(x[:, 0])), "a gate ry on qubits (0,) whose angle is no"),
    (lambda m, q, x: tqf.ry(q, wires=0, params=x[:, 0].detach()), "a gate ry on qubits (0,) whose angle is"),
    (amplitudes, "sets states otherwise than by gates (amplitudes, a reset, a second circuit,"),
    (lambda m, q, x: q.reset_states(len(x)), "sets states otherwise than by gates"),
    (twice, "sets states otherwise than by gates"),
    (lambda m, q, x: tqf.reset(q, wires=[0]), "sets states otherwise than by gates"),
    (after(lambda values, m, x: values.log_softmax(-1)), "returns what is no fixed sum of expectation values"),
    (after(lambda values, m, x: values + x), "returns what is no fixed sum of expectation values"),
    (lambda m, q, x: tq.expval(q, [0], [tq.Hadamard()]), "measures Hadamard, expected PauliX, PauliY, PauliZ or I"),
    (lambda m, q, x: tq.expval_joint_sampling(q, "ZI", 10), "returns no exact expectation values, expected those of"),
    (lambda m, q, x: q.get_states_1d(), "returns no exact expectation values"),
    (lambda m, q, x: [1], "returns a list, expected a tensor of measured values"),
    (lambda m, q, x: tqf.qubitunitary(q, wires=[0], params=torch.diag_embed(torch.exp(1j * x))),
     "qubitunitary has inputs or weights and no gate here, expected rotations; replace it"),
])  # fmt: skip
def test_what_has_no_place_in_a_circuit_is_refused_by_name(run, sentence):
    module = Given(run)
    with pytest.raises((CircuitError, UnsupportedError), match=re.escape(sentence)) as raised:
        ql.nn.from_torchquantum(module, 2)
    assert "\n" not in str(raised.value)
    assert tqf.gate_wrapper.__module__.startswith("torchquantum.")
    assert all(parameter.dtype == torch.float32 for parameter in module.parameters())


def test_products_and_sums_of_inputs_come_over():
    def run(m, qdev, x):
        tqf.ry(qdev, wires=1, params=(torch.pi - x[:, 0]) * (torch.pi - x[:, 1]))
        tqf.rzz(qdev, wires=[0, 1], params=x.float().prod(-1) - 0.3 * x[:, 0])
        tqf.rx(qdev, wires=0, params=x.sum(-1))

    torch.manual_seed(0)
    x, module = torch.rand(5, 2) * 2 - 1, Given(run)
    new = ql.nn.from_torchquantum(trained(module, x), 2)
    assert str(new.layer.circuit.input_slots) == "inputs (2,), polynomials (3,)"
    check_same(new, module, list(module.parameters()), x, 5e-6)
    check_goes_on(ql.nn.from_torchquantum(Given(run), 2), x)


def test_a_classical_head_is_refused_by_its_name():
    module = Given(after(lambda values, m, x: m.head(values.to(m.head.weight.dtype))))
    module.head = torch.nn.Linear(2, 2)
    with pytest.raises(
        UnsupportedError, match="a parameter head_weight that turns no gate, expected angles alone; import"
    ):
        ql.nn.from_torchquantum(module, 2)
    module.head.requires_grad_(False)
    x = torch.rand(4, 2)
    new = ql.nn.from_torchquantum(module, 2)
    assert (new(x) - module(x)).abs().max() < 1e-6


def test_other_objects_static_and_noisy_modules_are_refused():
    with pytest.raises(CircuitError, match="from_torchquantum got a function, expected a torch module"):
        ql.nn.from_torchquantum(sums, 3)
    with pytest.raises(
        CircuitError, match=r"does not run on n_inputs=2 numbers \(.+\), expected as many as it is made"
    ):
        ql.nn.from_torchquantum(Model(), 2)
    static = Model()
    static.static_on()
    with pytest.raises(UnsupportedError, match="has a Model that is static or noisy, expected neither; turn that off"):
        ql.nn.from_torchquantum(static, 3)


def test_what_would_be_read_wrongly_does_not_come_over(monkeypatch):
    real = ours.gate_part
    monkeypatch.setattr(ours, "gate_part", lambda call, *rest: real(call | {"inverse": not call["inverse"]}, *rest))
    with pytest.raises(
        UnsupportedError, match=r"differs from what was read of it by [\d.]+ in its values at the trained"
    ):
        ql.nn.from_torchquantum(Model(), 3)
