"""The noise model: what acts where, in which order, on which qubits; and what it is refused for."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
import torch

from qloom.circuits import Circuit
from qloom.circuits.gates import GATES
from qloom.engines import ReferenceEngine, expectation
from qloom.errors import ArtifactError, CircuitError
from qloom.nn import QuantumLayer
from qloom.noise import NoiseModel, Note
from qloom.noise.application import EXCHANGEABLE
from qloom.observables import X, Z


def placed(circuit):
    """Names and qubits of a circuit's operations."""
    return [(op.gate.name, op.qubits) for op in circuit.operations]


def flip(p, width=1):
    return Circuit(width).bit_flip(p, 0)


def test_channels_follow_their_gates_and_readout_comes_last():
    circuit = Circuit(2).h(0).cx(0, 1)
    noisy = NoiseModel.uniform(1e-3, 1e-2, 2e-2).apply(circuit)
    assert placed(noisy) == [
        ("h", (0,)), ("depolarizing", (0,)), ("cx", (0, 1)), ("depolarizing", (0, 1)),
        ("readout_error", (0,)), ("readout_error", (1,)),
    ]  # fmt: skip
    assert placed(circuit) == [("h", (0,)), ("cx", (0, 1))]


def test_uniform_noise_is_a_probability_of_an_error():
    """X then depolarizing .5 leaves <Z> = -(1 - 4/3 * .5), readout .1 of that 1 - 2 * .1."""
    circuit = Circuit(1).x(0)
    value = expectation(NoiseModel.uniform(0.5, readout=0.1).apply(circuit), engine=ReferenceEngine())
    assert value == pytest.approx(-(1 / 3) * 0.8, abs=1e-12)
    bell = expectation(
        NoiseModel.uniform(two_qubit=0.01).apply(Circuit(2).h(0).cx(0, 1)), X(0) @ X(1), engine=ReferenceEngine()
    )
    assert bell == pytest.approx(1 - 16 / 15 * 0.01, abs=1e-12)


def test_rules_of_names_qubits_and_classes_all_act_in_their_order():
    model = (
        NoiseModel()
        .after("one_qubit", flip(0.1))
        .before("x", Circuit(1).phase_flip(0.2, 0), [1])
        .after("cx", Circuit(2).depolarizing(0.3, 0, 1))
        .after("cx", flip(0.4), [1, 0])
    )
    noisy = model.apply(Circuit(2).x(0).x(1).cx(0, 1).cx(1, 0).swap(0, 1))
    assert placed(noisy) == [
        ("x", (0,)), ("bit_flip", (0,)),
        ("phase_flip", (1,)), ("x", (1,)), ("bit_flip", (1,)),
        ("cx", (0, 1)), ("depolarizing", (0, 1)),
        ("cx", (1, 0)), ("depolarizing", (1, 0)), ("bit_flip", (1,)), ("bit_flip", (0,)),
        ("swap", (0, 1)),
    ]  # fmt: skip


def test_slots_stay_and_rates_may_be_slots():
    circuit = Circuit(2)
    circuit.rx(circuit.inputs(1)[0], 0)
    rate = circuit.weights(2)[1]
    circuit.cx(0, 1)
    noisy = NoiseModel.uniform(two_qubit=rate).apply(circuit)
    assert (noisy.n_inputs, noisy.n_weights) == (1, 2)
    assert noisy.operations[-1].angles == (rate,)
    with pytest.raises(CircuitError, match="slot of another circuit"):
        NoiseModel.uniform(two_qubit=rate).apply(Circuit(2).cx(0, 1))


def test_over_rotation_turns_each_rotation_too_far():
    """<Z> of rx(a) turned by 1 + f is cos((1 + f) a); of sx, cos((1 + f) pi / 2)."""
    model = NoiseModel().over_rotated("rx", 0.1).over_rotated("sx", 0.2)
    for circuit, angle in ((Circuit(1).rx(0.7, 0), 0.77), (Circuit(1).sx(0), 0.6 * np.pi)):
        assert expectation(model.apply(circuit), Z(0)) == pytest.approx(np.cos(angle), abs=1e-12)
    both = model.over_rotated("rx", 0.1).apply(Circuit(1).rx(0.7, 0))
    assert expectation(both, Z(0)) == pytest.approx(np.cos(0.7 * 1.1**2), abs=1e-12)


