"""Cost functions of spins with terms of any order: what a QAOA circuit turns by and measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from qloom.checks import finite, is_integer, whole
from qloom.combinatorial.qaoa.transform import walsh_hadamard
from qloom.combinatorial.quadratic import VALUES, Kind, Quadratic
from qloom.errors import ProblemError
from qloom.observables import PauliSum

Term = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Polynomial:
    """constant + sum over terms of value * product of the term's spins. Searches by circuits take it as they do a
    `Quadratic` of spins.

    On qubits, spin i is the eigenvalue of Z(i): 1 for the bit 0, -1 for the bit 1. Binary variables are
    x = (s + 1) / 2 as in `Quadratic.as_spins`, so the bit 0 is x = 1. Basis state k stands for the bits of k, spin 0
    the leftmost.

    Attributes:
        n: N spins.
        terms: different indices in rising order -> value, none 0.
        constant: a number.
    """

    n: int
    terms: Mapping[Term, float]
    constant: float = 0.0

    kind = "spin"

    @classmethod
    def from_terms(cls, n: int, terms: Mapping[Term, float], kind: Kind = "spin") -> Polynomial:
        """From indices, in any order, -> values; () is the constant, a repeated index counts by s s = 1 or x x = x.

        Args:
            n: N.
            terms: indices -> value.
            kind: of the variables, "spin" or "binary".

        Raises:
            ProblemError: for indices out of range, values that are not finite, or an unknown kind.
        """
        if kind not in VALUES:
            raise ProblemError(f"kind={kind!r}, expected 'binary' or 'spin'")
        total: dict[Term, float] = {}
        whole(0, n=n)
        for term, value in terms.items():
            finite(f"the value of term {term}", value)
            if not (isinstance(term, tuple) and all(is_integer(i) and 0 <= i < n for i in term)):
                raise ProblemError(f"term {term}: {value}, expected a tuple of indices from 0 to {n - 1}")
            for spins, share in _as_spins(term, kind):
                total[spins] = total.get(spins, 0.0) + share * float(value)
        constant = total.pop((), 0.0)
        return cls(n, {term: value for term, value in sorted(total.items()) if value}, constant)

    @classmethod
    def from_quadratic(cls, function: Quadratic) -> Polynomial:
        """The same function; of binary variables, as spins."""
        spins = function.as_spins()
        terms: dict[Term, float] = {(int(i),): float(spins.linear[i]) for i in np.flatnonzero(spins.linear)}
        pairs = zip(spins.first.tolist(), spins.second.tolist(), spins.values.tolist(), strict=True)
        return cls(spins.n, terms | {(i, j): value for i, j, value in pairs}, spins.constant)

    def as_spins(self) -> Polynomial:
        """Itself."""
        return self

    @cached_property
    def orders(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The terms by their number of spins k: indices (T, k) and values (T,)."""
        sizes = sorted({len(term) for term in self.terms})
        chosen = [{term: value for term, value in self.terms.items() if len(term) == size} for size in sizes]
        return [(np.array(list(one)), np.array(list(one.values()))) for one in chosen]

    def energies(self, states: Any) -> np.ndarray:
        """Values of the function. Shapes: states (B, N) or (N,), of -1 and 1 -> (B,) or ().

        Raises:
            ProblemError: for states of another shape or with other numbers.
        """
        states = np.asarray(states)
        if states.shape[-1:] != (self.n,) or states.ndim > 2 or not np.isin(states, (-1, 1)).all():
            raise ProblemError(f"states has shape {states.shape}, expected (B, {self.n}) or ({self.n},) of -1 and 1")
        x = states.astype(np.float64)
        sums = [np.prod(x[..., indices], axis=-1) @ values for indices, values in self.orders]
        return np.asarray(sum(sums, np.full(x.shape[:-1], self.constant)))

    def diagonal(self) -> np.ndarray:
        """The energies of all basis states, float64 (2^N,)."""
        out = np.zeros(2**self.n)
        out[0] = self.constant
        for indices, values in self.orders:
            out[(1 << (self.n - 1 - indices)).sum(axis=1)] = values
        return walsh_hadamard(out)

    def observable(self) -> PauliSum:
        """The same as a sum of words of Z."""
        words: dict[tuple[int, int], complex] = {
            (0, sum(1 << i for i in term)): value for term, value in self.terms.items()
        }
        return PauliSum({(0, 0): self.constant} | words)

    def substitute(self, spin: int, sign: int, other: int | None = None) -> Polynomial:
        """With s_spin = sign, or sign * s_other; the spin stays, without any term.

        Raises:
            ProblemError: for another sign than -1 and 1.
        """
        if sign not in (-1, 1):
            raise ProblemError(f"sign={sign}, expected -1 or 1")
        terms: dict[Term, float] = {(): self.constant}
        for term, value in self.terms.items():
            if spin in term:
                term = (*(i for i in term if i != spin), *(() if other is None else (other,)))
                value *= sign
            reduced = _reduced(term)
            terms[reduced] = terms.get(reduced, 0.0) + value
        return Polynomial.from_terms(self.n, terms)

    def on(self, spins: Iterable[int]) -> Polynomial:
        """The function of some spins alone, numbered in the order given; they must be all that terms hold.

        Raises:
            ProblemError: where terms hold other spins too.
        """
        place = {spin: k for k, spin in enumerate(spins)}
        if held := {i for term in self.terms for i in term} - place.keys():
            raise ProblemError(f"terms hold spins {sorted(held)} too, expected only those given")
        terms = {tuple(place[i] for i in term): value for term, value in self.terms.items()}
        return Polynomial.from_terms(len(place), terms | {(): self.constant})


def as_polynomial(function: Quadratic | Polynomial) -> Polynomial:
    """What solvers are given, as a polynomial."""
    return function if isinstance(function, Polynomial) else Polynomial.from_quadratic(function)


def spins_of(indices: Any, n: int) -> np.ndarray:
    """The states of basis indices (R,): int8 (R, N) of -1 and 1."""
    bits = np.asarray(indices)[:, None] >> np.arange(n - 1, -1, -1) & 1
    return (1 - 2 * bits).astype(np.int8)


def _as_spins(term: Term, kind: Kind) -> Iterable[tuple[Term, float]]:
    if kind == "spin":
        return [(_reduced(term), 1.0)]
    bits = sorted(set(map(int, term)))
    subsets = (subset for size in range(len(bits) + 1) for subset in combinations(bits, size))
    return [(subset, 0.5 ** len(bits)) for subset in subsets]


def _reduced(term: Term) -> Term:
    """Without indices that come an even number of times, in order."""
    return tuple(sorted(int(i) for i in set(term) if term.count(i) % 2))
