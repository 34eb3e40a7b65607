"""Mixers: what a QAOA starts from, and what moves it from state to state between the layers of the cost.

Each is exp(i beta B), started from the state that B is highest on. With exp(-i gamma C) for a cost that is minimized,
both angles are positive where the schedule is one of annealing, and are those of papers that maximize -C by
exp(-i gamma (-C)) and exp(-i beta B): amplitudes are the conjugates of theirs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from operator import index
from typing import Any

import numpy as np

from qloom.checks import finite
from qloom.circuits import Circuit
from qloom.errors import ProblemError

Pair = tuple[int, int]


class Mixer(ABC):
    """A start, and a layer of parts that all turn by one angle or by one each."""

    @abstractmethod
    def n_parts(self, n: int) -> int:
        """Of a layer on n qubits."""

    @abstractmethod
    def start(self, circuit: Circuit) -> None:
        """Prepare the state that the first layer meets."""

    @abstractmethod
    def layer(self, circuit: Circuit, betas: Sequence[Any]) -> None:
        """Add a layer with an angle for each part."""


class TransverseField(Mixer):
    """B = sum_q X_q, started from all states alike.

    Source: Farhi, Goldstone, Gutmann 2014, arXiv 1411.4028.
    """

    def n_parts(self, n: int) -> int:
        return n

    def start(self, circuit: Circuit) -> None:
        for q in range(circuit.n_qubits):
            circuit.h(q)

    def layer(self, circuit: Circuit, betas: Sequence[Any]) -> None:
        for q, beta in enumerate(betas):
            circuit.rx(-2 * beta, q)


class XYRing(Mixer):
    """Of groups of binary variables each of which exactly one is 1: B exchanges neighbours on a ring through a group.

    exp(i beta (X_a X_b + Y_a Y_b) / 2) on every second pair of the ring, then on the others, then on the pair that
    closes an odd ring. Qubits of no group have the transverse field.

    Args:
        groups: of different qubits, one at least each.
        chances: of the variables of each group to be the 1 at the start, each group's of sum 1; None for all alike.

    Raises:
        ProblemError: for groups that are none, or chances that do not fit.

    Source: Wang, Rubin, Dominy, Rieffel 2020, Physical Review A 101, 012320 (the parity ring mixer).
    """

    def __init__(self, groups: Sequence[Sequence[int]], chances: Sequence[Sequence[float]] | None = None):
        try:
            self.groups = [tuple(map(index, group)) for group in groups]
        except TypeError:
            raise ProblemError(f"groups={groups!r}, expected lists of qubits") from None
        given = [np.full(len(group), 1 / len(group)) for group in groups if len(group)] if chances is None else chances
        self.chances = [finite("chances", one) for one in given]
        held = [q for group in self.groups for q in group]
        if not all(self.groups) or len(set(held)) != len(held) or min(held, default=0) < 0:
            raise ProblemError(f"groups={groups}, expected different qubits from 0, at least one a group")
        if [len(one) for one in self.chances] != [len(group) for group in self.groups]:
            raise ProblemError(f"chances={chances}, expected one for each qubit of groups of {self._sizes()}")
        if not all((one >= 0).all() and np.isclose(one.sum(), 1) for one in self.chances):
            raise ProblemError(f"chances={chances}, expected numbers from 0 that add up to 1 in each group")

    def _sizes(self) -> list[int]:
        return [len(group) for group in self.groups]

    def n_parts(self, n: int) -> int:
        return sum(len(_ring(group)) for group in self.groups) + len(self._free(n))

    def start(self, circuit: Circuit) -> None:
        for q in self._free(circuit.n_qubits):
            circuit.h(q)
        for group, chances in zip(self.groups, self.chances, strict=True):
            for q in group[1:]:
                circuit.x(q)
            # The bit 0, which is the variable that is 1, is handed on; each qubit keeps its chance.
            left = np.append(np.cumsum(chances[::-1])[::-1], 0.0)
            for k, pair in enumerate(pairwise(group)):
                circuit.givens(2 * float(np.arctan2(np.sqrt(left[k + 1]), np.sqrt(chances[k]))), *pair)

    def layer(self, circuit: Circuit, betas: Sequence[Any]) -> None:
        angles = iter(betas)
        for group in self.groups:
            for pair in _ring(group):
                circuit.xy(2 * next(angles), *pair)
        for q in self._free(circuit.n_qubits):
            circuit.rx(-2 * next(angles), q)

    def _free(self, n: int) -> list[int]:
        held = {q for group in self.groups for q in group}
        if held and max(held) >= n:
            raise ProblemError(f"groups hold qubit {max(held)}, expected qubits from 0 to {n - 1} as the cost has")
        return [q for q in range(n) if q not in held]


class WarmStart(Mixer):
    """Started near a relaxed solution: B = sum_q (sin t_q X_q + cos t_q Z_q), with chance cos^2(t_q / 2) of x_q = 1.

    Args:
        relaxed: the value of each variable, from 0 to 1, as `relax` finds it.
        margin: values are kept this far from 0 and 1, where a variable could not move; 0.5 is the transverse field.

    Raises:
        ProblemError: for values outside 0 to 1, or a margin outside 0 to 0.5.

    Source: Egger, Marecek, Woerner 2021, Quantum 5, 479.
    """

    def __init__(self, relaxed: Any, margin: float = 0.25):
        relaxed = finite("relaxed", relaxed)
        if relaxed.ndim != 1 or not ((relaxed >= 0) & (relaxed <= 1)).all() or not 0 <= margin <= 0.5:
            raise ProblemError(f"relaxed={relaxed}, margin={margin}, expected numbers from 0 to 1, a margin to 0.5")
        self.chances = np.clip(relaxed, margin, 1 - margin)
        self._angles = (2 * np.arccos(np.sqrt(self.chances))).tolist()

    def n_parts(self, n: int) -> int:
        if n != len(self._angles):
            raise ProblemError(f"warm start of {len(self._angles)} variables, expected {n} as the cost has")
        return n

    def start(self, circuit: Circuit) -> None:
        for q, angle in enumerate(self._angles):
            circuit.ry(angle, q)

    def layer(self, circuit: Circuit, betas: Sequence[Any]) -> None:
        for q, (angle, beta) in enumerate(zip(self._angles, betas, strict=True)):
            circuit.ry(-angle, q).rz(-2 * beta, q).ry(angle, q)


def _ring(group: tuple[int, ...]) -> list[Pair]:
    """Pairs of neighbours: even ones, odd ones, the last of an odd ring."""
    pairs = list(zip(group, group[1:] + group[:1], strict=True)) if len(group) > 2 else [group] * (len(group) == 2)
    closing = pairs[len(pairs) // 2 * 2 :] if len(pairs) > 1 else []
    even = pairs[: len(pairs) - len(closing)]
    return [*even[::2], *even[1::2], *closing]  # type: ignore[list-item]
