"""QAOA on sparse functions of any width: a term is measured on the spins that its light cone holds, no others.

After p layers the mean of a term depends on the spins within distance p of its own, on couplings that have an end
nearer than that, and on the fields there. Terms with equal cones are one circuit: cones are numbered by colour
refinement, ties broken by giving one spin a colour of its own, and compared as the labelled graphs that come out. Equal
ones are isomorphic whatever the numbering; at worst isomorphic ones are worked on twice.

Source: Farhi, Goldstone, Gutmann 2014, arXiv 1411.4028, section IV; for the numbering McKay, Piperno 2014, Journal of
Symbolic Computation 60, 94.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from qloom.checks import whole
from qloom.combinatorial.qaoa import CircuitLandscape, Polynomial, qaoa_circuit
from qloom.combinatorial.qaoa.landscape import MOST_QUBITS, as_points
from qloom.combinatorial.quadratic import Quadratic
from qloom.errors import ProblemError

Term = tuple[int, ...]


@dataclass(frozen=True)
class Cone:
    """What the mean of a term depends on; the term's spins are the first.

    Attributes:
        n_roots: spins of the term, 1 or 2.
        fields: of all spins; 0 of the outermost, where they have no effect.
        couplings: first, second and value, in order.
    """

    n_roots: int
    fields: tuple[float, ...]
    couplings: tuple[tuple[int, int, float], ...]

    def landscape(self, n_layers: int, dtype: Any, threads: int | None) -> CircuitLandscape:
        """The term's mean as a function of the angles."""
        n = len(self.fields)
        fields: dict[Term, float] = {(i,): field for i, field in enumerate(self.fields) if field}
        cost = Polynomial(n, fields | {(i, j): value for i, j, value in self.couplings})
        term = Polynomial(n, {tuple(range(self.n_roots)): 1.0})
        return CircuitLandscape(qaoa_circuit(cost, n_layers), term, None, dtype, threads)


