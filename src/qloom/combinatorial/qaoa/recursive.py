"""Recursive QAOA: the strongest correlation of a QAOA state becomes a rule, and one spin is gone; then again.

Source: Bravyi, Kliesch, Koenig, Tang 2020, Physical Review Letters 125, 260505.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qloom.checks import whole
from qloom.combinatorial.qaoa.cost import Polynomial, Term, as_polynomial, spins_of
from qloom.combinatorial.qaoa.solver import QAOA
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver
from qloom.engines import StatevectorEngine, expectation
from qloom.errors import ProblemError
from qloom.observables import pauli


@dataclass(frozen=True)
class Rule:
    """s_spin = sign, or sign * s_other."""

    spin: int
    sign: int
    other: int | None


class RecursiveQAOA(Solver):
    """A state a round: of spins and pairs of spins that are terms of the cost the one whose mean is farthest from 0
    is set to its sign, until so few spins are left that all their states are looked at. At most 26 variables.

    After the first round one of the three strongest is taken, by chance, so that other states come up.

    Args:
        qaoa: run on each cost, with the mixer "x". None for one layer from the ramp.
        n_left: spins to stop at, from 1 to 20.
        threads: None for all processors; results do not depend on them.

    Raises:
        ProblemError: for other numbers of spins to stop at, or a QAOA with another mixer.

    Source: Bravyi, Kliesch, Koenig, Tang 2020, Physical Review Letters 125, 260505.
    """

    takes = (Quadratic, Polynomial)

    def __init__(self, qaoa: QAOA | None = None, n_left: int = 8, threads: int | None = None):
        super().__init__(threads)
        self.qaoa = qaoa or QAOA(1, n_starts=2, threads=threads)
        whole(1, n_left=n_left)
        if n_left > 20:
            raise ProblemError(f"n_left={n_left}, expected from 1 to 20")
        if self.qaoa.mixer != "x":
            raise ProblemError(f"mixer={self.qaoa.mixer!r}, expected 'x', which fits any number of spins")
        self.n_left = n_left

    def rounds(
        self, spins: Quadratic | Polynomial, random: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:  # fmt: skip
        cost, choices = as_polynomial(spins), 1
        while True:
            state = self._state(cost, choices, random)[None]
            yield state, cost.energies(state)
            choices = 3

    def _state(self, cost: Polynomial, choices: int, random: np.random.Generator) -> np.ndarray:
        """One state, int8 (N,)."""
        rules: list[Rule] = []
        left = list(range(cost.n))
        while len(left) > self.n_left:
            small = cost.on(left)
            if not small.terms:
                break
            term, sign = self._strong(small, choices, random)
            spin, other = left[term[-1]], left[term[0]] if len(term) == 2 else None
            rules.append(Rule(spin, sign, other))
            cost = cost.substitute(spin, sign, other)
            left.remove(spin)
        state = np.ones(cost.n, np.int8)
        small = cost.on(left)
        if small.terms:
            state[left] = spins_of([small.diagonal().argmin()], len(left))[0]
        for rule in reversed(rules):
            state[rule.spin] = rule.sign * (1 if rule.other is None else state[rule.other])
        return state

    def _strong(self, cost: Polynomial, choices: int, random: np.random.Generator) -> tuple[Term, int]:
        """One of the terms of one or two spins whose means are farthest from 0, and its sign."""
        found = self.qaoa.optimize(cost, int(random.integers(2**63)))
        terms = [term for term in cost.terms if len(term) <= 2] or [(i,) for i in range(cost.n)]
        words = [pauli("Z" * len(term), term) for term in terms]
        engine = StatevectorEngine(self.threads)
        means = expectation(self.qaoa.circuit(cost), words, weights=found.angles, engine=engine)
        k = random.choice(np.argsort(-np.abs(means))[:choices])
        return terms[k], 1 if means[k] >= 0 else -1
