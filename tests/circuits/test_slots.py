"""Slots with names and shapes: declared, put together, given in every form, saved, and refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.errors import ArtifactError, CircuitError, ShapeError
from qloom.gradients import gradient, jacobian
from qloom.trainability import fisher_information

SAVED = Path(__file__).parent / "saved"


def layered() -> Circuit:
    """Two qubits, inputs "x" (2,), weights "w" (2, 2, 3) and "last" (2,)."""
    circuit = Circuit(2)
    x, w, last = circuit.inputs(2, name="x"), circuit.weights(2, 2, 3, name="w"), circuit.weights(2, name="last")
    for layer in range(2):
        for q in range(2):
            circuit.rx(x[q], q).rot(*w[layer, q], q)
        circuit.cx(0, 1)
    circuit.ry(last[0], 0).ry(last[1], 1)
    return circuit


def values(n_samples: int | None = None, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Inputs, weights by name, and the same weights flat."""
    random, lead = np.random.default_rng(seed), () if n_samples is None else (n_samples,)
    w, last = random.normal(size=(*lead, 2, 2, 3)), random.normal(size=(*lead, 2))
    return random.normal(size=(*lead, 2)), {"last": last, "w": w}, np.concatenate([w.reshape(*lead, 12), last], axis=-1)


class TestDeclaring:
    def test_names_and_shapes_stand_in_order(self) -> None:
        slots = layered().weight_slots
        assert [(block.name, block.shape, block.start) for block in slots] == [("w", (2, 2, 3), 0), ("last", (2,), 12)]
        assert (slots.count, slots["last"].places) == (14, slice(12, 14))
        assert str(slots) == "w (2, 2, 3), last (2,)"

    def test_blocks_without_a_name_are_numbered(self) -> None:
        circuit = Circuit(1)
        for _ in range(3):
            circuit.weights(2)
        circuit.inputs(1)
        assert [block.name for block in circuit.weight_slots] == ["weights", "weights_2", "weights_3"]
        assert [block.name for block in circuit.input_slots] == ["inputs"]

    def test_equal_names_are_counted_on_when_circuits_are_put_together(self) -> None:
        a = layered()
        names = lambda circuit: [block.name for block in circuit.weight_slots]  # noqa: E731
        assert names(a + a) == ["w", "last", "w_2", "last_2"]
        assert names((a + a) + a) == names(a + (a + a)) == ["w", "last", "w_2", "last_2", "w_3", "last_3"]
        assert names(a.repeat(3)) == names(a + a + a)
        assert [block.name for block in a.repeat(3).input_slots] == ["x"]
        assert names(a) == ["w", "last"], "the first circuit stays as it was"
        assert str(a.inverse().weight_slots) == str(a.controlled().weight_slots) == str(a.weight_slots)
        both = ql.encoders.angle(2) + ql.ansatze.strongly_entangling(2, 3)
        assert str(both.weight_slots) == "weights (3, 2, 3)"

    def test_equal_are_circuits_that_do_the_same(self) -> None:
        """Names are what callers say: prepared circuits are found by what they compute."""
        a, b = Circuit(1), Circuit(1)
        a.rx(a.weights(1, name="a")[0], 0)
        b.rx(b.weights(1, name="b")[0], 0)
        assert a == b
        assert hash(a) == hash(b)

    def test_a_layer_is_a_share_of_every_block(self) -> None:
        """Two circuits of two layers behind each other: layer 1 is in the second half of each, not of both together."""
        both = ql.ansatze.strongly_entangling(2, 2) + ql.ansatze.basic_entangler(2, 2)
        chosen = both.weight_slots.named(both.weight_slots.share(1, 2))
        np.testing.assert_array_equal(chosen["weights"], np.broadcast_to([[[False]], [[True]]], (2, 2, 3)))
        np.testing.assert_array_equal(chosen["weights_2"], [[False, False], [True, True]])
        first = ql.ansatze.simplified_two_design(3, 2).weight_slots
        assert str(first) == "first (3,), layers (2, 2, 2)"
        with pytest.raises(ShapeError, match=r"weights first \(3,\), expected a first dimension of 2 equal shares"):
            first.share(0, 2)

    @pytest.mark.parametrize(
        ("declare", "message"),
        [
            (lambda c: c.weights(2, name="w"), "weights 'w' are declared already, expected another name"),
            (lambda c: c.weights(2, name="2w"), "name='2w', expected a word of letters, digits and _ such as 'w'"),
            (lambda c: c.inputs(2, name=""), "name='', expected a word"),
            (lambda c: c.inputs(2, name=3), "name=3, expected a word"),
            (lambda c: c.weights(-2, name="v"), r"slot array of shape \(-2,\)"),
        ],
    )
    def test_refusals_leave_the_circuit_as_it_was(self, declare: Callable[[Circuit], object], message: str) -> None:
        circuit = layered()
        with pytest.raises(CircuitError, match=message):
            declare(circuit)
        assert (circuit.n_inputs, circuit.n_weights) == (2, 14)
        assert str(circuit.weight_slots) == str(layered().weight_slots)