def test_a_fixed_angle_about_a_word_is_a_rotation_behind_the_gate():
    model = NoiseModel().after("x", Circuit(1).rx(0.2, 0))
    assert expectation(model.apply(Circuit(1).x(0)), Z(0)) == pytest.approx(-np.cos(0.2), abs=1e-12)
    assert model.is_unitary
    assert not model.after("x", flip(0.1)).is_unitary


def test_crosstalk_turns_neighbours_of_two_qubit_gates():
    """A neighbour in |+> beside a gate on |00> turns about Z: <X> = cos of the angle, for each pair once."""
    model = NoiseModel().with_crosstalk(0.3, [(1, 0), (1, 2), (2, 3)])
    circuit = Circuit(4).h(2).cz(0, 1).h(0)
    noisy = model.apply(circuit)
    assert placed(noisy) == [("h", (2,)), ("cz", (0, 1)), ("rzz", (1, 2)), ("h", (0,))]
    assert expectation(noisy, X(2)) == pytest.approx(np.cos(0.3), abs=1e-12)


def test_qubits_that_wait_relax():
    """Qubit 1 waits for two gates of 50 on qubit 0: its |1> decays by e^(-100 / T1); then for the last gate."""
    model = NoiseModel().lasting("one_qubit", 50.0).lasting("cx", 200.0).lasting("z", 0.0).idling(300.0, 400.0)
    noisy = model.apply(Circuit(2).x(1).h(0).z(0).h(0).h(0).cx(0, 1).x(0))
    waits = [(op.qubits, op.angles[2].offset) for op in noisy.operations if op.gate.name == "thermal_relaxation"]
    assert waits == [((1,), 100.0), ((1,), 50.0)]
    value = expectation(model.apply(Circuit(2).x(1).h(0).h(0).h(0)), Z(1), engine=ReferenceEngine())
    assert value == pytest.approx(1 - 2 * np.exp(-100 / 300), abs=1e-12)


def test_relaxation_in_one_line():
    """<X> after h and a wait of another's gate: e^(-t / T2) of both times."""
    model = NoiseModel.relaxation(100.0, 150.0, {"one_qubit": 10.0, "cz": 40.0})
    value = expectation(model.apply(Circuit(3).h(2).h(0).cz(0, 1)), X(2), engine=ReferenceEngine())
    assert value == pytest.approx(np.exp(-50 / 150), abs=1e-12)
    with pytest.raises(CircuitError, match="expected"):
        NoiseModel.relaxation(100.0, 250.0, {"one_qubit": 10.0})


def test_readout_of_one_qubit_goes_before_the_general_one_and_joint_confusion():
    joint = np.kron([[0.9, 0.2], [0.1, 0.8]], [[0.7, 0.0], [0.3, 1.0]])
    model = NoiseModel().with_readout(0.01).with_readout(0.02, 0.03, [1]).with_confusion(joint, [2, 3])
    noisy = model.apply(Circuit(4).x(0))
    assert placed(noisy)[1:] == [("readout_error", (0,)), ("readout_error", (1,)), ("confusion", (2, 3))]
    assert [angle.offset for angle in noisy.operations[2].angles] == [0.02, 0.03]
    assert placed(model.without_readout().apply(Circuit(4).x(0))) == [("x", (0,))]
    assert model.with_readout(0.5, qubits=[1]).readouts != model.readouts


