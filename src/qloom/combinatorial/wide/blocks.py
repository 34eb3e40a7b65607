"""Decomposition: a search of many variables by searches of few that hang together, the others held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from qloom.checks import whole
from qloom.combinatorial.qaoa import QAOA, Polynomial
from qloom.combinatorial.qaoa.cost import spins_of
from qloom.combinatorial.qaoa.landscape import MOST_QUBITS, check_width
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver, random_states
from qloom.errors import ProblemError

# Energies of one level differ by this share of the largest, at most.
ROUNDING = 1e-13
# Of the best state, thrown anew where no block made it better: a share drawn up to this.
MOST_THROWN = 0.2


class Enumeration(Solver):
    """Each round one of the lowest states of all, by looking at every one. At most 26 variables.

    Args:
        threads: None for all processors; results do not depend on them.
    """

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        check_width(spins.n)
        energies = replace(Polynomial.from_quadratic(spins), constant=0.0).diagonal()
        lowest = np.flatnonzero(energies <= energies.min() + ROUNDING * np.abs(energies).max())
        while True:
            state = spins_of(random.choice(lowest, 1), spins.n)
            yield state, spins.energies(state)


class BlockSearch(Solver):
    """One state, block after block of it searched by another solver and taken unless it is worse.

    Blocks begin where none was lately, unless they are random. Where as many blocks as could hold all variables made
    the state no better, a part of the best state so far is thrown anew, brought down by single flips, and the search
    goes on from there.

    Args:
        inner: solver of blocks; None for QAOA of two layers at the angles of trees, 128 states measured.
        block_size: variables, from 1 to 26.
        grow: how a block hangs together: "couplings", from one variable on to those it is most strongly coupled to,
            with chances in proportion; "impact", the variables whose flips cost least, with a random tilt; "random".
        n_rounds: of the inner solver a block.
        threads: None for all processors; results do not depend on them.

    Raises:
        ProblemError: for blocks of more than 26 variables, another `grow`, or what is no solver.
    """

    def __init__(
        self, inner: Solver | None = None, block_size: int = 12, grow: str = "couplings", n_rounds: int = 1,
        threads: int | None = None,
    ):  # fmt: skip
        super().__init__(threads)
        whole(1, block_size=block_size, n_rounds=n_rounds)
        if block_size > MOST_QUBITS:
            raise ProblemError(f"block_size={block_size}, expected at most {MOST_QUBITS}")
        if inner is not None and not isinstance(inner, Solver):
            raise ProblemError(f"inner={inner!r}, expected a Solver such as QAOA(2)")
        if grow not in GROWTHS:
            raise ProblemError(f"grow={grow!r}, expected one of {', '.join(GROWTHS)}")
        self.inner = inner or QAOA(
            2, start="tree", shots=128, n_starts=1, n_steps=0, dtype=np.float32, threads=threads
        )  # fmt: skip
        self.block_size, self.grow, self.n_rounds = block_size, grow, n_rounds

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        size = min(self.block_size, spins.n)
        patience = -(-spins.n // size)
        state = HeldState(spins, self._down(spins, random_states(1, spins.n, random)))
        best, lowest = state.spins.copy(), state.energy
        turn, last = 0, np.full(spins.n, -patience)
        while True:
            idle = 0
            while idle < patience:
                before, turn = state.energy, turn + 1
                block = GROWTHS[self.grow](state, size, last < turn - patience // 2, random)
                last[block] = turn
                self._improve(state, block, random)
                idle = 0 if state.energy < before - 1e-9 * (1 + abs(before)) else idle + 1
                yield state.spins[None].copy(), np.array([state.energy])
            if state.energy <= lowest:
                best, lowest = state.spins.copy(), state.energy
            thrown = random.random(spins.n) < random.uniform(0, MOST_THROWN)
            begin = np.where(thrown, random_states(1, spins.n, random), best)
            state = HeldState(spins, self._down(spins, begin))

    def _down(self, spins: Quadratic, states: np.ndarray) -> np.ndarray:
        self._descend(spins, states)
        return states[0]

    def _improve(self, state: HeldState, block: np.ndarray, random: np.random.Generator) -> None:
        """The best of the inner solver's states in the block's place, unless the one that is there is better."""
        function = state.function(block)
        stream = self.inner.rounds(function, random)
        found = [next(stream) for _ in range(self.n_rounds)]
        states, energies = (np.concatenate(part) for part in zip(*found, strict=True))
        if energies.min() <= function.energies(state.spins[block]):
            state.put(block, states[energies.argmin()])


class HeldState:
    """A state with its energy and what each spin feels of the others, kept up to date."""

    def __init__(self, function: Quadratic, spins: np.ndarray):
        self.couplings = function.couplings
        self.spins = spins.copy()
        starts, neighbours, values = self.couplings
        rows = np.repeat(np.arange(function.n), np.diff(starts))
        self.fields = function.linear + np.bincount(rows, values * spins[neighbours], function.n)
        self.energy = float(function.energies(spins))

    def row(self, spin: int) -> tuple[np.ndarray, np.ndarray]:
        """The spins that one is coupled to, and the values."""
        part = slice(*self.couplings.starts[spin : spin + 2])
        return self.couplings.neighbours[part], self.couplings.values[part]

    def function(self, block: np.ndarray) -> Quadratic:
        """Of the block's spins, the others held; a constant is missing."""
        place, rows = np.full(len(self.spins), -1), [self.row(spin) for spin in block]
        place[block] = np.arange(len(block))
        first = np.repeat(place[block], [len(others) for others, _ in rows])
        second, values = place[np.concatenate([o for o, _ in rows])], np.concatenate([v for _, v in rows])
        inside = second >= 0
        first, second, values = first[inside], second[inside], values[inside]
        linear = self.fields[block] - np.bincount(first, values * self.spins[block][second], len(block))
        once = first < second
        return Quadratic.from_pairs("spin", first[once], second[once], values[once], linear)

    def put(self, block: np.ndarray, spins: np.ndarray) -> None:
        """Other spins in the block's place."""
        for spin in block[self.spins[block] != spins]:
            others, values = self.row(spin)
            self.energy -= 2 * float(self.spins[spin] * self.fields[spin])
            self.spins[spin] *= -1
            self.fields[others] += 2 * values * self.spins[spin]


