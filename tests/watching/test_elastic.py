"""Elastic weights: the Fisher information against its closed form, and old rows that are not forgotten."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.losses import make_loss
from qloom.models.tables.rows import Rows
from qloom.watching.elastic import fisher, train_elastic


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


def test_a_stiff_spring_holds_what_old_rows_need():
    loss, old, new = make_loss("classification"), made_rows(1), made_rows(2, sign=-1.0)
    options = {"epochs": 6, "batch_size": 32, "learning_rate": 0.1, "seed": 0}
    losses = {}
    for stiffness in (0.0, 1000.0):
        network = made_network()
        train_elastic(network, loss, old, old, {}, 0.0, **options)
        before = float(loss.mean(network(old.x), old.y).detach())
        needed = fisher(network, loss, old)
        train_elastic(network, loss, new, new, needed, stiffness, **options)
        losses[stiffness] = [float(loss.mean(network(each.x), each.y).detach()) for each in (old, new)]
    assert losses[1000.0][0] < losses[0.0][0] - 0.3  # old rows
    assert losses[1000.0][1] > losses[0.0][1]  # the price on new ones
    assert losses[1000.0][0] < before + 0.5
