"""Published figures found again, where the data is there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.published import mnist_3_6, qcnn, qml_kernels, qml_variational
from benchmarks.published.mnist import FOLDER as MNIST
from benchmarks.published.qml_data import FOLDER as SETS
from benchmarks.published.qml_data import load, scaled, scores_of

needs_sets = pytest.mark.skipif(not SETS.exists(), reason="../shared/data/qml_benchmarks is absent")
needs_mnist = pytest.mark.skipif(not MNIST.exists(), reason="../shared/data/mnist is absent")


@needs_sets
@pytest.mark.parametrize(
    ("model", "most_off"),
    [("IQPKernelClassifier", 0), ("SeparableKernelClassifier", 0), ("ProjectedQuantumKernel", 1)],
)
def test_accuracies_of_kernels(model, most_off):
    """Of 60 test rows; the narrower sets, for time."""
    rows = [row for row in scores_of(model, *qml_kernels.BENCHMARKS) if row.dataset.endswith(("_4d", "_6d", "-7d"))]
    assert len(rows) >= 2
    for row in rows:
        sets = scaled(load(row.dataset), -np.pi / 2, np.pi / 2)
        found = qml_kernels.MODELS[model](row, sets)
        off = np.abs(np.subtract(found, row.accuracies[: len(found)])) * len(sets.y_test)
        assert off.max() < most_off + 0.5, row.dataset


@needs_sets
@pytest.mark.parametrize(
    ("model", "dataset"),
    [
        pytest.param("TreeTensorClassifier", "linearly_separable_4d", marks=pytest.mark.slow),
        pytest.param("IQPVariationalClassifier", "linearly_separable_8d", marks=pytest.mark.slow),
        ("SeparableVariationalClassifier", "linearly_separable_4d"),
        pytest.param("DataReuploadingClassifier", "linearly_separable_12d", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_accuracies_of_trained_models(model, dataset):
    """The mean of five seeds as near to the published one as the table in README asks."""
    (row,) = scores_of(model, dataset)
    found = qml_variational.train(row)
    assert found.met, str(found)


@pytest.mark.slow
@needs_mnist
def test_accuracy_of_a_chain_of_blocks():
    name = next(name for name in qcnn.SETTINGS if name.startswith("chain of SU4"))
    assert abs(np.mean(qcnn.accuracies(name)) - qcnn.SETTINGS[name][2]) <= 0.01


@needs_mnist
def test_counts_of_images():
    x, _, n_different = mnist_3_6.without_contradictions(*mnist_3_6.pixels("train"))
    assert (n_different, len(x), len(np.unique(x > 0.5, axis=0))) == mnist_3_6.COUNTS


def test_middle_columns_are_bilinear():
    """torch's interpolation, an independent program, to the same size."""
    x = np.random.default_rng(0).random((2, 28, 28))
    truth = torch.nn.functional.interpolate(
        torch.from_numpy(x)[:, None], (784, 1), mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(qcnn.middle_columns(x), truth[:, 0, :, 0].numpy(), atol=1e-12)
