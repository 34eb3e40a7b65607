"""Models with layers exchanged: targets, sizes, errors as promised, types kept, and back."""

from __future__ import annotations

import copy
import subprocess
import sys
from io import StringIO

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from qloom.compression import LowRankLinear, TensorTrainLinear, compress, to_dense
from qloom.errors import ConfigError
from tests.compression.models import bert, one, perceptron

FORMS = ["tensor-train", "svd"]


def decaying(n_out, n_in, seed=0, dtype=torch.float32):
    """A matrix whose singular values fall by a tenth each."""
    rng = np.random.default_rng(seed)
    u, v = (np.linalg.qr(rng.normal(size=(n, min(n_out, n_in))))[0] for n in (n_out, n_in))
    return torch.tensor((u * 0.9 ** np.arange(u.shape[1])) @ v.T, dtype=dtype)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("error", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(2))
def test_errors_are_within_what_was_asked_for(form, error, seed):
    model = nn.Sequential(*(one(decaying(48, 36, seed + k))[0] for k in range(3)))
    old = copy.deepcopy(model)
    n_axes = 3 if form == "tensor-train" else None
    compression = compress(model, error=error, form=form, n_axes=n_axes)
    for row, new, before in zip(compression.layers, model, old, strict=True):
        lost = float((new.weight - before.weight).detach().norm() / before.weight.detach().norm())
        assert lost <= error + 1e-6
        assert row.error == pytest.approx(lost, abs=1e-6) or row.form == "dense"
        assert row.parameters == sum(p.numel() for p in new.parameters()) <= row.parameters_before


def test_low_rank_is_the_best_of_its_rank():
    matrix = decaying(40, 24)
    compression = compress(one(matrix), error=0.3, form="svd")
    (rank,) = compression.layers[0].bonds
    singular = np.linalg.svd(matrix.double().numpy(), compute_uv=False)
    norms = [np.linalg.norm(singular[r:]) / np.linalg.norm(singular) for r in (rank - 1, rank)]
    assert norms[1] <= 0.3 < norms[0]
    assert compression.layers[0].error == pytest.approx(norms[1], abs=1e-6)
    assert isinstance(compression.model[0], LowRankLinear)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_axes", [2, 3])
def test_a_kronecker_product_is_found_without_error(dtype, n_axes):
    random = torch.Generator().manual_seed(2)
    shapes = {2: ((6, 8), (8, 6)), 3: ((4, 4), (3, 3), (4, 4))}[n_axes]
    factors = [torch.randn(*shape, dtype=torch.float64, generator=random) for shape in shapes]
    product = factors[0]
    for factor in factors[1:]:
        product = torch.kron(product, factor)
    model = one(product.to(dtype))
    x = torch.randn(5, 48, dtype=dtype, generator=random)
    before = model(x)
    compression = compress(model, error=0, n_axes=n_axes)
    assert set(compression.layers[0].bonds) == {1}
    assert model[0].factors[0].dtype == dtype
    torch.testing.assert_close(model(x), before, rtol=1e-4, atol=1e-4 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_a_share_of_parameters_is_filled_and_no_more(form):
    model = nn.Sequential(*(one(decaying(48, 36, k))[0] for k in range(4)))
    compression = compress(model, parameters=0.4, form=form, copy=True)
    assert 0.36 < compression.share <= 0.4
    assert compression.parameters == sum(p.numel() for p in compression.model.parameters())
    assert compression.model_parameters == compression.parameters
    assert all(type(layer) is nn.Linear for layer in model)  # a copy
    again = compress(model, error=min(0.999, compression.error), form=form, copy=True)
    assert again.rows() == compression.rows()


def test_the_least_share_is_what_bonds_of_one_leave():
    with pytest.raises(ConfigError, match=r"parameters=0.001, expected at least 0.\d+") as refused:
        compress(perceptron(), parameters=0.001)
    least = float(str(refused.value).split("at least ")[1].split(",")[0])
    compression = compress(perceptron(), parameters=least)
    assert {bond for row in compression.layers for bond in row.bonds} == {1}
    with pytest.raises(ConfigError, match="expected at least"):
        compress(perceptron(), parameters=least - 2e-4)


def test_layers_get_what_they_need():
    """At one error the matrix of slowly falling singular values gets the larger rank."""
    torch.manual_seed(0)
    model = nn.Sequential(one(decaying(40, 40))[0], nn.Linear(40, 40))
    easy, hard = compress(model, parameters=0.5, form="svd").layers
    assert easy.bonds[0] < hard.bonds[0]
    assert abs(easy.error - hard.error) < 0.05


def test_what_does_not_get_smaller_or_has_no_axes_stays_and_says_so():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(36, 36), nn.Linear(36, 37), nn.Linear(37, 36))
    same = [layer.weight for layer in model]
    compression = compress(model, error=0.01)
    assert [row.form for row in compression.layers] == ["dense"] * 3
    assert [layer.weight is weight for layer, weight in zip(model, same, strict=True)] == [True] * 3
    notes = [row.note for row in compression.layers]
    assert notes[0] == "it would not get smaller"
    assert notes[1] == "37 x 36 have no 2 axes above 1 each"
    assert compression.share == 1
    assert str(compression).count("stays dense") == 3


