"""A row's output is the same bit by bit, whatever rows it comes with."""

import torch

from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.inference import predict_rows


def test_a_row_does_not_depend_on_its_company():
    architecture = Architecture(n_features=7, n_targets=3, n_qubits=4, n_layers=2)
    network = build_network(architecture, architecture.circuit(), observables_of(4), seed=0)
    x = torch.randn(700, 7, generator=torch.Generator().manual_seed(0))
    together = predict_rows(network, x)
    alone = torch.cat([predict_rows(network, x[i : i + 1]) for i in range(0, 700, 50)])
    assert torch.equal(together[::50], alone)
    assert torch.equal(together[torch.arange(699, -1, -1)], predict_rows(network, x.flip(0)))


def test_no_rows():
    architecture = Architecture(n_features=2, n_targets=3, n_qubits=2, n_layers=1)
    network = build_network(architecture, architecture.circuit(), observables_of(2), seed=0)
    assert predict_rows(network, torch.zeros(0, 2)).shape == (0, 3)
