"""Losses agree with scikit-learn's metrics, their minima are what they stand for, weights mean repeated rows."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, mean_poisson_deviance, mean_squared_error

from qloom.errors import ConfigError
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.losses import LOSSES, make_loss
from qloom.models.tables.readout import LINKS
from qloom.models.tables.rows import Rows

COUNTS = np.random.default_rng(0).poisson(3.0, 60).astype(float)
VALUES = np.random.default_rng(1).normal(3.0, 1.0, 60)


def mean_loss(loss, outputs, y):
    return float(loss.mean(torch.from_numpy(outputs)[:, None], torch.from_numpy(y)))


def test_losses_of_numbers_are_scikit_learns():
    assert mean_loss(make_loss("regression"), VALUES, COUNTS) == pytest.approx(mean_squared_error(COUNTS, VALUES))
    found = mean_loss(make_loss("regression", "absolute"), VALUES, COUNTS)
    assert found == pytest.approx(mean_absolute_error(COUNTS, VALUES))
    found = mean_loss(make_loss("regression", "quantile", 0.9), VALUES, COUNTS)
    assert found == pytest.approx(mean_pinball_loss(COUNTS, VALUES, alpha=0.9))


def test_poisson_loss_is_half_the_deviance_up_to_a_constant():
    loss = make_loss("regression", "poisson")
    near, far = (mean_loss(loss, np.log(m), COUNTS) for m in (VALUES.clip(0.5), np.full(60, 2.0)))
    half = [mean_poisson_deviance(COUNTS, m) / 2 for m in (VALUES.clip(0.5), np.full(60, 2.0))]
    assert near - far == pytest.approx(half[0] - half[1])


@pytest.mark.parametrize(
    ("name", "quantile", "expected"),
    [("squared", 0.5, COUNTS.mean()), ("poisson", 0.5, COUNTS.mean()), ("absolute", 0.5, np.median(COUNTS)),
     ("quantile", 0.9, np.quantile(COUNTS, 0.9))],
)  # fmt: skip
def test_the_minimum_is_what_the_loss_stands_for(name, quantile, expected):
    loss, grid = make_loss("regression", name, quantile), torch.linspace(-1, 12, 2601, dtype=torch.float64)
    y = torch.from_numpy(COUNTS)
    losses = [float(loss.mean(output.expand(60, 1), y)) for output in grid]
    best = LINKS[loss.link](grid[int(np.argmin(losses))].reshape(1, 1).numpy()).item()
    assert best == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("name", ["cross_entropy", "squared", "absolute", "poisson", "quantile"])
def test_slopes_are_autograds(name):
    torch.manual_seed(0)
    classes = name == "cross_entropy"
    outputs = torch.randn(40, 3 if classes else 1, dtype=torch.float64, requires_grad=True)
    y = torch.randint(0, 3, (40,)) if classes else torch.randn(40, dtype=torch.float64).abs()
    loss = make_loss("classification" if classes else "regression", name, 0.8)
    expected = torch.autograd.grad(loss.of_rows(outputs, y).sum(), outputs)[0]
    torch.testing.assert_close(loss.slopes(outputs.detach(), y), expected)


def test_a_weight_of_two_is_the_row_twice():
    """In full batches, where every step sees the same rows."""
    torch.manual_seed(0)
    x, y = torch.randn(24, 3), torch.randint(0, 2, (24,))
    twice = torch.cat([torch.arange(24), torch.arange(8)])
    weights = torch.where(torch.arange(24) < 8, 2.0, 1.0)
    ended = []
    for rows in (Rows(x[twice], y[twice]), Rows(x, y, weights / weights.mean())):
        fit = Fit(_Network(), "classification", Recipe(epochs=5, batch_size=99, learning_rate=0.1))
        fit.run(rows, Rows(x[:0], y[:0]))
        ended.append(fit.network.head.weight)
    torch.testing.assert_close(*ended, rtol=1e-4, atol=1e-5)


class _Network(torch.nn.Module):
    """The parts that a training knows, without dropout or a circuit."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.encoder, self.layer, self.head = torch.nn.Identity(), torch.nn.Identity(), torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.layer(self.encoder(x)))


@pytest.mark.parametrize("task", LOSSES)
def test_every_loss_is_made_and_no_other(task):
    other = {"classification": "regression", "regression": "classification"}[task]
    for name in LOSSES[task]:
        assert make_loss(task, name).name == name
        with pytest.raises(ConfigError, match="expected auto or one of"):
            make_loss(other, name)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        make_loss("regression", "quantile", 1.0)