def test_targets_are_endings_of_names_and_heads_stay():
    model = bert(n_labels=3)
    names = {row.name for row in compress(model, parameters=0.6, copy=True).layers}
    assert len(names) == 13
    assert "classifier" not in names
    assert "bert.pooler.dense" in names
    some = compress(model, ["query", "output.dense"], parameters=0.6)
    assert {row.name.split("layer.")[1][2:] for row in some.layers} == {
        "attention.self.query", "attention.output.dense", "output.dense",
    }  # fmt: skip
    assert type(model.bert.encoder.layer[0].attention.self.key) is nn.Linear


def test_a_layer_that_stands_in_two_places_is_exchanged_in_both():
    layer = one(decaying(36, 36))[0]
    model = nn.Sequential(layer, nn.Tanh(), layer)
    compression = compress(model, parameters=0.5)
    assert len(compression.layers) == 1
    assert isinstance(model[0], TensorTrainLinear)
    assert model[0] is model[2]


def test_a_weight_that_an_embedding_has_too_stays():
    model = nn.ModuleDict({"words": nn.Embedding(24, 12), "out": nn.Linear(12, 24), "other": nn.Linear(12, 24)})
    model["out"].weight = model["words"].weight
    out, other = compress(model, error=0.9, form="svd").layers
    assert (out.form, out.note) == ("dense", "words has the same weight")
    assert other.form == "svd"


