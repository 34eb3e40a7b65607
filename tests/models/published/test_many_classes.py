"""Published classifiers of three classes and more."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_blobs

import qloom as ql
from qloom import models
from qloom.models.published.label_states import (
    fidelity_loss,
    label_states,
    mean_probabilities,
    weighted_fidelity_loss,
)
from qloom.models.published.metric_learner import overlap_loss
from qloom.models.published.objectives import SQUARED
from qloom.models.published.one_against_rest import OneAgainstRest, against_rest

STEPS = {"max_steps": 6, "convergence_interval": None}
AGAINST_REST = [
    models.CircuitCentricClassifier(n_layers=1, **STEPS), models.IQPVariationalClassifier(n_layers=1, **STEPS),
    models.QCNNClassifier(convolution="ttn", pooling=None, **STEPS), models.SeparableVariationalClassifier(**STEPS),
    models.TreeTensorClassifier(**STEPS),
]  # fmt: skip
ONE_NETWORK = [
    models.DressedCircuitClassifier(1, **STEPS), models.QuantumMetricLearner(1, **STEPS),
    models.QuanvolutionalClassifier(n_channels=1, widths=(2, 2), **STEPS), models.ReuploadingClassifier(1, **STEPS),
    models.ReuploadingClassifier(1, objective="fidelity", observed="full", **STEPS),
]  # fmt: skip


def of(estimators):
    return pytest.mark.parametrize("model", estimators, ids=lambda model: type(model).__name__)


def rows(n: int = 30, n_classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(0).normal(size=(n, 4)), np.arange(n) % n_classes


@of([*AGAINST_REST, *ONE_NETWORK])
def test_probabilities_and_decisions_of_four_classes(model):
    x, y = rows()
    model = clone(model).fit(x, np.array(["a", "b", "c", "d"])[y])
    probabilities, decisions = model.predict_proba(x), model.decision_function(x)
    assert probabilities.shape == decisions.shape == (30, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(model.classes_[decisions.argmax(axis=1)], model.predict(x))
    assert isinstance(model.network_, OneAgainstRest) == any(type(model) is type(other) for other in AGAINST_REST)


@of(AGAINST_REST)
def test_one_against_the_rest_is_a_training_of_each_class(model):
    """Each network ends as if it had been trained by itself on its class and the rest, with the same batches."""
    x, y = rows(n_classes=3)
    together = clone(model).fit(x, y)
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    generator = torch.Generator().manual_seed(seed)
    networks = [together.make_network(4, 2, generator) for _ in range(3)]
    scaled, codes = torch.from_numpy(together.scaler_.transform(x)).float(), torch.from_numpy(y)
    batches = [torch.randint(30, (together.batch_size,), generator=generator) for _ in range(6)]
    for label, network in enumerate(networks):
        optimizer, objective = torch.optim.Adam(network.parameters(), 0.01), together.make_objective(network)
        for batch in batches:
            optimizer.zero_grad()
            objective.loss(network(scaled[batch]), (codes[batch] == label).long()).backward()
            optimizer.step()
    with torch.no_grad():
        outputs = [network(scaled).double() for network in networks]
    own = np.stack([together.make_objective(None).probabilities(each)[:, 1].numpy() for each in outputs], axis=1)
    np.testing.assert_allclose(together.predict_proba(x), own / own.sum(axis=1, keepdims=True), atol=1e-5)


def test_a_row_that_no_network_takes_is_of_any_class():
    outputs = torch.tensor([[-1.0, -1.5, -2.0], [-1.0, 0.0, 1.0]])
    expected = [[1 / 3, 1 / 3, 1 / 3], [0, 1 / 3, 2 / 3]]
    np.testing.assert_allclose(against_rest(SQUARED).probabilities(outputs), expected, atol=1e-7)


@pytest.mark.parametrize(("n_classes", "cosines"), [(3, [-0.5]), (4, [-1 / 3]), (6, [-1, 0])])
def test_label_states_lie_as_far_apart_as_they_can(n_classes, cosines):
    points = label_states(n_classes)
    between = (points @ points.T)[np.triu_indices(n_classes, 1)]
    np.testing.assert_allclose(sorted(set(between.round(6))), cosines, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)


def test_reuploading_losses_by_states():
    """Fidelities of single-qubit states with the labels' states, as vectors of two amplitudes."""
    labels = torch.from_numpy(label_states(3))
    random = np.random.default_rng(0)
    states = random.normal(size=(5, 2, 2)) + 1j * random.normal(size=(5, 2, 2))  # five samples of two qubits
    states /= np.linalg.norm(states, axis=2, keepdims=True)
    paulis = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    outputs = torch.from_numpy(np.einsum("bki,lij,bkj->bkl", states.conj(), paulis, states).real).flatten(1)
    densities = (np.eye(2) + np.einsum("cl,lij->cij", labels.numpy(), paulis)) / 2
    fidelities = np.einsum("bki,cij,bkj->bck", states.conj(), densities, states).real
    between = np.einsum("cij,dji->cd", densities, densities).real
    y, weights = np.array([0, 1, 2, 1, 0]), random.normal(size=(3, 2))
    plain = fidelity_loss(outputs, torch.from_numpy(y), labels)
    np.testing.assert_allclose(plain, (1 - fidelities[np.arange(5), y]).sum(axis=1).mean())
    weighted = weighted_fidelity_loss(torch.from_numpy(weights), outputs, torch.from_numpy(y), labels)
    expected = 0.5 * ((weights * fidelities - between[y][:, :, None]) ** 2).sum(axis=(1, 2)).mean()
    np.testing.assert_allclose(weighted, expected)
    means = fidelities.mean(axis=2)
    np.testing.assert_allclose(mean_probabilities(outputs, labels), means / means.sum(axis=1, keepdims=True))


