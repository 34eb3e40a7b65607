"""A published classifier trained from several seeds at once: each copy ends as it would alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from qloom.errors import ConfigError, ShapeError
from qloom.models import (
    CircuitCentricClassifier,
    DressedCircuitClassifier,
    IQPVariationalClassifier,
    QCNNClassifier,
    QuantumKitchenSinks,
    QuantumMetricLearner,
    QuanvolutionalClassifier,
    ReuploadingClassifier,
    SeparableVariationalClassifier,
    TreeTensorClassifier,
    fit_seeds,
)
from qloom.nn import QuantumLayer

QUICK = {"max_steps": 12, "convergence_interval": None, "learning_rate": 0.05, "batch_size": 8}
MODELS = [
    CircuitCentricClassifier(n_layers=1, n_copies=2, **QUICK),
    DressedCircuitClassifier(n_layers=1, **QUICK),
    IQPVariationalClassifier(n_layers=2, **QUICK),
    QCNNClassifier(convolution="ttn", pooling=None, **QUICK),
    QCNNClassifier(encoder="amplitude", **QUICK),
    QuantumMetricLearner(n_layers=1, **QUICK),
    QuanvolutionalClassifier(widths=(4, 4), **QUICK),
    ReuploadingClassifier(n_layers=1, **QUICK),
    ReuploadingClassifier(n_layers=1, objective="fidelity", observed="full", **QUICK),
    SeparableVariationalClassifier(**QUICK),
    TreeTensorClassifier(**QUICK),
]


def rows() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(40, 4))
    return x, np.where(x[:, 0] * x[:, 1] > 0, "in", "out")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{type(model).__name__}")
def test_each_ends_as_alone(model, monkeypatch):
    sizes, call = [], QuantumLayer.forward
    monkeypatch.setattr(QuantumLayer, "forward", lambda layer, x: sizes.append(1) or call(layer, x))
    (x, y), weights = rows(), np.random.default_rng(1).integers(1, 4, 40).astype(float)
    found = fit_seeds(model, x, y, [3, 4, 5], sample_weight=weights)
    n_calls = len(sizes)
    for seed, one in zip([3, 4, 5], found, strict=True):
        alone = clone(model).set_params(random_state=seed).fit(x, y, sample_weight=weights)
        np.testing.assert_allclose(one.losses_, alone.losses_, atol=2e-5)
        np.testing.assert_allclose(one.predict_proba(x), alone.predict_proba(x), atol=2e-4)
        assert one.n_steps_ == alone.n_steps_ == 12
    if not isinstance(model, QuanvolutionalClassifier):  # whose circuits are no part of the training
        assert n_calls == 12  # one call a step for all three
    assert not hasattr(model, "network_")
    networks = [{p.data_ptr() for p in one.network_.parameters() if p.numel()} for one in found]
    assert not networks[0] & networks[1]


@pytest.mark.parametrize("model", [MODELS[0], MODELS[1], MODELS[7]], ids=lambda model: type(model).__name__)
def test_many_classes(model):
    x, _ = rows()
    y = np.digitize(x[:, 0], [-0.5, 0.5])
    for seed, one in zip([0, 1], fit_seeds(model, x, y, [0, 1]), strict=True):
        alone = clone(model).set_params(random_state=seed).fit(x, y)
        np.testing.assert_allclose(one.predict_proba(x), alone.predict_proba(x), atol=2e-4)


def test_each_stops_where_its_own_loss_is_flat():
    x, y = rows()
    model = SeparableVariationalClassifier(max_steps=400, convergence_interval=10, learning_rate=0.05, batch_size=8)
    found = fit_seeds(model, x, y, range(3))
    alone = [clone(model).set_params(random_state=seed).fit(x, y) for seed in range(3)]
    assert [one.n_steps_ for one in found] == [one.n_steps_ for one in alone]
    assert len({one.n_steps_ for one in found}) > 1
    with pytest.warns(ConvergenceWarning, match="took all 22 steps"):
        fit_seeds(clone(model).set_params(max_steps=22), x, y, [0])


def test_refused_in_a_sentence():
    x, y = rows()
    with pytest.raises(ConfigError, match="model is a QuantumKitchenSinks, expected a published classifier that is"):
        fit_seeds(QuantumKitchenSinks(), x, y, [0])
    with pytest.raises(ConfigError, match="seeds is empty"):
        fit_seeds(MODELS[0], x, y, [])
    with pytest.raises(ShapeError, match="row of zeros"):
        fit_seeds(TreeTensorClassifier(**QUICK), np.zeros((40, 4)), y, [0, 1])


def test_rows_are_checked_under_torch_func():
    """A question about numbers is answered by the numbers below the transform."""
    from qloom.encoders import normalize

    x = torch.tensor([[[3.0, 4.0]], [[0.0, 1.0]]])
    found = torch.func.vmap(lambda part: normalize(part, 2))(x)
    torch.testing.assert_close(found, torch.tensor([[[0.6, 0.8]], [[0.0, 1.0]]]))
    with pytest.raises(ShapeError, match="row of zeros"):
        torch.func.vmap(lambda part: normalize(part, 2))(0 * x)


def test_softmax_loss_is_cross_entropy():
    """Written for torch.func; its derivatives are those of torch's own."""
    from torch.nn.functional import cross_entropy

    from qloom.models.published.objectives import SOFTMAX

    y = torch.arange(40) % 3
    given = [torch.randn(40, 3, generator=torch.Generator().manual_seed(0)).requires_grad_() for _ in range(2)]
    losses = [loss(outputs, y) for loss, outputs in zip((SOFTMAX.loss, cross_entropy), given, strict=True)]
    torch.testing.assert_close(*losses)
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(given[0].grad, given[1].grad, rtol=1e-6, atol=0)