class LightCone:
    """The mean energy of QAOA's state as a function of its angles, exactly; with the transverse field as mixer.

    Args:
        function: of any number of variables.
        n_layers: p, at least 1.
        dtype: of the simulation, float64 or float32.
        threads: None for all processors; results do not depend on them.

    Attributes:
        terms: of the function of spins: single ones with fields, then pairs.
        values: of the terms, (T,).
        cones: different ones.
        cone_of: of each term, its number in `cones`, (T,).

    Raises:
        ProblemError: for a cone of more than 26 spins.

    Source: Farhi, Goldstone, Gutmann 2014, arXiv 1411.4028, section IV.
    """

    def __init__(
        self, function: Quadratic, n_layers: int, dtype: Any = np.float64, threads: int | None = None
    ):  # fmt: skip
        whole(1, n_layers=n_layers)
        spins = function.as_spins()
        singles = np.flatnonzero(spins.linear)
        pairs = zip(spins.first.tolist(), spins.second.tolist(), strict=True)
        self.terms: list[Term] = [*((int(i),) for i in singles), *pairs]
        self.values = np.concatenate([spins.linear[singles], spins.values])
        self.n_layers, self.constant = n_layers, spins.constant
        graph, known = _Graph(spins), dict[Cone, int]()
        self.cone_of = np.array([known.setdefault(graph.cone(t, n_layers), len(known)) for t in self.terms], int)
        self.cones = list(known)
        self._landscapes = [cone.landscape(n_layers, dtype, threads) for cone in self.cones]

    def __call__(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean energy and its gradient. Shapes: angles (B, 2 p), gammas before betas -> (B,), (B, 2 p)."""
        angles = as_points(angles, 2 * self.n_layers)
        shares = np.bincount(self.cone_of, self.values, len(self.cones))
        values, gradients = np.full(len(angles), self.constant), np.zeros_like(angles)
        for share, landscape in zip(shares, self._landscapes, strict=True):
            value, gradient = landscape(angles)
            values, gradients = values + share * value, gradients + share * gradient
        return values, gradients

    def means(self, angles: np.ndarray) -> np.ndarray:
        """Of all terms. Shapes: angles (2 p,) -> (T,)."""
        points = np.asarray(angles, np.float64)[None]
        return np.array([landscape(points)[0][0] for landscape in self._landscapes])[self.cone_of]


def light_cone_value(function: Quadratic, gammas: Any, betas: Any) -> tuple[float, np.ndarray]:
    """The mean energy of QAOA's state and its gradient, exactly, on any sparse function.

    Shapes: gammas, betas (p,) -> (), (2, p).

    Raises:
        ProblemError: for angles that do not fit, or a light cone of more than 26 spins.

    Source: Farhi, Goldstone, Gutmann 2014, arXiv 1411.4028, section IV.
    """
    gammas, betas = np.atleast_1d(np.asarray(gammas, float)), np.atleast_1d(np.asarray(betas, float))
    if gammas.shape != betas.shape or gammas.ndim != 1:
        raise ProblemError(f"gammas has shape {gammas.shape} and betas {betas.shape}, expected twice (p,)")
    values, gradients = LightCone(function, len(gammas))(np.concatenate([gammas, betas])[None])
    return float(values[0]), gradients[0].reshape(2, -1)


class _Graph:
    """Neighbours of each spin and their couplings."""

    def __init__(self, spins: Quadratic):
        starts, neighbours, values = (part.tolist() for part in spins.couplings)
        self.near = [dict(zip(neighbours[a:b], values[a:b], strict=True)) for a, b in pairwise(starts)]
        self.fields = spins.linear.tolist()

    def cone(self, term: Term, n_layers: int) -> Cone:
        """Of a term, numbered so that equal cones mostly come out equal."""
        distances = self._distances(term, n_layers)
        if len(distances) > MOST_QUBITS:
            raise ProblemError(
                f"the light cone of term {term} holds {len(distances)} spins at {n_layers} layers, expected at most "
                f"{MOST_QUBITS}; take fewer layers or a sparser function"
            )
        inner = {spin for spin, distance in distances.items() if distance < n_layers}
        rows = {
            i: {j: value for j, value in self.near[i].items() if j in distances and (i in inner or j in inner)}
            for i in distances
        }
        fields = {i: self.fields[i] if i in inner else 0.0 for i in distances}
        place = _numbered(rows, {i: (distance, fields[i]) for i, distance in distances.items()})
        pairs = ((place[i], place[j], value) for i, row in rows.items() for j, value in row.items())
        in_order = sorted(place, key=place.__getitem__)
        return Cone(len(term), tuple(fields[i] for i in in_order), tuple(sorted(p for p in pairs if p[0] < p[1])))

    def _distances(self, term: Term, most: int) -> dict[int, int]:
        """Of all spins so near, from the term's."""
        found, edge = dict.fromkeys(term, 0), list(term)
        for distance in range(1, most + 1):
            edge = [other for spin in edge for other in self.near[spin]]
            edge = [other for other in dict.fromkeys(edge) if other not in found]
            found.update(dict.fromkeys(edge, distance))
        return found


def _numbered(rows: dict[int, dict[int, float]], kinds: dict[int, Any]) -> dict[int, int]:
    """A number for each spin, in order of its kind first of all, that depends on little but the graph."""
    colours = _refined(rows, _ranked(kinds))
    while len(classes := Counter(colours.values())) < len(rows):
        tied = min(colour for colour, size in classes.items() if size > 1)
        chosen = next(i for i, colour in colours.items() if colour == tied)
        colours = _refined(rows, _ranked({i: (colour, i != chosen) for i, colour in colours.items()}))
    return colours


def _refined(rows: dict[int, dict[int, float]], colours: dict[int, int]) -> dict[int, int]:
    """Spins of one colour told apart by the colours they are coupled to, until that tells no more."""
    before = 0
    while before < (n_colours := len(set(colours.values()))) < len(rows):
        seen = {i: tuple(sorted((value, colours[j]) for j, value in row.items())) for i, row in rows.items()}
        colours, before = _ranked({i: (colours[i], seen[i]) for i in rows}), n_colours
    return colours


def _ranked(keys: dict[int, Any]) -> dict[int, int]:
    rank = {key: k for k, key in enumerate(sorted(set(keys.values())))}
    return {i: rank[key] for i, key in keys.items()}