def test_metric_loss_of_three_classes_by_density_matrices():
    random = np.random.default_rng(0)
    states = random.normal(size=(7, 8)) + 1j * random.normal(size=(7, 8))
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    y = np.array([0, 1, 2, 0, 1, 2, 0])
    mixed = [np.einsum("bi,bj->ij", states[y == c], states[y == c].conj()) / (y == c).sum() for c in range(3)]
    distances = [
        np.trace((a - b) @ (a - b)).real / 2 for a, b in ((mixed[i], mixed[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    ]
    found = overlap_loss(torch.from_numpy(states), torch.from_numpy(y), 3)
    np.testing.assert_allclose(found.item(), 1 - np.mean(distances), atol=1e-12)


@pytest.mark.parametrize("model", [
    models.ReuploadingClassifier(2, learning_rate=0.05, max_steps=600, convergence_interval=None),
    models.DressedCircuitClassifier(1, learning_rate=0.05, max_steps=120, convergence_interval=None),
    models.SeparableVariationalClassifier(learning_rate=0.05, max_steps=120, convergence_interval=None),
], ids=lambda model: type(model).__name__)  # fmt: skip
def test_four_clouds_are_told_apart(model):
    x, y = make_blobs(200, centers=[[-3, -3], [-3, 3], [3, -3], [3, 3]], random_state=0)
    assert model.fit(x[:100], y[:100]).score(x[100:], y[100:]) > 0.95


def test_images_of_three_kinds():
    """Bright above, bright below, dark: an output a class, softmax."""
    random = np.random.default_rng(0)
    y = np.arange(90) % 3
    images = 0.2 * random.normal(size=(90, 4, 4)) - 1
    images[y == 0, :2] += 2
    images[y == 1, 2:] += 2
    model = models.QuanvolutionalClassifier(max_steps=150, convergence_interval=None, widths=(4, 8))
    model.fit(images[:60].reshape(60, 16), y[:60])
    assert model.score(images[60:].reshape(30, 16), y[60:]) > 0.9
    with torch.no_grad():
        outputs = model.network_(model._scaled(images.reshape(90, 16)))
    np.testing.assert_allclose(
        model.predict_proba(images.reshape(90, 16)), torch.softmax(outputs.double(), 1), atol=1e-9
    )


def test_one_class_is_refused():
    x, _ = rows()
    with pytest.raises(ql.errors.DataError, match=r"y has 1 class in 30 row\(s\), expected two classes or more"):
        models.DressedCircuitClassifier().fit(x, np.ones(30, int))
