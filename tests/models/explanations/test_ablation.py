"""Parts are taken out as the circuit says: checked against circuits and weights that are written down by hand."""

import copy

import numpy as np
import pytest

from qloom import Circuit, ansatze, encoders
from qloom.data import inspect_table, split_rows
from qloom.engines import StatevectorEngine
from qloom.engines.batch import Batch
from qloom.engines.choice import choose_engine
from qloom.models import HybridClassifier
from qloom.models.explanations.ablation import Ablation, gate_name, groups_of, layers_of
from qloom.models.tables.preparation import prepare_table
from qloom.models.tables.served import read_served
from qloom.training.circuit_importance import cheap_level, describe_circuit
from qloom.training.demonstrations import demonstration_table


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A served model of three qubits with its test rows."""
    table = demonstration_table("demo:wine")
    schema = inspect_table(table, "cultivar")
    data = prepare_table(table, schema, split_rows(table, schema))
    model = HybridClassifier(n_qubits=3, n_layers=2, width=8, epochs=8, random_state=0)
    model.fit(data.train.x.numpy(), data.train.y.numpy())
    folder = tmp_path_factory.mktemp("model")
    model.save(folder)
    return read_served(folder), data.test.x.numpy(), data.test.truth


def parts_of(step):
    return {part.name: predictions for part, predictions in step}


def test_the_whole_model_predicts_as_it_does(fitted):
    model, x, _ = fitted
    np.testing.assert_allclose(Ablation(model, x).predictions(), model.predict_features(x), atol=1e-5)


def test_without_a_gate_the_circuit_has_the_others(fitted):
    model, x, _ = fitted
    found = list(Ablation(model, x).without_gates())
    circuit = model.circuit_
    assert [part.place for part, _ in found] == list(range(len(circuit)))
    number = next(k for k, op in enumerate(circuit.operations) if len(op.qubits) == 2)
    assert found[number][0].name == "cx on qubits 0, 1" == gate_name(circuit, number)
    rebuilt = Circuit(3)
    rebuilt.inputs(3), rebuilt.weights(*circuit.weight_slots["weights"].shape)
    for k, op in enumerate(circuit.operations):
        if k != number:
            rebuilt.append(op.gate, op.angles, op.qubits)
    other = read_served_with(model, rebuilt)
    np.testing.assert_allclose(found[number][1], other.predict_features(x), atol=1e-5)
    assert np.abs(found[number][1] - model.predict_features(x)).max() > 1e-4


def read_served_with(model, circuit):
    other = copy.copy(model)
    other.circuit_ = circuit
    return other


def test_a_rotation_that_is_taken_out_is_one_by_nothing(fitted):
    """Weights of a gate set to 0 make Rot the identity, so both predict alike."""
    model, x, _ = fitted
    number, op = next((k, op) for k, op in enumerate(model.circuit_.operations) if op.gate.name == "rot")
    still = copy.copy(model)
    still.weights = {name: array.copy() for name, array in model.weights.items()}
    still.weights["layer.weights"][[angle.index for angle in op.angles]] = 0
    found = list(Ablation(model, x).without_gates())[number][1]
    np.testing.assert_allclose(found, still.predict_features(x), atol=1e-5)


def test_what_is_measured_on_a_qubit_is_held_at_its_mean(fitted):
    model, x, _ = fitted
    opened = Ablation(model, x)
    found = parts_of(opened.without_outputs())
    assert list(found) == ["all that is measured", "qubit 0", "qubit 1", "qubit 2"]
    assert np.ptp(found["all that is measured"], axis=0).max() < 1e-6
    evaluator = StatevectorEngine().prepare(model.circuit_, model.observables_)
    values = evaluator.values(Batch(opened._angles, model.weights["layer.weights"], False))
    touched = [any((a | b) >> 1 & 1 for a, b in each.terms) for each in model.observables_]
    assert sum(touched) == 3  # Z on qubit 1 and on its two pairs
    values[:, touched] = values[:, touched].mean(axis=0)
    np.testing.assert_allclose(found["qubit 1"], opened._read(values), atol=1e-6)


def test_an_angle_of_the_encoder_is_held_as_an_input_that_does_not_move(fitted):
    model, x, _ = fitted
    opened = Ablation(model, x)
    found = parts_of(opened.without_inputs())
    held = opened._angles.copy()
    held[:, 2] = held[:, 2].mean()
    expected = opened._read(opened._run(model.circuit_, held))
    np.testing.assert_allclose(found["angle x[2] of the encoder"], expected, atol=1e-6)
    assert len(found) == 3 + 8


@pytest.mark.parametrize("make", [ansatze.strongly_entangling, ansatze.hardware_efficient, ansatze.basic_entangler])
def test_layers_are_those_of_the_ansatz(make):
    circuit = encoders.angle(3) + make(3, 2)
    first, second = layers_of(circuit)
    assert sorted(first | second) == list(range(3, len(circuit)))  # all but the encoder
    assert max(first) < min(second)
    one = encoders.angle(3) + make(3, 1)
    assert circuit.operations[3 : 3 + len(first)] == one.operations[3:]
    names = [part.name for part, _ in groups_of(circuit)]
    assert names == ["all trained gates", "all entangling gates", "layer 1", "layer 2"]
    separable = [part.name for part, _ in groups_of(circuit.without_entanglers())]
    assert separable == ["all trained gates", "layer 1", "layer 2"]


def test_losses_are_differences_of_scores_and_lie_within_their_intervals(fitted):
    model, x, truth = fitted
    found = describe(model, x, truth)
    parts = found["parts"]
    assert {part["kind"] for part in parts} == {
        "circuit", "qubit", "trained gates", "entangling gates", "layer", "angle", "unit", "gate"
    }  # fmt: skip
    assert found["score"] == pytest.approx((model.predict_features(x).argmax(axis=1) == truth).mean())
    whole = parts[0]
    assert whole["kind"] == "circuit"
    constant = max(np.bincount(truth)) / len(truth)
    assert whole["loss"] >= found["score"] - constant - 1e-9
    for part in parts:
        assert part["low"] - 1e-9 <= part["loss"] <= part["high"] + 1e-9
    assert found == describe(model, x, truth)


def describe(model, x, truth):
    class Rows:
        """Rows that are preprocessed already."""

        def take(self, numbers):
            return x[np.asarray(numbers)]

    class Same:
        @staticmethod
        def transform(rows):
            return rows

    other = copy.copy(model)
    other.preprocessing_ = Same()
    return describe_circuit(other, Rows(), truth, "accuracy", 0)


def test_circuits_that_are_measured_in_training_are_run_exactly(fitted):
    model, x, _ = fitted
    measured = read_served_with(model, model.circuit_)
    measured.run_on(choose_engine({"shots": 10, "seed": 1}))
    np.testing.assert_array_equal(Ablation(measured, x).predictions(), Ablation(model, x).predictions())


def test_what_is_cheap_follows_from_sizes(fitted):
    model, _, _ = fitted
    assert cheap_level(model, 300) == "gates"
    wide = read_served_with(model, encoders.angle(12) + ansatze.strongly_entangling(12, 4))
    assert cheap_level(wide, 300) == "groups"
    wider = read_served_with(model, encoders.angle(18) + ansatze.strongly_entangling(18, 4))
    assert cheap_level(wider, 300) == "outputs"
