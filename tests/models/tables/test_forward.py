"""What predicts without torch is the network that torch trained, and a row depends on no other row."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from qloom.models import HybridClassifier, HybridRegressor
from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.models.tables.choices import LAYERS
from qloom.models.tables.forward import HEADS as HEADS_HERE
from qloom.models.tables.forward import network_outputs
from qloom.models.tables.heads import HEADS, trees_head
from qloom.models.tables.inference import predict_rows
from qloom.models.tables.served import read_served


def made(layer="quantum", head="perceptron", n_features=7, n_qubits=3):
    """A network with fresh weights, and its outputs as a function of arrays."""
    architecture = Architecture(
        n_features=n_features, n_targets=3, n_qubits=n_qubits, n_layers=2, layer=layer, head=head
    )
    circuit, observables = architecture.circuit(), observables_of(n_qubits)
    network = build_network(architecture, circuit, observables, seed=0)
    if head == "boosting":
        rng = np.random.default_rng(0)
        x = rng.normal(size=(200, len(observables)))
        fitted = HistGradientBoostingClassifier(max_iter=5).fit(x, rng.integers(0, 3, 200))
        network.head = trees_head(fitted, len(observables), 3)
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return network, lambda x: network_outputs(weights, layer, head, circuit, observables, x)


def test_every_head_is_known_here():
    assert set(HEADS_HERE) == set(HEADS)


@pytest.mark.parametrize(("layer", "head"), [*((layer, "perceptron") for layer in LAYERS),
                                             ("quantum", "linear"), ("quantum", "boosting")])  # fmt: skip
def test_same_as_torch_up_to_rounding(layer, head):
    network, outputs = made(layer, head)
    x = 3 * torch.randn(300, 7, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(outputs(x.numpy()), predict_rows(network, x).numpy(), atol=2e-6)


def test_far_out_features_do_not_overflow():
    assert np.isfinite(made()[1](np.full((1, 7), 1e20, np.float32))).all()


@pytest.mark.parametrize(("layer", "head", "n_features", "n_qubits"), [
    ("quantum", "perceptron", 7, 3), ("quantum", "perceptron", 13, 4), ("quantum", "perceptron", 42, 8),
    ("classical", "perceptron", 13, 4), ("quantum", "linear", 30, 4), ("quantum", "boosting", 13, 4),
])  # fmt: skip
def test_a_row_does_not_depend_on_its_company(layer, head, n_features, n_qubits):
    outputs = made(layer, head, n_features, n_qubits)[1]
    x = np.random.default_rng(0).normal(size=(700, n_features)).astype(np.float32)
    together = outputs(x)
    assert np.array_equal(together[::50], np.concatenate([outputs(x[i : i + 1]) for i in range(0, 700, 50)]))
    assert np.array_equal(together[::-1], outputs(np.ascontiguousarray(x[::-1])))
    assert outputs(x[:0]).shape == (0, 3)


@pytest.mark.parametrize("kind", [HybridClassifier, HybridRegressor])
def test_a_model_folder_predicts_the_same_without_torch(kind, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)), np.arange(60) % 2
    model = kind(n_qubits=2, n_layers=1, width=8, epochs=2).fit(x, y)
    table = pa.table({"x0": x[:, 0], "x1": x[:, 1]})
    folder = model.save(tmp_path / "model")
    assert np.array_equal(read_served(folder).predict_table(table), model.predict_table(table))
    code = (
        "import sys, pyarrow as pa\nfrom qloom.models.tables.served import read_served\n"
        f"read_served({str(folder)!r}).predict_table(pa.table({{'x0': [0.5], 'x1': [1.5]}}))\n"
        "assert not {'torch', 'sklearn', 'scipy', 'duckdb'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
