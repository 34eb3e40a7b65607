"""Ways to write one layer's matrix, each with the size it has at an error and the layer it becomes.

An error is the Frobenius norm of what the matrix loses, as a share of its norm. Sizes never grow with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.compression.axes import factorize
from qloom.compression.decomposition import Axes, bond_spectra, split, tails
from qloom.compression.layers import CompressedLinear
from qloom.compression.linear import matrix_of
from qloom.compression.low_rank import LowRankLinear
from qloom.compression.tensor_train import TensorTrainLinear

# Numbers of axes that are tried where none is asked for.
TRIED_AXES = (2, 3, 4)


class Candidate(ABC):
    """One way to write one layer's matrix."""

    def __init__(self, layer: Any):
        self.layer = layer

    @abstractmethod
    def n_weights(self, error: float) -> int:
        """Numbers that make up the matrix within an error, without the bias."""

    @abstractmethod
    def build(self, error: float) -> CompressedLinear:
        """The layer whose matrix is within an error, in the dtype, on the device and with the bias of the old one."""

    def _bond(self, cut: np.ndarray, error: float) -> int:
        """The least bond dimension, from 1, that leaves no more than an error; `cut` falls with it."""
        # What rounding leaves of a spectrum, in the layer's own precision and in that of the decomposition, is noise.
        noise = max(torch.finfo(self.layer.weight.dtype).eps, 4 * np.finfo(float).eps * len(cut) ** 0.5)
        fits = cut <= max(error, noise)
        return max(1, int(np.argmax(fits)))

    def _finish(self, made: CompressedLinear) -> CompressedLinear:
        made.requires_grad_(self.layer.weight.requires_grad)
        if self.layer.bias is not None:
            made.bias = self.layer.bias
        return made.train(self.layer.training)


class LowRankCandidate(Candidate):
    """Two factors by the singular value decomposition, the best there is of a rank (Eckart and Young 1936)."""

    def __init__(self, layer: Any):
        super().__init__(layer)
        self._cut = tails(torch.linalg.svdvals(matrix_of(layer).double())).cpu().numpy()

    def n_weights(self, error: float) -> int:
        return self._bond(self._cut, error) * sum(self.layer.weight.shape)

    def build(self, error: float) -> CompressedLinear:
        matrix, rank = matrix_of(self.layer), self._bond(self._cut, error)
        u, s, v = torch.linalg.svd(matrix.double(), full_matrices=False)
        root = s[:rank].sqrt()
        left, right = (factor.to(matrix.dtype) for factor in (u[:, :rank] * root, root[:, None] * v[:rank]))
        return self._finish(LowRankLinear(left, right, kind=type(self.layer)))


class TensorTrainCandidate(Candidate):
    """A tensor train of given axes; every bond has the same part of the error, error / sqrt(bonds)."""

    def __init__(self, layer: Any, out_axes: Axes, in_axes: Axes):
        super().__init__(layer)
        self.out_axes, self.in_axes = out_axes, in_axes
        self._cuts = [tails(spectrum).cpu().numpy() for spectrum in bond_spectra(self._matrix, out_axes, in_axes)]

    def bonds(self, error: float) -> list[int]:
        """Bond dimensions; none is above what the cores on its left can tell apart."""
        share, found = error / max(1, len(self._cuts)) ** 0.5, [1]
        for m, n, cut in zip(self.out_axes, self.in_axes, self._cuts, strict=False):
            found.append(min(self._bond(cut, share), found[-1] * m * n))
        return found[1:]

    def n_weights(self, error: float) -> int:
        bonds = [1, *self.bonds(error), 1]
        return sum(r * m * n * q for r, m, n, q in zip(bonds, self.out_axes, self.in_axes, bonds[1:], strict=False))

    def build(self, error: float) -> CompressedLinear:
        dtype = self.layer.weight.dtype
        cores = split(self._matrix, self.out_axes, self.in_axes, self.bonds(error))
        return self._finish(TensorTrainLinear([core.to(dtype) for core in cores], kind=type(self.layer)))

    @property
    def _matrix(self) -> Tensor:
        return matrix_of(self.layer).double()


def candidates(layer: Any, form: str, n_axes: int | None) -> list[Candidate]:
    """The ways to write a layer in a form; none where its widths have no such axes."""
    if form == "svd":
        return [LowRankCandidate(layer)]
    out_features, in_features = matrix_of(layer).shape
    counts = TRIED_AXES if n_axes is None else (n_axes,)
    axes = [(factorize(out_features, count), factorize(in_features, count)) for count in counts]
    # One of the two the other way round, so that small axes meet large ones and sites are alike in size.
    return [TensorTrainCandidate(layer, m, n[::-1]) for m, n in axes if m is not None and n is not None]
