"""Adversarial training: each side's gradient is its own, a distribution over bins is learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch.nn.functional import binary_cross_entropy

import qloom as ql
from qloom.errors import ConfigError, DataError, ShapeError, UnsupportedError
from qloom.models import QGAN
from qloom.models.generative.qgan import Adversaries, adversarial_loss
from qloom.models.generative.words import bits_of

# Log-normal (1, 1) rounded to 0 to 7 and cut there.
LOG_NORMAL = np.array([0.05351218, 0.2732358, 0.22554288, 0.15756508, 0.1102137, 0.07884732, 0.05778668, 0.04329635])


def rows(seed: int, n_rows: int = 20_000) -> np.ndarray:
    drawn = np.rint(np.random.default_rng(seed).lognormal(1, 1, 2 * n_rows))
    return bits_of(drawn[drawn <= 7][:n_rows].astype(int), 3)


def distance(found: np.ndarray) -> float:
    """Kolmogorov and Smirnov's."""
    return float(np.abs(np.cumsum(found - LOG_NORMAL)).max())


def test_the_generator_begins_uniform():
    model = QGAN(max_steps=1, learning_rate=1e-9).fit(rows(0))
    flat = ql.probabilities(model.circuit_, weights=np.zeros(model.circuit_.n_weights))
    np.testing.assert_allclose(flat, 1 / 8, atol=1e-15)
    assert distance(flat) == pytest.approx(0.209856, abs=1e-6)
    assert distance(model.probabilities()) < 0.4


def test_a_log_normal_distribution_is_learnt():
    """Two samples of 500 are told apart at 95% from a distance of 0.0859 on."""
    model = QGAN().fit(rows(1))
    found = model.probabilities()
    assert distance(found) < 0.0859
    assert np.sum(LOG_NORMAL * np.log(LOG_NORMAL / found)) < 0.02
    assert model.relative_entropies_.shape == (1000,)
    assert model.relative_entropies_[-1] < 0.02 < model.relative_entropies_[0]


def test_each_loss_moves_its_own_side_alone():
    shares = torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(8)))
    both = Adversaries(ql.ansatze.basic_entangler(3, 2), (5,), seed=3)
    value = adversarial_loss(both, shares)
    value.backward()
    found, odds = both()
    real, made = torch.ones(8, dtype=torch.float64), torch.zeros(8, dtype=torch.float64)
    belief = torch.sigmoid(odds)
    parts = [
        binary_cross_entropy(belief, real, shares, reduction="sum")
        + binary_cross_entropy(belief, made, found.detach(), reduction="sum"),
        (found * binary_cross_entropy(belief.detach(), real, reduction="none")).sum(),
    ]
    assert value.item() == pytest.approx(sum(parts).item(), abs=1e-12)
    for module, loss in ((both.discriminator, parts[0]), (both.generator, parts[1])):
        own = list(module.parameters())
        for parameter, slope in zip(own, torch.autograd.grad(loss, own), strict=True):
            torch.testing.assert_close(parameter.grad, slope, atol=1e-12, rtol=0)


def test_own_circuits_seeds_and_constant_columns():
    circuit = ql.Circuit(2)
    circuit.ry(circuit.weights(1)[0], 0)
    model = QGAN(circuit, max_steps=300, units=(8,), random_state=4)
    bits = np.array([[0, 0], [1, 0], [1, 0], [1, 0]])
    fitted = clone(model).fit(bits)
    np.testing.assert_allclose(fitted.probabilities(), [0.25, 0, 0.75, 0], atol=0.05)
    np.testing.assert_array_equal(clone(model).fit(bits).weights_, fitted.weights_)
    assert QGAN(max_steps=2).fit([[1]]).probabilities().shape == (2,)


@pytest.mark.parametrize(
    ("settings", "bits", "error", "message"),
    [
        ({}, [["a", "b"]], DataError, "expected bits 0 and 1 only"),
        ({}, np.zeros((2, 21)), UnsupportedError, "QGAN was given 21 bits, expected at most 20"),
        ({"units": (0,)}, [[0, 1]], ConfigError, r"units=\(0,\), expected integers of at least 1"),
        ({"learning_rate": 0}, [[0, 1]], ConfigError, "learning_rate=0, expected a number above 0"),
        ({"max_steps": 0}, [[0, 1]], ConfigError, "max_steps=0, expected an integer of at least 1"),
        ({"circuit": ql.Circuit(2)}, [[0, 1]], ShapeError, "expected a Circuit of 2 qubits, with weights and without"),
    ],
)
def test_errors(settings, bits, error, message):
    with pytest.raises(error, match=message):
        QGAN(**settings).fit(bits)