class TestGiven:
    def test_by_name_is_the_same_as_flat(self) -> None:
        circuit, (x, named, flat) = layered(), values()
        for evaluate in (
            lambda x, w: ql.expectation(circuit, None, x, w),
            lambda x, w: ql.state(circuit, x, w),
            lambda x, w: ql.probabilities(circuit, x, w),
            lambda x, w: ql.sample(circuit, 20, x, w, seed=0),
            lambda x, w: ql.metric_tensor(circuit, x, w),
            lambda x, w: ql.purity(circuit, [0], x, w),
        ):
            np.testing.assert_array_equal(evaluate({"x": x}, named), evaluate(x, flat))
        assert ql.counts(circuit, 20, {"x": x}, named, seed=0) == ql.counts(circuit, 20, x, flat, seed=0)

    def test_samples_of_their_own(self) -> None:
        """Some blocks for each sample, others shared; flat ones by name too."""
        circuit, (x, named, flat) = layered(), values(5)
        rows = ql.expectation(circuit, None, x, flat)
        np.testing.assert_array_equal(ql.expectation(circuit, None, {"x": x}, named), rows)
        shared = {"w": named["w"][2].ravel(), "last": named["last"]}
        expected = np.concatenate([np.tile(flat[2, :12], (5, 1)), flat[:, 12:]], axis=1)
        np.testing.assert_array_equal(
            ql.expectation(circuit, None, x, shared), ql.expectation(circuit, None, x, expected)
        )

    def test_one_row_declared_by_name_is_no_batch(self) -> None:
        circuit = Circuit(1)
        circuit.ry(circuit.weights(1, 2, name="w")[0, 1], 0)
        assert ql.expectation(circuit, None, None, {"w": [[0.1, 0.2]]}).shape == (1,)
        assert ql.expectation(circuit, None, None, [[0.1, 0.2]]).shape == (1, 1)

    def test_derivatives_come_back_in_the_form_of_the_values(self) -> None:
        circuit, (x, named, flat) = layered(), values()
        d_x, d_w = gradient(circuit, None, x, flat)
        by_x, by_w = gradient(circuit, None, {"x": x}, named)
        np.testing.assert_array_equal(by_x["x"], d_x)
        np.testing.assert_array_equal(by_w["w"], d_w[:12].reshape(2, 2, 3))
        np.testing.assert_array_equal(by_w["last"], d_w[12:])
        whole = jacobian(circuit, None, {"x": x}, named)[1]
        np.testing.assert_allclose(whole["w"].sum(axis=0), by_w["w"], atol=1e-13)
        assert whole["last"].shape == (2, 2)
        one = ql.ansatze.strongly_entangling(2, 2)
        declared = np.random.default_rng(1).normal(size=(2, 2, 3))
        assert gradient(one, None, None, declared)[1].shape == (2, 2, 3)
        assert gradient(one, None, None, np.stack([declared] * 4))[1].shape == (4, 2, 2, 3)
        assert jacobian(one, None, None, declared)[1].shape == (2, 2, 2, 3)
        assert gradient(one, None, None, declared.ravel())[1].shape == (12,)

    def test_dtype_is_kept(self) -> None:
        circuit, (x, named, _) = layered(), values()
        single = {name: value.astype(np.float32) for name, value in named.items()}
        assert ql.expectation(circuit, None, x.astype(np.float32), single).dtype == np.float32
        assert ql.expectation(circuit, None, x.astype(np.float32), single | {"last": [1, 2]}).dtype == np.float32
        with pytest.raises(ShapeError, match="weights given by name have float32 and float64, expected one dtype"):
            ql.expectation(circuit, None, x, named | {"last": single["last"]})

    def test_fisher_information_takes_names(self) -> None:
        circuit, (x, named, flat) = layered(), values()
        np.testing.assert_array_equal(
            fisher_information(circuit, {"x": x}, named), fisher_information(circuit, x, flat)
        )

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ({"w": np.zeros((2, 2, 3))}, r"weights given by name for 'w', expected w \(2, 2, 3\), last \(2,\)"),
            ({"v": 0, "last": 0, "w": 0}, r"for 'v', 'last', 'w', expected w \(2, 2, 3\), last \(2,\)"),
            ({}, r"weights given by name for no name, expected w \(2, 2, 3\)"),
            ({"w": np.zeros((3, 2, 2)), "last": np.zeros(2)}, r"'w' has shape \(3, 2, 2\), expected \(2, 2, 3\)"),
            ({"w": np.zeros((2, 2, 3)), "last": 0.5}, r"'last' has shape \(\), expected \(2,\)"),
            ({"w": np.zeros((4, 12)), "last": np.zeros((5, 2))}, "have 4 and 5, expected one number of samples"),
            (np.zeros((2, 7)), r"weights has shape \(2, 7\), expected \(14,\) or \(B, 14\), or by name: w \(2, 2, 3\)"),
        ],
    )
    def test_wrong_names_and_shapes_show_the_declared_ones(self, weights: object, message: str) -> None:
        with pytest.raises(ShapeError, match=message) as caught:
            ql.expectation(layered(), None, [0.1, 0.2], weights)
        assert "\n" not in str(caught.value)

    def test_ansatze_take_the_shapes_of_their_documentation(self) -> None:
        for circuit, shape in (
            (ql.ansatze.basic_entangler(3, 2), (2, 3)),
            (ql.ansatze.hardware_efficient(3, 2, ("ry", "rz")), (2, 3, 2)),
            (ql.ansatze.strongly_entangling(3, 2), (2, 3, 3)),
            (ql.ansatze.permutation_equivariant(3, 2), (2, 3)),
            (ql.ansatze.random_layers(3, 2, 5, seed=0), (2, 5)),
        ):
            weights = np.random.default_rng(0).normal(size=shape)
            np.testing.assert_array_equal(ql.state(circuit, None, weights), ql.state(circuit, None, weights.ravel()))

    def test_another_shape_than_the_declared_one(self) -> None:
        circuit = ql.ansatze.strongly_entangling(4, 2)
        with pytest.raises(ShapeError, match=r"shape \(4, 6\), expected \(24,\) or \(B, 24\), or as declared: weights"):
            ql.expectation(circuit, None, None, np.zeros((4, 6)))

    def test_many_blocks_make_one_line(self) -> None:
        circuit = Circuit(1)
        for _ in range(50):
            circuit.rx(circuit.weights(1)[0], 0)
        with pytest.raises(ShapeError, match=r"weights_6 \(1,\) and 44 more$"):
            ql.expectation(circuit, None, None, {"w": [1.0]})


