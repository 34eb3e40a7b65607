"""QAOA of max-cut on the infinite tree whose nodes have D neighbours each: what every edge of a graph without short
cycles gets, and angles that suit all regular graphs.

The cost counts the edges cut, angles are those of `qaoa_circuit` for the cost `MaxCut.quadratic` with weights 1.

A branch is known by H, a function of its root's bits before each of the p layers on the way there and back. H of a leaf
is 1; a root with D - 1 branches below has H' = (K (f H))^(D - 1), f the amplitudes of the mixers' flips and K a
convolution with the cosine of the edge's phase, which a Walsh-Hadamard transform makes a product. After p steps a sum
over the bits of an edge's two ends, with the sine, is <Z Z>. Derivatives go back the same way.

Source: Basso, Farhi, Marwaha, Villalonga, Zhou 2021, arXiv 2110.14206. Bits before the last mixer are
summed over beforehand.
"""

from __future__ import annotations

from functools import lru_cache, reduce

import numpy as np

from qloom.checks import finite, whole
from qloom.combinatorial.qaoa.angles import interpolated
from qloom.combinatorial.qaoa.descent import Descents
from qloom.combinatorial.qaoa.transform import walsh_hadamard
from qloom.engines.batch import check_memory


@lru_cache(maxsize=64)
def tree_angles(degree: int, n_layers: int) -> np.ndarray:
    """The best angles on the tree, followed up from one layer less. (2, p), not to be written to

    Args:
        degree: D, at least 2.
        n_layers: p, at least 1.

    Source: Basso, Farhi, Marwaha, Villalonga, Zhou 2021, arXiv 2110.14206.
    """
    whole(1, n_layers=n_layers)
    if n_layers == 1:
        start = np.array([[np.arctan(1 / np.sqrt(degree - 1))], [np.pi / 8]])
    else:
        start = interpolated(tree_angles(degree, n_layers - 1))
    tree = Tree(degree, n_layers)

    def uncut(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cuts = [tree.cut(point.reshape(2, -1)) for point in points]
        return np.array([-value for value, _ in cuts]), np.array([-gradient.ravel() for _, gradient in cuts])

    descents = Descents(uncut, start.reshape(1, -1))
    descents.run(200)
    angles = descents.points.reshape(2, -1)
    angles.setflags(write=False)
    return angles


class Tree:
    """The share of edges in the cut, as a function of the angles.

    Args:
        degree: D, at least 2.
        n_layers: p, at least 1; memory and time grow as p 4^p.

    Source: Basso, Farhi, Marwaha, Villalonga, Zhou 2021, arXiv 2110.14206.
    """

    def __init__(self, degree: int, n_layers: int):
        whole(2, degree=degree)
        whole(1, n_layers=n_layers)
        check_memory(64 * n_layers * 4**n_layers, f"a tree of {n_layers} layers")
        self.degree, self.n_layers, width = degree, n_layers, 2 * n_layers
        # Bits before layers 1 to p on the way there, then before layers p to 1 on the way back.
        bits = np.arange(2**width)[:, None] >> np.arange(width - 1, -1, -1) & 1
        there = bits[:, : n_layers - 1] ^ bits[:, 1:n_layers]
        back = bits[:, :n_layers:-1] ^ bits[:, -2 : n_layers - 1 : -1]
        self._flips = (there + back).T
        self._phases = 0.5 * 1j ** ((there.sum(axis=1) - back.sum(axis=1)) % 4)
        self._turned = bits[:, n_layers - 1] ^ bits[:, n_layers]
        self._still = 1 - self._turned
        self._root = 1 - 2 * bits[:, n_layers - 1]

    def cut(self, angles: np.ndarray) -> tuple[float, np.ndarray]:
        """The share and its gradient. Shapes: angles (2, p) -> (), (2, p)."""
        gammas, betas = finite("angles", angles)
        phases = np.concatenate([gammas, -gammas[::-1]]) / 2
        # The transform of exp(i phase) over the bits in which two neighbours differ.
        spectrum = reduce(np.kron, np.stack([2 * np.cos(phases), 2j * np.sin(phases)], axis=1))
        flips, d_flips = self._mixers(betas[:-1])
        ends, d_ends = self._ends(betas[-1])
        closed, opened = flips * self._still, flips * ends

        branches, inner, transforms = [np.ones(len(flips), complex)], [], []
        for _ in betas:
            transforms.append(walsh_hadamard(closed * branches[-1]))
            inner.append(self._back(spectrum.real * transforms[-1]))
            branches.append(inner[-1] ** (self.degree - 1))
        edge = walsh_hadamard(opened * branches[-1])
        seen = self._back(spectrum.imag * edge)
        value = opened * branches[-1] @ seen

        d_sine, d_cosine = edge**2 / len(edge), np.zeros_like(edge)
        d_opened, d_closed, d_branch = 2 * seen * branches[-1], np.zeros_like(edge), 2 * seen * opened
        for branch, one, transform in zip(branches[-2::-1], inner[::-1], transforms[::-1], strict=True):
            slope = walsh_hadamard(d_branch * (self.degree - 1) * one ** (self.degree - 2))
            d_cosine += transform * slope / len(edge)
            below = self._back(spectrum.real * slope)
            d_closed += below * branch
            d_branch = below * closed
        d_flip = d_opened * ends + d_closed * self._still
        d_betas = [d_flip @ one for one in d_flips] + [d_opened * flips @ d_ends]
        d_phases = self._by_phases(spectrum, d_cosine, d_sine)
        d_gammas = (d_phases[: self.n_layers] - d_phases[: self.n_layers - 1 : -1]) / 2
        return 0.5 + float((0.5j * value).real), np.array([(0.5j * d_gammas).real, (0.5j * np.array(d_betas)).real])

    def _mixers(self, betas: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Amplitudes of the flips in all mixers but the last, and their derivatives by each beta."""
        c, s = np.cos(betas), np.sin(betas)
        tables = np.stack([c * c, s * c, s * s], axis=1)
        slopes = np.stack([-2 * s * c, c * c - s * s, 2 * s * c], axis=1)
        factors = [table[flips] for table, flips in zip(tables, self._flips, strict=True)]
        derivatives = []
        for k, (slope, flips) in enumerate(zip(slopes, self._flips, strict=True)):
            derivatives.append(np.prod([slope[flips], *factors[:k], *factors[k + 1 :]], axis=0) * self._phases)
        return np.prod([self._phases, *factors], axis=0), derivatives

    def _ends(self, beta: float) -> tuple[np.ndarray, np.ndarray]:
        """Z between the last mixer and its inverse, and its derivative."""
        table = np.array([np.cos(2 * beta), -1j * np.sin(2 * beta)])
        slope = np.array([-2 * np.sin(2 * beta), -2j * np.cos(2 * beta)])
        return self._root * table[self._turned], self._root * slope[self._turned]

    def _back(self, transform: np.ndarray) -> np.ndarray:
        return walsh_hadamard(transform) / len(transform)

    def _by_phases(self, spectrum: np.ndarray, d_cosine: np.ndarray, d_sine: np.ndarray) -> np.ndarray:
        """Derivatives by each phase: a factor i s_k under the transform, which moves the spectrum by bit k."""
        places, n_bits = np.arange(len(spectrum)), 2 * self.n_layers
        moved = (spectrum[places ^ 1 << (n_bits - 1 - k)] for k in range(n_bits))
        return np.array([d_sine @ one.real - d_cosine @ one.imag for one in moved])
