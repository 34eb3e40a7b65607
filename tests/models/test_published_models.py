"""The published classifiers: scikit-learn's contract, and what sets each apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

import qloom as ql
from qloom.models import DressedCircuitClassifier, ReuploadingClassifier
from qloom.models.reuploading import reuploading_circuit
from qloom.models.variational import is_flat

QUICK = {"max_steps": 60, "convergence_interval": None, "learning_rate": 0.05}
MODELS = [DressedCircuitClassifier, ReuploadingClassifier]


@parametrize_with_checks([model(n_layers=1, **QUICK) for model in MODELS])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def curved(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inside and outside of a circle, labels as words."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return x, np.where((x**2).sum(axis=1) < 2 / np.pi, "in", "out")


@pytest.mark.parametrize(
    ("options", "least"), [({}, 0.88), ({"objective": "fidelity"}, 0.8), ({"observed": "full"}, 0.88)]
)
def test_reuploading_learns_a_circle(options, least):
    model = ReuploadingClassifier(4, max_steps=1500, convergence_interval=None, learning_rate=0.02, **options)
    model.fit(*curved(300, 0))
    assert model.score(*curved(500, 1)) > least
    probabilities = model.predict_proba(curved(5, 2)[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_dressed_circuit_learns_and_takes_frames():
    x, y = curved(300, 0)
    frame = pd.DataFrame({"a": x[:, 0] ** 2, "b": x[:, 1] ** 2})
    model = DressedCircuitClassifier(2, max_steps=1500, convergence_interval=None, learning_rate=0.02).fit(frame, y)
    assert model.score(frame, y) > 0.93
    assert list(model.feature_names_in_) == ["a", "b"]


@pytest.mark.parametrize("model", MODELS)
def test_controls_have_no_entangling_gates(model):
    x, y = np.random.default_rng(0).normal(size=(20, 7)), np.arange(20) % 2
    circuits = [model(2, entangled=on, **QUICK).fit(x, y).network_.quantum.circuit for on in (True, False)]
    assert [any(op.gate.n_qubits > 1 for op in circuit.operations) for circuit in circuits] == [True, False]
    assert circuits[0].n_weights == circuits[1].n_weights


def test_the_same_seed_gives_the_same_model():
    x, y = curved(50, 0)
    twins = [ReuploadingClassifier(1, random_state=3, **QUICK).fit(x, y) for _ in range(2)]
    np.testing.assert_array_equal(twins[0].losses_, twins[1].losses_)
    other = ReuploadingClassifier(1, random_state=4, **QUICK).fit(x, y)
    assert not np.array_equal(other.losses_, twins[0].losses_)


def test_reuploading_circuit_by_hand():
    """The last upload adds its offsets before; two layers alternate their pairs."""
    circuit = reuploading_circuit(3, 2)
    pairs = [op.qubits for op in circuit.operations if op.gate.name == "cz"]
    assert pairs == [(0, 1), (1, 2)]
    assert (circuit.n_inputs, circuit.n_weights) == (27, 18)
    model = ReuploadingClassifier(2, **QUICK).fit(np.random.default_rng(0).normal(size=(9, 4)), np.arange(9) % 2)
    network, x = model.network_.double(), torch.tensor([[0.1, -0.2, 0.3, 0.4]], dtype=torch.float64)
    by_hand, features = ql.Circuit(2), [*x[0].tolist(), 0.0, 0.0]
    scales = network.scales.detach().numpy()
    weights = network.quantum.weights.detach().numpy().reshape(2, 2, 3)
    for layer in range(3):
        for qubit in range(2):
            angles = [features[3 * qubit + k] * scales[layer, 3 * qubit + k] for k in range(3)]
            if layer == 2:
                angles = [a + network.offsets[3 * qubit + k].item() for k, a in enumerate(angles)]
            by_hand.rot(*angles, qubit)
            if layer < 2:
                by_hand.rot(*weights[layer, qubit], qubit)
        if layer == 0:
            by_hand.cz(0, 1)
    np.testing.assert_allclose(network(x).detach().numpy(), [ql.expectation(by_hand, [ql.Z(0)])], atol=1e-12)


def test_training_stops_where_the_loss_is_flat():
    swinging = np.resize([1.0, -1.0], 1000)
    assert is_flat(list(swinging), 200)
    assert not is_flat(list(swinging[:401]), 200)
    assert not is_flat(list(swinging - 0.01 * np.arange(1000)), 200)
    x, y = curved(50, 0)
    with pytest.warns(ConvergenceWarning, match="took all 30 steps and the loss was not flat yet"):
        ReuploadingClassifier(1, max_steps=30).fit(x, y)


def test_errors():
    x, y = curved(20, 0)
    with pytest.raises(ValueError, match=r"Only binary classification is supported\. y has 3 class"):
        DressedCircuitClassifier().fit(x, np.arange(20) % 3)
    with pytest.raises(ql.errors.ConfigError, match="observed='most', expected one of single, half, full"):
        ReuploadingClassifier(observed="most").fit(x, y)
    with pytest.raises(ql.errors.ConfigError, match="objective='hinge', expected one of weighted_fidelity"):
        ReuploadingClassifier(objective="hinge").fit(x, y)
