"""Heads fitted anew to a trained circuit's outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from qloom.errors import ArtifactError, ConfigError
from qloom.models import HybridClassifier, HybridRegressor, load_model
from qloom.models.tables.heads import TreesHead, linear_head, trees_head
from qloom.models.tables.hybrid import HybridNetwork
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.refitting import refit_head
from qloom.models.tables.rows import Rows

SMALL = {"n_qubits": 3, "n_layers": 1, "width": 8, "batch_size": 32}


def table(n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """A label that two informative features give together; for one class, a number."""
    if n_classes == 1:
        return make_regression(2000, 5, n_informative=4, noise=5.0, random_state=0)
    return make_classification(2000, 5, n_informative=4, n_redundant=0, n_classes=n_classes, random_state=0)


@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_heads_compute_what_the_fitted_models_do(n_classes):
    x, y = table(n_classes)
    x = x.astype(np.float32)
    pairs = (
        [(Ridge(), linear_head), (HistGradientBoostingRegressor(max_iter=20, random_state=0), trees_head)]
        if n_classes == 1
        else [(LogisticRegression(), linear_head), (HistGradientBoostingClassifier(max_iter=20), trees_head)]
    )
    for model, head_of in pairs:
        head = head_of(model.fit(x, y), x.shape[1], n_classes)
        outputs = head(torch.from_numpy(x))
        assert outputs.dtype == torch.float32
        found = outputs[:, 0].detach().numpy() if n_classes == 1 else torch.softmax(outputs, 1).detach().numpy()
        expected = model.predict(x) if n_classes == 1 else model.predict_proba(x)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        if isinstance(head, TreesHead):
            assert head.n_nodes == sum(tree.get_n_leaf_nodes() * 2 - 1 for one in model._predictors for tree in one)


@pytest.mark.parametrize(("kind", "n_classes"), [("linear", 2), ("boosting", 3), ("linear", 1), ("boosting", 1)])
def test_a_better_head_is_kept_and_saved(tmp_path, kind, n_classes):
    """One epoch leaves the trained head behind; the model that is saved and loaded has the new one."""
    x, y = table(n_classes)
    options = {**SMALL, "epochs": 1, "learning_rate": 1e-4}
    model = (HybridRegressor if n_classes == 1 else HybridClassifier)(**options, refit=kind).fit(x, y)
    plain = type(model)(**options).fit(x, y)
    assert model.refit_["kept"]
    assert model.refit_["after"] < model.refit_["before"]
    assert model.score(x, y) > plain.score(x, y) + 0.1
    assert torch.equal(model.network_.layer.weights, plain.network_.layer.weights)
    assert torch.equal(model.network_.encoder[0].weight, plain.network_.encoder[0].weight)
    loaded = load_model(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert loaded.refit_ == model.refit_
    assert loaded.network_.n_parameters == model.network_.n_parameters
    assert plain.refit_ is None


@pytest.mark.parametrize("seen", [(1, 2), (0, 1, 3), (0, 2)])
def test_classes_that_were_never_seen_get_next_to_no_probability(seen):
    """Codes are places: those of the classes that the fitted model saw stay theirs."""
    x, y = table(3 if len(seen) == 3 else 2)
    x, y = x[:300].astype(np.float32), np.array(seen)[y[:300]]
    for model, head_of in ((LogisticRegression(), linear_head), (HistGradientBoostingClassifier(), trees_head)):
        head = head_of(model.fit(x, y), 5, 4)
        found = torch.softmax(head(torch.from_numpy(x)), 1).detach().numpy()
        np.testing.assert_allclose(found[:, list(seen)], model.predict_proba(x), rtol=1e-3, atol=1e-5)
        assert np.delete(found, seen, axis=1).max() < 1e-9


def test_a_head_that_gains_less_than_its_error_is_not_kept():
    """Labels are coins: what trees find in 400 rows does not hold, and the trained head, which knows that, stays."""
    kept = 0
    for seed in range(8):
        x, y = np.random.default_rng(seed).normal(size=(400, 4)), np.random.default_rng(seed + 100).integers(0, 2, 400)
        model = HybridClassifier(**SMALL, epochs=1, learning_rate=1e-4, refit="boosting", random_state=seed).fit(x, y)
        kept += model.refit_["kept"]
        assert model.refit_["kept"] == (model.refit_["before"] - model.refit_["after"] > 2 * model.refit_["error"])
    assert kept <= 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth", 10**15),
        ("depth", -1),
        ("feature", 99),
        ("left", 10**6),
        ("right", -1),
        ("value", np.nan),
        ("sizes", 99),
    ],
)
def test_damaged_trees_are_refused(tmp_path, name, value):
    """With a right checksum, as a stranger could write them: no hang, no index out of range, no silent nonsense."""
    x, y = table(2)
    model = HybridClassifier(**SMALL, epochs=1, learning_rate=1e-4, refit="boosting").fit(x, y)
    assert model.refit_["kept"]
    getattr(model.network_.head, name).fill_(value)
    with pytest.raises(ArtifactError, match=f"m is damaged .*out of range in {name}"):
        load_model(model.save(tmp_path / "m"))
    setattr(model.network_.head, name, torch.zeros(3, 2, 1, dtype=getattr(model.network_.head, name).dtype))
    with pytest.raises(ArtifactError, match=r"m is damaged .*trees have a table"):
        load_model(model.save(tmp_path / "m"))


class Fixed(torch.nn.Module):
    """A head that says what it is told."""

    def __init__(self, gain: float):
        super().__init__()
        self.gain = gain

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gain * x[:, :2]


def test_a_worse_head_is_not_kept():
    """Outputs that give the validation labels with certainty cannot be beaten; their opposite can."""
    model = HybridClassifier(**SMALL, epochs=1).fit(*table(2))
    outputs = torch.eye(2).repeat(50, 1)
    rows = Rows(outputs, outputs.argmax(1))
    data = PreparedTable(model.preprocessing_, model.coding_, rows, rows, rows)
    for gain, kept in ((50.0, False), (-50.0, True)):
        network = HybridNetwork(torch.nn.Identity(), torch.nn.Identity(), Fixed(gain))
        found = refit_head(network, data, "linear", seed=0)
        assert found.kept == kept
        assert isinstance(network.head, torch.nn.Linear) == kept


def test_bad_input_is_refused():
    x, y = table(2)
    with pytest.raises(ConfigError, match="refit is 'forest', expected None or one of linear, boosting"):
        HybridClassifier(**SMALL, epochs=1, refit="forest").fit(x, y)
    with pytest.raises(ConfigError, match="refit='linear' is verified on validation rows, got 0 of them"):
        HybridClassifier(**SMALL, epochs=1, refit="linear").fit(x[:20], y[:20])