# A state, so many spins, which of all may come first, (N,) -> indices of a block.
Growth = Callable[[HeldState, int, np.ndarray, np.random.Generator], np.ndarray]


def _by_couplings(state: HeldState, size: int, free: np.ndarray, random: np.random.Generator) -> np.ndarray:
    block, outside = [_chosen(free.astype(float), random)], np.ones(len(free))
    pull = np.zeros(len(free))
    for _ in range(size - 1):
        others, values = state.row(block[-1])
        pull[others] += np.abs(values)
        outside[block[-1]] = 0
        pull *= outside
        # Of a part that hangs together nothing may be left.
        block.append(_chosen(pull if pull.any() else outside, random))
    return np.array(block)


def _by_impact(state: HeldState, size: int, free: np.ndarray, random: np.random.Generator) -> np.ndarray:
    costs = -2 * state.spins * state.fields
    tilted = costs + random.standard_exponential(len(costs)) * np.abs(costs).mean()
    return np.lexsort((tilted, ~free))[:size]


def _at_random(state: HeldState, size: int, free: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return random.choice(len(free), size, replace=False)


def _chosen(weights: np.ndarray, random: np.random.Generator) -> int:
    """An index, with chances in proportion to weights that are not all 0: the first of exponential clocks to ring."""
    return int((weights / random.standard_exponential(len(weights))).argmax())


GROWTHS: dict[str, Growth] = {"couplings": _by_couplings, "impact": _by_impact, "random": _at_random}