@pytest.mark.parametrize("form", FORMS)
def test_types_biases_flags_and_modes_are_kept(form):
    torch.manual_seed(0)
    model = nn.Sequential(one(decaying(36, 48, dtype=torch.bfloat16))[0]).eval()
    model[0].weight.requires_grad_(False)
    bias = model[0].bias
    compress(model, error=0.4, form=form)
    assert model[0].bias is bias
    assert not model[0].training
    assert {factor.dtype for factor in model[0].factors} == {torch.bfloat16}
    assert not any(factor.requires_grad for factor in model[0].factors)
    assert model(torch.ones(2, 48, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize("form", FORMS)
def test_dense_again_is_the_same_map(form):
    model = perceptron().double().eval()
    compress(model, error=0.5, form=form)
    x = torch.randn(7, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    before = model(x)
    assert to_dense(model) is model
    assert all(type(layer) is nn.Linear for layer in (model[0], model[2], model[4]))
    torch.testing.assert_close(model(x), before, rtol=1e-12, atol=1e-12)


def test_gradients_are_those_of_differences():
    model = nn.Sequential(one(decaying(12, 12, dtype=torch.float64))[0])
    compress(model, error=0.5, n_axes=2)
    layer = model[0]
    assert isinstance(layer, TensorTrainLinear)
    x = torch.randn(3, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    factors = tuple(layer.factors)
    for way in ("left", "right", "dense"):
        layer.way = way

        def value(*numbers):
            names = [f"0.factors.{k}" for k in range(len(numbers))]
            return torch.func.functional_call(model, dict(zip(names, numbers, strict=True)), x)

        assert torch.autograd.gradcheck(value, factors)


def test_errors_of_outputs_are_those_of_the_layers_own_inputs():
    model = perceptron().eval()
    x = torch.randn(50, 24, generator=torch.Generator().manual_seed(1))
    compression = compress(model, error=0.5, form="svd", calibration=[x[:20], (x[20:],)], copy=True)
    with torch.no_grad():
        first, hidden = model[0](x), torch.tanh(model[0](x))
        for k, inputs in ((0, x), (2, hidden)):
            old, new = model[k](inputs), compression.model[k](inputs)
            expected = float((new - old).norm() / old.norm())
            found = next(row for row in compression.layers if row.name == str(k))
            assert found.output_error == pytest.approx(expected, rel=1e-4)
    assert first.shape == (50, 36)
    assert "outputs" in str(compression)


def test_the_table_as_text_and_as_data():
    model = nn.Sequential(nn.Linear(12, 37), one(torch.kron(torch.ones(6, 6), torch.eye(6)))[0])
    compression = compress(model, "1", error=0.0, n_axes=2)
    assert compression.rows() == [
        {"name": "1", "out_features": 36, "in_features": 36, "form": "tensor-train", "parameters_before": 1332,
         "parameters": 108, "out_axes": (6, 6), "in_axes": (6, 6), "bonds": (1,),
         "error": pytest.approx(0, abs=1e-6), "output_error": None, "note": ""},
    ]  # fmt: skip
    head, row, total = str(compression).splitlines()
    assert head.split() == ["layer", "shape", "axes", "before", "after", "bonds", "error"]
    assert row.split() == ["1", "36", "x", "36", "6·6", "x", "6·6", "1,332", "108", "1", "0.000"]
    assert total == "1 layers: 1,332 -> 108 parameters (8.1%); model: 1,813 -> 589"
    console = Console(record=True, width=100, file=StringIO())
    console.print(compression)
    assert console.export_text().splitlines()[1].split() == row.split()


def test_conv1d_is_the_other_way_round():
    from transformers.pytorch_utils import Conv1D

    torch.manual_seed(0)
    model = nn.Sequential(Conv1D(36, 24))
    model[0].weight = nn.Parameter(decaying(24, 36))
    x = torch.randn(4, 24)
    before, weight = model(x), model[0].weight
    compress(model, error=0.05, form="svd")
    assert model[0].weight.shape == weight.shape
    assert float((model[0].weight - weight).detach().norm() / weight.detach().norm()) <= 0.05
    assert float((model(x) - before).detach().norm() / before.detach().norm()) < 0.1
    compressed = model(x)
    to_dense(model)
    assert type(model[0]) is Conv1D
    torch.testing.assert_close(model(x), compressed, rtol=1e-5, atol=1e-6)


def test_layers_of_torch_that_look_into_their_weights_work():
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(24, 2, 48, batch_first=True).eval()
    compression = compress(model, ["linear1", "linear2"], parameters=0.5)
    assert compression.share <= 0.5
    x = torch.randn(2, 3, 24)
    with torch.no_grad():
        fast = model(x)
    torch.testing.assert_close(fast, model(x).detach(), rtol=1e-4, atol=1e-5)


REFUSED = [
    ({}, "expected one of them"),
    ({"error": 0.1, "parameters": 0.3}, "expected one of them"),
    ({"error": 1.0}, "error=1.0, expected a number of at least 0 and below 1"),
    ({"parameters": 0.0}, "parameters=0.0, expected a share between 0 and 1"),
    ({"error": 0.1, "form": "cp"}, "form='cp', expected one of 'tensor-train', 'svd'"),
    ({"error": 0.1, "n_axes": 1}, "n_axes=1, expected an integer of at least 2"),
    ({"error": 0.1, "n_axes": 3, "form": "svd"}, "expected none; axes are of tensor trains"),
    ({"error": 0.1, "targets": []}, "targets is empty"),
    ({"error": 0.1, "targets": "1"}, "target '1' names a Tanh"),
    ({"error": 0.1, "targets": ["22"]}, "target '22' is the end of no linear layer's name in Sequential; near it: 2"),
    ({"error": 0.1, "calibration": []}, "calibration gave no batch"),
]


@pytest.mark.parametrize(("wrong", "message"), REFUSED)
def test_what_is_wrong_is_refused_and_the_model_left_alone(wrong, message):
    model = perceptron()
    before = list(model)
    with pytest.raises(ConfigError, match=message):
        compress(model, **{"targets": "all-linear", **wrong})
    assert list(model) == before


def test_models_without_such_layers_and_weights_without_numbers_are_refused():
    with pytest.raises(ConfigError, match="Tanh has no layer that is a Linear or Conv1D"):
        compress(nn.Tanh(), error=0.1)
    with pytest.raises(ConfigError, match="the model is itself a Linear"):
        compress(nn.Linear(4, 4), error=0.1)
    broken = perceptron()
    with torch.no_grad():
        broken[2].weight[0, 0] = torch.nan
    with pytest.raises(ConfigError, match="the weight of layer 2 holds NaN"):
        compress(broken, error=0.1)
    with torch.device("meta"):
        empty = nn.Sequential(nn.Linear(4, 4))
    with pytest.raises(ConfigError, match="layer 0 has no numbers yet"):
        compress(empty, error=0.1)


def test_importing_is_cheap_and_compressing_needs_torch_alone():
    code = (
        "import sys, qloom, qloom.compression\n"
        "assert not {'torch', 'numpy', 'rich'} & set(sys.modules)\n"
        "import torch\n"
        "model = torch.nn.Sequential(torch.nn.Linear(16, 16))\n"
        "qloom.compression.compress(model, parameters=0.5)\n"
        "assert not {'transformers', 'peft', 'sklearn', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
