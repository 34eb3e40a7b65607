"""Trains of cores: widths as axes, exactness, the promised error, closed forms, and counts of multiply-adds."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
import torch

from qloom.compression import TensorTrainLinear, factorize
from qloom.compression.decomposition import as_sites, bond_spectra, join, split, tails
from qloom.errors import ConfigError, ShapeError

AXES = [((4, 3), (2, 6)), ((3, 2, 4), (2, 5, 3)), ((2, 3, 2, 2), (3, 2, 2, 2))]


def matrix_of_axes(out_axes, in_axes, seed=0):
    return torch.randn(
        prod(out_axes), prod(in_axes), dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize("width", [12, 36, 100, 384, 768, 1536, 4096, 11008])
def test_axes_make_up_the_width_and_no_others_are_more_equal(width):
    divisors = [a for a in range(2, width) if width % a == 0]
    assert sorted(factorize(width, 2)) == min((sorted((a, width // a)) for a in divisors), key=sum)
    threes = [(a, b, width // (a * b)) for a in divisors for b in divisors if width % (a * b) == 0 and a * b < width]
    found = factorize(width, 3)
    assert prod(found) == width
    assert sum(found) == min(map(sum, threes))
    assert found[1] == min(found)


def test_axes_as_written_down():
    assert factorize(384, 3) == (8, 6, 8)
    assert factorize(1536, 3) == (12, 8, 16)
    assert factorize(127, 2) is None
    assert factorize(127, 1) == (127,)
    assert factorize(10, 3) is None
    assert factorize(4, 3) is None


@pytest.mark.parametrize(("out_axes", "in_axes"), AXES)
def test_cores_of_full_bonds_are_the_matrix(out_axes, in_axes):
    matrix = matrix_of_axes(out_axes, in_axes)
    cores = split(matrix, out_axes, in_axes, [10**6] * (len(out_axes) - 1))
    assert [core.shape[1:3] for core in cores] == list(zip(out_axes, in_axes, strict=True))
    torch.testing.assert_close(join(cores), matrix, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("out_axes", "in_axes"), AXES)
def test_spectra_are_those_of_numpy_and_tails_what_is_cut(out_axes, in_axes):
    matrix = matrix_of_axes(out_axes, in_axes)
    sites = as_sites(matrix, out_axes, in_axes).numpy()
    for k, spectrum in enumerate(bond_spectra(matrix, out_axes, in_axes), 1):
        expected = np.linalg.svd(sites.reshape(prod(sites.shape[:k]), -1), compute_uv=False)
        np.testing.assert_allclose(spectrum.numpy(), expected, atol=1e-12)
        cut = tails(spectrum)
        assert cut[0] == pytest.approx(1)
        assert cut[2] == pytest.approx(np.linalg.norm(expected[2:]) / np.linalg.norm(expected))
        assert cut[-1] == 0


@pytest.mark.parametrize("seed", range(3))
def test_what_two_cores_lose_is_what_the_singular_values_say(seed):
    """Of two cores the error is known exactly: Eckart and Young for the matrix with its axes exchanged."""
    out_axes, in_axes = AXES[0]
    matrix = matrix_of_axes(out_axes, in_axes, seed)
    singular = np.linalg.svd(as_sites(matrix, out_axes, in_axes).numpy(), compute_uv=False)
    for bond in (1, 3, 7):
        lost = (join(split(matrix, out_axes, in_axes, [bond])) - matrix).norm()
        assert float(lost) == pytest.approx(np.linalg.norm(singular[bond:]), rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_squared_errors_of_bonds_bound_that_of_the_whole(seed):
    out_axes, in_axes = AXES[2]
    matrix = matrix_of_axes(out_axes, in_axes, seed)
    bonds = [2, 5, 3]
    cuts = [s[r:].norm() for s, r in zip(bond_spectra(matrix, out_axes, in_axes), bonds, strict=True)]
    lost = (join(split(matrix, out_axes, in_axes, bonds)) - matrix).norm()
    assert max(cuts) - 1e-12 <= lost <= torch.stack(cuts).norm() + 1e-12


def test_a_kronecker_product_has_bonds_of_one():
    random = torch.Generator().manual_seed(4)
    factors = [torch.randn(*shape, dtype=torch.float64, generator=random) for shape in ((3, 2), (2, 5), (4, 3))]
    product = torch.kron(torch.kron(factors[0], factors[1]), factors[2])
    for spectrum in bond_spectra(product, *AXES[1]):
        assert spectrum[1] < 1e-13 * spectrum[0]
    torch.testing.assert_close(join(split(product, *AXES[1], [1, 1])), product, rtol=0, atol=1e-12)


def test_a_sum_of_kronecker_products_has_a_bond_for_each():
    random = torch.Generator().manual_seed(5)
    pairs = [
        [torch.randn(*shape, dtype=torch.float64, generator=random) for shape in ((4, 2), (3, 6))] for _ in range(3)
    ]
    (spectrum,) = bond_spectra(sum(torch.kron(a, b) for a, b in pairs), *AXES[0])
    assert spectrum[2] > 1e-3
    assert spectrum[3] < 1e-13 * spectrum[0]


def test_a_matrix_of_zeros():
    matrix = torch.zeros(12, 12, dtype=torch.float64)
    assert float(tails(bond_spectra(matrix, *AXES[0])[0])[0]) == 0
    assert torch.equal(join(split(matrix, *AXES[0], [1])), matrix)


@pytest.mark.parametrize(("out_axes", "in_axes"), AXES)
@pytest.mark.parametrize("way", ["left", "right", "dense"])
def test_every_way_is_the_matrix_times_rows(out_axes, in_axes, way):
    matrix = matrix_of_axes(out_axes, in_axes)
    cores = split(matrix, out_axes, in_axes, [3, 4, 2][: len(out_axes) - 1])
    layer = TensorTrainLinear(cores, way=way)
    x = torch.randn(2, 5, prod(in_axes), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(layer(x), x @ join(cores).T, rtol=1e-12, atol=1e-12)
    assert layer(x[:0]).shape == (0, 5, prod(out_axes))


@pytest.mark.parametrize(("out_axes", "in_axes"), AXES)
def test_counts_are_the_multiply_adds_that_torch_counts(out_axes, in_axes):
    from torch.utils.flop_counter import FlopCounterMode

    cores = split(matrix_of_axes(out_axes, in_axes), out_axes, in_axes, [3, 4, 2][: len(out_axes) - 1])
    x = torch.ones(7, prod(in_axes), dtype=torch.float64)
    for way, count in TensorTrainLinear(cores).operations(len(x)).items():
        with FlopCounterMode(display=False) as counter:
            TensorTrainLinear(cores, way=way)(x)
        assert counter.get_total_flops() == 2 * count


def test_few_rows_go_through_the_cores_and_many_through_the_matrix():
    cores = split(matrix_of_axes((16, 24), (24, 16)), (16, 24), (24, 16), [1])
    few = TensorTrainLinear(cores).operations(1)
    assert min(few, key=few.get) == "left"  # the row meets (24 -> 16) first
    wide = TensorTrainLinear(split(matrix_of_axes((16, 24), (24, 16)), (16, 24), (24, 16), [50]))
    many = wide.operations(1000)
    assert min(many, key=many.get) == "dense"


def test_the_choice_of_a_way_breaks_no_graph():
    layer = TensorTrainLinear(split(matrix_of_axes(*AXES[1]), *AXES[1], [2, 2]))
    compiled = torch.compile(layer, backend="eager", fullgraph=True, dynamic=True)
    for n_rows in (2, 300):
        x = torch.ones(n_rows, 30, dtype=torch.float64)
        assert torch.equal(compiled(x), layer(x))


def test_layers_refuse_what_does_not_fit():
    cores = split(matrix_of_axes(*AXES[0]), *AXES[0], [3])
    with pytest.raises(ShapeError, match=r"cores have shapes .*expected \(1, m, n, r\)"):
        TensorTrainLinear(cores[:1])
    with pytest.raises(ShapeError, match=r"x has shape \(2, 5\), expected \(..., 12\)"):
        TensorTrainLinear(cores)(torch.zeros(2, 5, dtype=torch.float64))
    with pytest.raises(ConfigError, match="way='up', expected one of auto"):
        TensorTrainLinear(cores, way="up")
