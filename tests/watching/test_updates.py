"""How updates train: passes, the Fisher information against its closed form, steps held by springs against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.losses import make_loss
from qloom.models.tables.rows import Rows
from qloom.watching.elastic import fisher, springs
from qloom.watching.updating import epochs_for, lower_by


def made_network():
    architecture = Architecture(2, 2, n_qubits=2, n_layers=1, width=4, dropout=0.0, layer="quantum",
                                ansatz="strongly_entangling")  # fmt: skip
    circuit = architecture.circuit()
    return build_network(architecture, circuit, observables_of(2), 0, None)


def made_rows(seed: int, sign: float = 1.0, n: int = 64) -> Rows:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 2)).astype(np.float32)
    return Rows(torch.from_numpy(x), torch.from_numpy((sign * x[:, 0] > 0).astype(np.int64)))


def test_fisher_of_the_last_bias_is_that_of_its_probabilities():
    """The derivative of cross entropy by the bias of class c is p_c - [y = c]."""
    network, rows, loss = made_network(), made_rows(0), make_loss("classification")
    found = fisher(network, loss, rows)
    with torch.no_grad():
        p = torch.softmax(network(rows.x), 1)
    expected = ((p - torch.eye(2)[rows.y]) ** 2).mean(0)
    name = [name for name, _ in network.named_parameters() if name.endswith("bias")][-1]
    assert found[name].numpy() == pytest.approx(expected.numpy(), rel=1e-4)
    assert all((value >= 0).all() for value in found.values())


def trained(network, loss, rows, held, recipe):
    fit = Fit(network, "classification", recipe, loss)
    fit.springs = held
    return fit.run(rows, rows)


def test_steps_are_those_of_adam_on_loss_and_springs():
    """Four steps of torch's own Adam on the whole sum, by autograd; nothing is left out of this network."""
    loss, rows, recipe = make_loss("classification"), made_rows(1), Recipe(epochs=1, batch_size=16, weight_decay=0.0)
    network, other = made_network(), made_network()
    held = springs(network, fisher(network, loss, made_rows(3)), 5.0)
    fit = Fit(network, "classification", recipe, loss).given(rows, rows)
    _, batches = fit.order()
    stiffness = {name: held[p].stiffness for name, p in network.named_parameters()}
    anchors = {name: p.detach().clone() for name, p in other.named_parameters()}
    optimizer = torch.optim.Adam(other.parameters())
    for k, batch in enumerate(batches):
        optimizer.param_groups[0]["lr"] = fit.rate(k / len(batches))
        pulled = sum((stiffness[name] * (p - anchors[name]) ** 2).sum() / 2 for name, p in other.named_parameters())
        optimizer.zero_grad()
        (loss.mean(other(rows.x[batch]), rows.y[batch]) + pulled).backward()
        optimizer.step()
    trained(network, loss, rows, held, recipe)
    for ours, theirs in zip(network.parameters(), other.parameters(), strict=True):
        assert ours.detach().numpy() == pytest.approx(theirs.detach().numpy(), abs=2e-5)


@pytest.mark.parametrize(("n_rows", "epochs"), [(60, 30), (150, 12), (2400, 3), (100_000, 3)])
def test_few_rows_are_gone_over_more_often(n_rows, epochs):
    """60 rows are four steps of 16: 30 passes are 120; from 640 rows on a pass is 40 steps or more."""
    assert epochs_for(n_rows, Recipe()) == epochs


def test_a_stiff_spring_holds_what_old_rows_need():
    loss, old, new = make_loss("classification"), made_rows(1), made_rows(2, sign=-1.0)
    recipe = Recipe(epochs=6, batch_size=32, learning_rate=0.1, weight_decay=0.0)
    losses = {}
    for stiffness in (0.0, 1000.0):
        network = made_network()
        trained(network, loss, old, {}, recipe)
        before = float(loss.mean(network(old.x), old.y).detach())
        trained(network, loss, new, springs(network, fisher(network, loss, old), stiffness), recipe)
        losses[stiffness] = [float(loss.mean(network(each.x), each.y).detach()) for each in (old, new)]
    assert losses[1000.0][0] < losses[0.0][0] - 0.3  # old rows
    assert losses[1000.0][1] > losses[0.0][1]  # the price on new ones
    assert losses[1000.0][0] < before + 0.5


def test_a_loss_that_is_higher_is_said_to_be():
    assert lower_by(0.1, 0.05, 0.15) == "lower by 0.1000 (95% interval 0.0500 to 0.1500)"
    assert lower_by(-0.1, -0.15, 0.05) == "higher by 0.1000 (95% interval -0.0500 to 0.1500)"
