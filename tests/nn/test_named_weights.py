"""A layer's weights and inputs by name and in the shapes declared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import qloom as ql
from qloom.circuits import Circuit
from qloom.errors import ShapeError
from qloom.nn import QuantumLayer
from tests.circuits.test_slots import layered, values

SAVED = Path(__file__).parent / "saved"


def layer_of(init: object = "auto") -> QuantumLayer:
    return QuantumLayer(layered(), init=init, dtype=torch.float64, seed=0)


def test_first_weights_by_name_as_declared_and_flat():
    _, named, flat = values()
    for given in (named, {name: torch.tensor(value) for name, value in named.items()}, flat, flat.tolist()):
        np.testing.assert_array_equal(layer_of(given).weights.detach().numpy(), flat)
    one = ql.ansatze.strongly_entangling(2, 2)
    np.testing.assert_array_equal(
        QuantumLayer(one, init=flat[:12].reshape(2, 2, 3)).weights.detach(), flat[:12].astype("f4")
    )


def test_weights_come_out_by_name_and_go_back():
    layer, (_, named, flat) = layer_of(), values()
    layer.set_weights(named)
    np.testing.assert_array_equal(layer.weights.detach().numpy(), flat)
    out = layer.named_weights()
    assert {name: tuple(value.shape) for name, value in out.items()} == {"w": (2, 2, 3), "last": (2,)}
    detached = {name: value.detach() for name, value in out.items()}
    x = torch.rand(3, 2, dtype=torch.float64)
    np.testing.assert_array_equal(ql.expectation(layer.circuit, None, x, detached), layer(x).detach())
    with pytest.raises(ShapeError, match="weights 'w' is a Tensor numpy cannot read, expected an array of numbers"):
        ql.expectation(layer.circuit, None, x, out)
    other = layer_of().set_weights(out)
    torch.testing.assert_close(other(x), layer(x))
    # A penalty of one block moves that block alone.
    (out["last"] ** 2).sum().backward()
    gradients = layer.circuit.weight_slots.named(layer.weights.grad)
    torch.testing.assert_close(gradients["last"], 2 * out["last"].detach())
    assert not gradients["w"].any()


def test_a_block_is_trained_by_its_name():
    layer, x = layer_of(), torch.rand(3, 2, dtype=torch.float64)
    layer.train_weights("last")(x).sum().backward()
    gradients = layer.circuit.weight_slots.named(layer.weights.grad)
    assert gradients["last"].any()
    assert not gradients["w"].any()
    assert layer.train_weights(["w", "last"]).trained.all()
    with pytest.raises(ShapeError, match=r"no weights 'v', expected w \(2, 2, 3\), last \(2,\)"):
        layer.train_weights("v")


def test_inputs_by_name_and_as_declared():
    circuit = Circuit(2)
    x, z = circuit.inputs(2, 2, name="x"), circuit.inputs(2, name="z")
    for q in range(2):
        circuit.rx(x[0, q], q).ry(x[1, q], q).rz(z[q], q).rx(0.3, q)
    layer = QuantumLayer(circuit, dtype=torch.float64)
    flat = torch.rand(4, 6, dtype=torch.float64, requires_grad=True)
    parts = {"z": flat[:, 4:], "x": flat[:, :4].reshape(4, 2, 2)}
    torch.testing.assert_close(layer(parts), layer(flat))
    layer(parts).sum().backward()
    by_name = flat.grad.clone()
    flat.grad = None
    layer(flat).sum().backward()
    torch.testing.assert_close(by_name, flat.grad)
    with pytest.raises(ShapeError, match=r"inputs given by name for 'x', expected x \(2, 2\), z \(2,\)"):
        layer({"x": parts["x"]})
    with pytest.raises(ShapeError, match="expected one number of samples and one dtype"):
        layer({"x": parts["x"], "z": parts["z"].float()})
    images = Circuit(4)
    for q, slot in enumerate(images.inputs(2, 2).flat):
        images.ry(slot, q)
    picture = QuantumLayer(images, dtype=torch.float64)
    pixels = torch.rand(3, 5, 2, 2, dtype=torch.float64)
    torch.testing.assert_close(picture(pixels), torch.cos(pixels).flatten(-2))
    with pytest.raises(ShapeError, match=r"x has shape \(4, 1\), .* declared as inputs \(2, 2\)"):
        picture(torch.rand(4, 1, dtype=torch.float64))


def test_wrong_first_weights_show_the_declared_ones():
    for call in (layer_of, layer_of().set_weights):
        with pytest.raises(ShapeError, match=r"has shape \(3,\), expected \(14,\) .* w \(2, 2, 3\), last \(2,\)"):
            call(np.zeros(3))
        with pytest.raises(ShapeError, match=r"given by name for 'w', expected w \(2, 2, 3\), last \(2,\)"):
            call({"w": np.zeros(12)})
        with pytest.raises(ShapeError, match=r"has shape \(5, 14\), expected \(14,\), shared by all samples"):
            call(np.zeros((5, 14)))


def test_weights_saved_before_slots_had_names_load():
    """A state_dict of the version before; its fingerprint is of the circuit without names."""
    circuit = Circuit.from_json((Path(__file__).parents[1] / "circuits" / "saved" / "circuit-1.json").read_text())
    layer = QuantumLayer(circuit, [ql.Z(0), 0.5 * ql.X(1) @ ql.Z(2)], dtype=torch.float64)
    layer.load_state_dict(load_file(SAVED / "layer-1.safetensors"))
    torch.testing.assert_close(layer.weights.detach(), torch.arange(19, dtype=torch.float64) / 10)
    named = Circuit(3)
    named.inputs(3, name="x"), named.weights(18, name="w"), named.weights(1, name="v")
    named.operations = circuit.operations
    QuantumLayer(named, layer.observables, dtype=torch.float64).load_state_dict(
        load_file(SAVED / "layer-1.safetensors")
    )