def test_models_are_values():
    model = NoiseModel.uniform(1e-3, 1e-2, 2e-2)
    assert model == NoiseModel.uniform(1e-3, 1e-2, 2e-2)
    assert hash(model) == hash(NoiseModel.uniform(1e-3, 1e-2, 2e-2))
    assert model != NoiseModel.uniform(1e-3, 1e-2, 3e-2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.name = "other"
    model.after("x", flip(0.1))
    assert model == NoiseModel.uniform(1e-3, 1e-2, 2e-2)


def test_models_and_layers_with_them_are_copied_and_pickled():
    model = NoiseModel.uniform(1e-3, 1e-2, 2e-2).with_confusion(np.eye(4), (0, 1)).idling(9.0, 8.0).lasting("x", 1.0)
    layer = QuantumLayer(Circuit(2).h(0).cx(0, 1), noise=model)
    for copied in (copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        again = copied(model)
        assert again == model
        assert again.notes == model.notes
        assert torch.equal(copied(layer)(), layer())


def test_a_sum_has_both():
    noisy = (NoiseModel().after("x", flip(0.1)) + NoiseModel().after("x", flip(0.2))).apply(Circuit(1).x(0))
    assert [op.angles[0].offset for op in noisy.operations[1:]] == [0.1, 0.2]


# -- rates times a factor


def test_every_rate_is_scaled():
    model = (
        NoiseModel.uniform(0.01, 0.02, 0.03)
        .after("x", Circuit(1).thermal_relaxation(50.0, 60.0, 2.0, 0.1, 0))
        .after("x", Circuit(1).generalized_amplitude_damping(0.1, 0.3, 0))
        .over_rotated("ry", 0.1)
        .idling(50.0, 60.0)
        .with_crosstalk(0.2, [(0, 1)])
    )
    twice = model.scaled(2)
    rates = [[angle.offset for angle in op.angles] for op in twice.apply(Circuit(1).x(0)).operations[1:]]
    assert rates == [[0.02], [50.0, 60.0, 4.0, 0.1], [0.2, 0.3], [0.06, 0.06]]
    assert twice.relaxations[0].t1 == 25.0
    assert twice.crosstalk.angle.offset == 0.4
    assert expectation(twice.without_readout().apply(Circuit(1).ry(1.0, 0)), engine=ReferenceEngine()) == pytest.approx(
        np.cos(1.2) * (1 - 4 / 3 * 0.02)
    )
    assert model.scaled(1) == model
    assert expectation(model.scaled(0).apply(Circuit(1).ry(1.0, 0)), engine=ReferenceEngine()) == pytest.approx(
        np.cos(1.0)
    )


def test_some_rates_are_scaled():
    model = NoiseModel.uniform(0.01, 0.02, 0.03)
    assert model.scaled(2, "two_qubit") == NoiseModel.uniform(0.01, 0.04, 0.03)
    assert model.scaled(2, ["one_qubit", "readout"]) == NoiseModel.uniform(0.02, 0.02, 0.06)
    with pytest.raises(CircuitError, match="rates of cx, expected some of one_qubit, two_qubit, readout"):
        model.scaled(2, "cx")


def test_scaled_confusion_has_its_errors_times_the_factor():
    matrix = np.array([[0.9, 0.0, 0, 0], [0.1, 1, 0, 0.05], [0, 0, 1, 0.05], [0, 0, 0, 0.9]])
    scaled = NoiseModel().with_confusion(matrix, [0, 1]).scaled(2).readouts[0].operation.gate.confusion()
    assert scaled == pytest.approx(np.eye(4) + 2 * (matrix - np.eye(4)))


@pytest.mark.parametrize(("model", "factor", "names"), [
    (NoiseModel.uniform(0.3), 4, "depolarizing .*1.2.* expected"),
    (NoiseModel.uniform(readout=0.3), 4, "readout_error .*1.2.* expected"),
    (NoiseModel().after("x", flip(0.3)), -1, "bit_flip .*-0.3.* expected"),
    (NoiseModel().after("x", Circuit(1).kraus([np.eye(2)], (0,))), 2, "kraus has no rate"),
    (NoiseModel.uniform(0.3), "2", "factor='2', expected"),
])  # fmt: skip
def test_rates_that_leave_their_range_are_refused(model, factor, names):
    with pytest.raises(CircuitError, match=names):
        model.scaled(factor)


# -- devices


DEVICE = dataclasses.replace(
    NoiseModel().after("sx", flip(0.1), [0]).after("sx", flip(0.2), [2]).after("cx", flip(0.3), [2, 0])
    .with_readout(0.01, qubits=[0]).with_readout(0.02, qubits=[2]).with_crosstalk(0.1, [(0, 2), (1, 2)])
    .idling(9.0, 8.0, qubits=[2]),
    name="three", is_strict=True, n_qubits=3, free=("rz",), labels=("a", "b", "c"),
    notes=(Note((2,), "is odd"), Note((0, 1), "are odd")),
)  # fmt: skip


@pytest.mark.parametrize(("circuit", "names"), [
    (Circuit(2).h(0), "h on qubit 0 has no entry in three, expected sx, cx, and without noise rz; "),
    (Circuit(2).sx(1), "sx on qubits 1 has no entry in three, expected sx on 0; 2"),
    (Circuit(3).cx(0, 2), "cx on qubits 0, 2 has no entry in three, expected cx on 2, 0"),
    (Circuit(4).sx(0), "circuit has 4 qubits, three has 3, expected no more"),
    (Circuit(1).prepare_amplitudes([0, 1]), "circuit starts from given amplitudes, which no gate of three makes"),
    ("circuit", "circuit is a str, expected a Circuit"),
])  # fmt: skip
def test_what_a_device_has_no_entry_for_is_refused(circuit, names):
    with pytest.raises(CircuitError, match=f"^{names}"):
        DEVICE.apply(circuit)


def test_noise_of_a_pair_is_not_lost_with_the_order_of_its_qubits():
    noise = Circuit(2).depolarizing(0.1, 0, 1)
    model = NoiseModel().after("cz", noise, [0, 1]).after("cx", noise, [0, 1])
    with pytest.raises(CircuitError, match=r"^cz on qubits 1, 0 has no entry in .*, expected cz on 0, 1, the same"):
        model.apply(Circuit(2).cz(1, 0))
    assert len(model.apply(Circuit(2).cz(0, 1))) == 2
    assert len(model.apply(Circuit(2).cx(1, 0))) == 1
    assert len(model.after("cz", noise, [1, 0]).apply(Circuit(2).cz(1, 0))) == 2


def test_gates_that_may_be_exchanged_are_those_whose_matrix_is_the_same():
    for gate in GATES.values():
        if gate.is_unitary and gate.n_qubits == 2:
            matrix = np.asarray(gate.matrix(*np.linspace(0.3, 1.1, gate.n_angles)))
            exchanged = matrix[np.ix_([0, 2, 1, 3], [0, 2, 1, 3])]
            assert np.allclose(matrix, exchanged) == (gate.name in EXCHANGEABLE), gate.name


def test_gates_on_three_qubits_have_no_uniform_noise():
    with pytest.raises(CircuitError, match="ccx on qubits 0, 1, 2 has no entry in uniform"):
        NoiseModel.uniform(1e-3).apply(Circuit(3).ccx(0, 1, 2))
    assert len(NoiseModel.uniform(1e-3).apply(Circuit(2).measure(0).reset(1).bit_flip(0.1, 0).global_phase(0.2))) == 4


def test_virtual_gates_are_free():
    assert placed(DEVICE.apply(Circuit(1).rz(0.1, 0)))[0] == ("rz", (0,))


@pytest.mark.parametrize("chosen", [[2, 0], ["c", "a"]])
def test_on_other_qubits(chosen):
    moved = DEVICE.on(chosen)
    assert moved.n_qubits == 2
    assert moved.labels == ("c", "a")
    assert moved.notes == (Note((0,), "is odd"),)
    assert moved.crosstalk.pairs == ((0, 1),)
    assert [entry.qubit for entry in moved.relaxations] == [0]
    noisy = moved.apply(Circuit(2).sx(0).cx(0, 1))
    assert placed(noisy) == [
        ("sx", (0,)), ("bit_flip", (0,)), ("cx", (0, 1)), ("bit_flip", (0,)), ("bit_flip", (1,)),
        ("readout_error", (0,)), ("readout_error", (1,)),
    ]  # fmt: skip
    assert [op.angles[0].offset for op in noisy.operations[-2:]] == [0.02, 0.01]


@pytest.mark.parametrize("chosen", [[3], ["d"], [0, 0], [], [-1]])
def test_qubits_that_a_device_has_not_are_refused(chosen):
    with pytest.raises(CircuitError, match="expected"):
        DEVICE.on(chosen)


# -- JSON


MODELS = {
    "device": DEVICE,
    "uniform": NoiseModel.uniform(1e-3, 1e-2, 2e-2),
    "slots": NoiseModel.uniform(Circuit(1).weights(3)[2] * 0.5),
    "many": NoiseModel()
    .after("cx", Circuit(2).pauli_channel(tuple(0.001 * k for k in range(15)), (0, 1)).rzz(0.1, 0, 1))
    .before("h", Circuit(1).kraus([np.sqrt(0.9) * np.eye(2), np.sqrt(0.1) * np.diag([1, -1])], (0,)))
    .over_rotated("rx", 0.01, [3])
    .lasting("cx", 300.0)
    .with_confusion(np.eye(4), [0, 1]),
}


@pytest.mark.parametrize("name", MODELS)
def test_json_both_ways(name):
    model = MODELS[name]
    read = NoiseModel.from_json(model.to_json())
    assert read == model
    assert read.notes == model.notes
    assert hash(read) == hash(model)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "qloom.noise", "version": 2}', '{"format": "qloom.noise", "version": 1}']
)
def test_text_that_is_no_model_is_refused(text):
    with pytest.raises(ArtifactError, match="expected"):
        NoiseModel.from_json(text)


