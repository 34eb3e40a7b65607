"""A newcomer in one file: a new kind of output, the purity of one qubit, on any engine that evaluates words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.engines import Expectations, Outputs, ReferenceEngine, Shots, StatevectorEngine, make_batch
from qloom.gradients import gradient


@dataclass(frozen=True)
class Purity(Outputs):
    """tr(rho^2) = (1 + <X>^2 + <Y>^2 + <Z>^2) / 2 of one qubit."""

    qubit: int
    kind: ClassVar[str] = "purity"
    size: ClassVar[int] = 1

    def checked(self, circuit: ql.Circuit) -> Purity:
        self.made_from().checked(circuit)
        return self

    def of_state(self, state: np.ndarray) -> np.ndarray:
        n = len(state).bit_length() - 1
        part = np.moveaxis(state.reshape((2,) * n), self.qubit, 0).reshape(2, -1)
        return np.array([np.sum(np.abs(part @ part.conj().T) ** 2)])

    def made_from(self) -> Expectations:
        return Expectations(tuple(letter(self.qubit) for letter in (ql.X, ql.Y, ql.Z)))

    def from_parts(self, values: np.ndarray) -> np.ndarray:
        return (1 + (values**2).sum(axis=1, keepdims=True)) / 2

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        return values * cotangents


CIRCUIT = ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 1)
RANDOM = np.random.default_rng(0)
INPUTS, WEIGHTS = RANDOM.uniform(-2, 2, (4, 3)), RANDOM.uniform(-2, 2, CIRCUIT.n_weights)


@pytest.mark.parametrize("engine", [StatevectorEngine(), ReferenceEngine()])
def test_values_are_those_of_the_state(engine):
    values = ql.expectation(CIRCUIT, Purity(1), INPUTS, WEIGHTS, engine=engine)
    states = ql.state(CIRCUIT, INPUTS, WEIGHTS)
    np.testing.assert_allclose(values, [Purity(1).of_state(state) for state in states], atol=1e-10)


@pytest.mark.parametrize("differentiator", ["auto", "parameter-shift", "finite-difference"])
def test_derivatives(differentiator):
    found = gradient(CIRCUIT, Purity(1), INPUTS, WEIGHTS, differentiator=differentiator)[1]
    at = lambda w: float(ql.expectation(CIRCUIT, Purity(1), INPUTS, w).sum())  # noqa: E731
    steps = 1e-5 * np.eye(len(WEIGHTS))
    np.testing.assert_allclose(found, [(at(WEIGHTS + s) - at(WEIGHTS - s)) / 2e-5 for s in steps], atol=1e-8)


def test_it_is_measured_and_is_a_layer():
    exact = ql.expectation(CIRCUIT, Purity(0), INPUTS, WEIGHTS)
    shots = Shots(StatevectorEngine(), 100_000, 0)
    measured = ql.expectation(CIRCUIT, Purity(0), INPUTS, WEIGHTS, engine=shots)
    estimate = shots.prepare(CIRCUIT, Purity(0)).estimate(make_batch(CIRCUIT, INPUTS, WEIGHTS))
    assert (np.abs(estimate.values - exact) <= 6 * estimate.errors).all()
    assert (estimate.errors < 0.01).all()
    np.testing.assert_allclose(measured, exact, atol=0.02)  # 6 standard errors of 3 words at most
    layer = ql.nn.QuantumLayer(CIRCUIT, Purity(0), init=WEIGHTS, dtype=torch.float64)
    np.testing.assert_allclose(layer(torch.from_numpy(INPUTS)).detach().numpy(), exact, atol=1e-12)
