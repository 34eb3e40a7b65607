"""A matrix as a tensor train, and back.

A matrix (out, in) with out = m_1 ... m_d and in = n_1 ... n_d is a tensor of d sites, each of m_k n_k values. A train
of cores G_k (r_{k-1}, m_k, n_k, r_k) with r_0 = r_d = 1 writes it as sums over the d - 1 bonds between neighbours.

Source: Oseledets 2011, SIAM Journal on Scientific Computing 33, 2295 (algorithm 1 and theorem 2.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

Axes = tuple[int, ...]


def as_sites(matrix: Tensor, out_axes: Axes, in_axes: Axes) -> Tensor:
    """The matrix (out, in) with one dimension a site, (m_1 n_1, ..., m_d n_d)."""
    d = len(out_axes)
    order = [axis for k in range(d) for axis in (k, d + k)]
    sites = [m * n for m, n in zip(out_axes, in_axes, strict=True)]
    return matrix.reshape(*out_axes, *in_axes).permute(order).reshape(sites)


def bond_spectra(matrix: Tensor, out_axes: Axes, in_axes: Axes) -> list[Tensor]:
    """Singular values across each of the d - 1 bonds: what must be kept, and what could be cut, at each."""
    sites = as_sites(matrix, out_axes, in_axes)
    return [torch.linalg.svdvals(sites.reshape(prod(sites.shape[:k]), -1)) for k in range(1, sites.dim())]


def tails(spectrum: Tensor) -> Tensor:
    """What is cut off if r values are kept, as a share of the whole's norm, for r = 0, 1, ..., all."""
    squares = spectrum.double().square().flip(0).cumsum(0).flip(0)
    whole = squares[0] if len(squares) and squares[0] > 0 else squares.new_ones(())
    return torch.cat([squares / whole, squares.new_zeros(1)]).sqrt()


def split(matrix: Tensor, out_axes: Axes, in_axes: Axes, bonds: Sequence[int]) -> list[Tensor]:
    """Cores (r_{k-1}, m_k, n_k, r_k) by one sweep of truncated singular value decompositions.

    A bond's cut takes no more than what its own spectrum has beyond the bond dimension, and the squared error of the
    whole is at most the sum of the squares of the cuts. Cores on both sides of a bond get the square root of its
    singular values, so that steps of one size suit all.

    Args:
        matrix: (out, in).
        bonds: r_1, ..., r_{d-1}; larger ones than the matrix has are cut to what it has.
    """
    rest, cores, left = as_sites(matrix, out_axes, in_axes), list[Tensor](), 1
    before = matrix.new_ones(1)
    for m, n, bond in zip(out_axes[:-1], in_axes[:-1], bonds, strict=True):
        u, s, v = torch.linalg.svd(rest.reshape(left * m * n, -1), full_matrices=False)
        kept = min(bond, len(s))
        after = _roots(s[:kept])
        cores.append(u[:, :kept].reshape(left, m, n, kept) * after / before[:, None, None, None])
        rest, left, before = s[:kept, None] * v[:kept], kept, after
    last = rest.reshape(left, out_axes[-1], in_axes[-1], 1)
    return [*cores, last / before[:, None, None, None]]


def _roots(spectrum: Tensor) -> Tensor:
    """Square roots to share out, away from zero as one side is divided by them."""
    largest = spectrum[0] if spectrum[0] > 0 else spectrum.new_ones(())
    return spectrum.clamp_min(1e-12 * largest).sqrt()


def join(cores: Sequence[Tensor]) -> Tensor:
    """The matrix (out, in) of cores."""
    whole = cores[0].squeeze(0)
    for core in cores[1:]:
        _, m, n, right = core.shape
        a, b, _ = whole.shape
        whole = torch.einsum("abr,rmnq->ambnq", whole, core).reshape(a * m, b * n, right)
    return whole.squeeze(-1)