# -- what callers give


@pytest.mark.parametrize(("build", "names"), [
    (lambda m: m.after("x", 0.1), "noise of x is a float, expected a Circuit"),
    (lambda m: m.after("cx", Circuit(3).bit_flip(0.1, 0), [0, 1]), "noise of cx on 2 qubits is a circuit of 3"),
    (lambda m: m.after("one_qubit", Circuit(2).bit_flip(0.1, 0)), "noise of one_qubit on 1 qubit is a circuit of 2"),
    (lambda m: m.after("x", flip(0.1), [-1]), "x on qubits"),
    (lambda m: m.with_readout(1.5), "readout_error"),
    (lambda m: m.over_rotated("x", "much"), "fraction='much', expected a number"),
    (lambda m: m.lasting("x", -1), "duration of x is -1, expected"),
    (lambda m: m.with_crosstalk(0.1, [(1, 1)]), "crosstalk"),
    (lambda m: m.idling(1.0, 3.0), "expected"),
])  # fmt: skip
def test_what_callers_give_is_checked(build, names):
    with pytest.raises(CircuitError, match=names):
        build(NoiseModel())


def test_the_table_tells_what_acts_where():
    text = str(DEVICE.over_rotated("sx", 0.1, [1]).lasting("sx", 5.0, [1]))
    for line in ("three, 3 qubits", "bit_flip 0.1", "readout", "other gates", "refused", "is odd: 2", "a, b, c", "rz"):
        assert line in text, text
    assert "turns too far, by a fraction of 0.1, then takes 5" in text
    many = NoiseModel()
    for q in range(9):
        many = many.after("x", flip(0.01 * (q + 1)), [q]).with_readout(0.01 * (q + 1), qubits=[q])
    assert "9 places" in str(many)
    assert "bit_flip 0.05 (0.01 to 0.09)" in str(many)
    assert "1 for 0 0.05 (0.01 to 0.09)" in str(many)
