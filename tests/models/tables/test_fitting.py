"""The epoch loop: learns, stops early, and goes on from a saved state as if never stopped."""

import json
import math

import pytest
import torch

from qloom.errors import ConfigError
from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.rows import Rows


def make_fit(task="classification", **recipe):
    architecture = Architecture(3, 2 if task == "classification" else 1, n_qubits=2, n_layers=1, width=8)
    network = build_network(architecture, architecture.circuit(), observables_of(2), seed=0)
    return Fit(network, task, Recipe(**{"epochs": 6, "batch_size": 16, "learning_rate": 0.02, **recipe}))


def make_rows(n, seed=0, task="classification"):
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    y = x[:, 0] - 0.5 * x[:, 1]
    return Rows(x, (y > 0).long() if task == "classification" else y)


NO_ROWS = Rows(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_learns(task):
    fit = make_fit(task, epochs=15).run(make_rows(300, 0, task), make_rows(100, 1, task))
    assert fit.history[-1]["validation_metric"] > 0.85
    assert fit.history[-1]["train_loss"] < fit.history[0]["train_loss"]


@pytest.mark.parametrize("stopped_after", [1, 3, 5])
def test_restored_training_ends_bit_identical(stopped_after):
    train, validation = make_rows(100), make_rows(40, 1)
    whole = make_fit().run(train, validation)
    saved = []

    def keep(fit):
        if fit.epoch == stopped_after:
            saved.append(({k: v.clone() for k, v in fit.tensors().items()}, json.dumps(fit.record())))

    make_fit().run(train, validation, keep)
    tensors, record = saved[0]
    torch.manual_seed(99)  # the state of the global generator must not matter
    resumed = make_fit().restore(tensors, json.loads(record)).run(train, validation)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name])
    losses = [[record["train_loss"] for record in fit.history] for fit in (whole, resumed)]
    assert losses[0] == losses[1]


def test_best_weights_are_kept():
    validation = make_rows(40, 1)
    seen = {}
    fit = make_fit(epochs=12, learning_rate=0.1)
    fit.run(
        make_rows(40),
        validation,
        lambda f: seen.update({f.epoch: {k: v.clone() for k, v in f.network.state_dict().items()}}),
    )
    losses = [record["validation_loss"] for record in fit.history]
    assert fit.best_epoch == 1 + losses.index(min(losses))
    assert all(torch.equal(seen[fit.best_epoch][name], value) for name, value in fit.network.state_dict().items())


def test_stops_when_patience_runs_out():
    noise = make_rows(40, 1)._replace(y=torch.randint(0, 2, (40,), generator=torch.Generator().manual_seed(5)))
    fit = make_fit(epochs=200, learning_rate=0.1, patience=3).run(make_rows(100), noise)
    assert fit.epoch == fit.best_epoch + 3 < 200


def test_without_validation_rows_the_last_epoch_counts():
    fit = make_fit(epochs=4).run(make_rows(50), NO_ROWS)
    assert (fit.epoch, fit.best_epoch) == (4, 4)
    assert fit.history[0]["validation_loss"] is None
    json.dumps(fit.record(), allow_nan=False)


def test_diverging_loss_is_refused():
    rows = make_rows(50)
    with pytest.raises(ConfigError, match="lower learning_rate"):
        make_fit("regression").run(Rows(rows.x * math.inf, rows.x[:, 0]), NO_ROWS)


def test_training_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    make_fit(epochs=1).run(make_rows(20), NO_ROWS)
    assert torch.equal(torch.rand(4), expected)


def test_default_batch_size():
    assert [Recipe().rows_a_step(n) for n in (100, 4000, 100_000)] == [16, 100, 256]
    assert Recipe(batch_size=7).rows_a_step(100_000) == 7
