"""Polynomials of degree two in front of a circuit, against their formulas; no other package is needed."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.circuits.parameters import Angle
from qloom.errors import CircuitError, ShapeError
from qloom.nn.imported.polynomials import PolynomialAngles, Polynomials
from qloom.nn.imported.tracing import Traced

FORMULAS = [
    lambda x, y, z: 2 * (torch.pi - x) * (torch.pi - y),
    lambda x, y, z: x * z + 0.3 * y,
    lambda x, y, z: (x - 2 * y + 0.5 * z) ** 2 / 3 - 0.25,
    lambda x, y, z: x + y - z,
]


def slots(n_inputs=3, n_weights=2):
    circuit = ql.Circuit(1)
    circuit.inputs(n_inputs), circuit.weights(n_weights)
    return circuit


def traced(polynomials, seed=0):
    circuit = slots()
    return Traced(circuit.input_slots, circuit.weight_slots, seed, polynomials)


@pytest.fixture
def angles():
    """What a trace finds in the formulas."""
    polynomials, places = Polynomials(3), []
    for seed in (0, 1, 2):
        found = traced(polynomials, seed)
        places.append([found.angle(formula(*found.inputs), "a test") for formula in FORMULAS])
    assert places == [[Angle("input", 3 + k) for k in range(4)]] * 3
    return PolynomialAngles(3, polynomials.forms)


@pytest.mark.parametrize("shape", [(3,), (0, 3), (5, 3), (2, 1, 4, 3)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 4e-6)])
def test_a_trace_finds_the_formulas(angles, shape, dtype, tolerance):
    x = torch.rand(shape, dtype=dtype, generator=torch.Generator().manual_seed(0)) * 6 - 3
    values = angles(x)
    expected = torch.stack([formula(*x.double().unbind(-1)) for formula in FORMULAS], dim=-1)
    assert values.dtype == dtype
    assert torch.equal(values[..., :3], x)
    torch.testing.assert_close(values[..., 3:].double(), expected, rtol=0, atol=tolerance)


def test_derivatives_of_both_orders(angles):
    x = torch.rand(2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(angles, x)
    assert torch.autograd.gradgradcheck(angles, x)
    slopes = torch.func.vmap(torch.func.jacrev(angles))(x.detach())
    expected = torch.stack([x[:, 2], 0.3 * torch.ones_like(x[:, 0]), x[:, 0]], dim=1).detach()
    torch.testing.assert_close(slopes[:, 4, :], expected)


def test_what_is_affine_is_no_polynomial():
    polynomials = Polynomials(3)
    found = traced(polynomials)
    x, w = found.inputs, found.weights["weights"]
    assert found.angle(x[1] * 2 - 0.5, "a test") == Angle("input", 1, 2.0, -0.5)
    assert found.angle(x[1] * x[0] - x[0] * x[1] + x[2], "a test") == Angle("input", 2)
    assert found.angle(w[1] / 2, "a test") == Angle("weight", 1, 0.5)
    assert polynomials.forms == []
    layer = ql.nn.QuantumLayer(slots())
    assert polynomials.in_front_of(layer) is layer


@pytest.mark.parametrize("make", [
    lambda x: x[0] * x[1] * x[2], lambda x: x[0] ** 3, lambda x: torch.sin(x[1]), lambda x: x[0].square() / x[1],
    lambda x: torch.linalg.vector_norm(x), lambda x: torch.atan2(x[0], x[2]),
])  # fmt: skip
def test_other_functions_of_inputs_are_refused(make):
    found = traced(Polynomials(3))
    with pytest.raises(
        CircuitError, match="a test has an angle that is no polynomial of degree two in inputs, expected"
    ):
        found.angle(make(found.inputs), "a test")


def test_a_polynomial_with_weights_is_refused():
    found = traced(Polynomials(3))
    with pytest.raises(CircuitError, match=re.escape("a test has an angle made of 3 slots (x[0] and x[1] among them)")):
        found.angle(found.inputs[0] * found.inputs[1] * found.weights["weights"][0], "a test")


def test_one_polynomial_is_one_slot_and_others_are_others():
    polynomials, hessian = Polynomials(2), np.array([[0.0, 1.0], [1.0, 0.0]])
    given = [(0.0, 1), (0.0, 1), (0.1, 1), (0.0, -1), (0.0, 1)]
    places = [polynomials.angle([1, 0], constant, np.zeros(2), f * hessian).index for constant, f in given]
    assert places == [2, 2, 3, 4, 2]
    assert polynomials.angle([0, 1], 0.0, np.zeros(2), hessian).index == 2
    assert polynomials.forms == [{(0, 1): 1.0}, {(0, 1): 1.0, (2, 2): 0.1}, {(0, 1): -1.0}]
    declared = slots(2).input_slots
    polynomials.declare(declared)
    assert str(declared) == "inputs (2,), polynomials (3,)"


def test_factors_keep_their_digits_and_are_saved(angles):
    x = torch.rand(4, 3, dtype=torch.float64)
    expected = angles(x)
    assert torch.equal(copy.deepcopy(angles).float().double()(x), expected)
    other = PolynomialAngles(3, [{(0, 0): 1.0}] * 4)
    other.load_state_dict(angles.state_dict())
    assert torch.equal(other(x), expected)
    assert not list(angles.parameters())


def test_the_pair_is_exported_and_runs_under_autocast(angles):
    circuit = slots(7, 2).rx(Angle("input", 3), 0).ry(Angle("weight", 0), 0).rx(Angle("input", 6, 2.0), 0)
    model = torch.nn.Sequential(angles, ql.nn.QuantumLayer(circuit, seed=0))
    x = torch.rand(4, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert model(x.bfloat16()).dtype == torch.float32
    exported = torch.export.export(model, (x,))
    torch.testing.assert_close(exported.module()(x), model(x))


@pytest.mark.parametrize(("x", "sentence"), [
    (torch.zeros(2, 4), "x has shape (2, 4), expected a torch.Tensor (..., 3)"),
    (torch.tensor(1.0), "x has shape (), expected"), ({"x": torch.zeros(3)}, "x is a dict, expected a torch.Tensor"),
])  # fmt: skip
def test_other_inputs_are_refused(angles, x, sentence):
    with pytest.raises(ShapeError, match=re.escape(sentence)):
        angles(x)