class TestSaved:
    def test_text_holds_names_and_shapes(self) -> None:
        again = Circuit.from_json(layered().to_json())
        assert str(again.weight_slots) == "w (2, 2, 3), last (2,)"
        assert str(again.input_slots) == "x (2,)"
        assert again == layered()

    def test_text_of_before_names_loads(self) -> None:
        """Written by the version before names: slots are one block; values are those of the gates written by hand."""
        circuit = Circuit.from_json((SAVED / "circuit-1.json").read_text())
        assert str(circuit.weight_slots) == "weights (19,)"
        expected = ql.Circuit(3)
        x, w, v = expected.inputs(3), expected.weights(2, 3, 3), expected.weights(1)
        for q in range(3):
            expected.ry(2 * x[q] + 0.1, q)
        for layer in range(2):
            for q in range(3):
                expected.rot(*w[layer, q], q)
            for q in range(3):
                expected.cx(q, (q + 1) % 3)
        expected.rzz(v[0], 0, 2).pauli_rotation(0.3, "XYZ", (0, 1, 2)).diagonal([0.1, 0.2, 0.3, 0.4], (0, 1))
        assert circuit == expected

    @pytest.mark.parametrize(
        "blocks",
        [
            [{"name": "w", "shape": [13]}],
            [{"name": "w", "shape": [7]}, {"name": "w", "shape": [7]}],
            [{"name": "w", "shape": [-14]}],
            [{"name": "w w", "shape": [14]}],
            [{"shape": [14]}],
            [{"name": "w", "shape": 14}],
            "w",
            None,
        ],
    )
    def test_damaged_blocks(self, blocks: object) -> None:
        document = json.loads(layered().to_json())
        document["slots"]["weight"] = blocks
        with pytest.raises(ArtifactError, match="circuit text") as caught:
            Circuit.from_json(json.dumps(document))
        assert "\n" not in str(caught.value)
