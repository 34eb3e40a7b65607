"""Low-autocorrelation binary sequences: signs whose products with their own shifts nearly cancel."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import Any

import numpy as np

from qloom.checks import whole
from qloom.combinatorial.certificates import Certificate
from qloom.combinatorial.constraint_programming import cp_sat, solve_cp
from qloom.combinatorial.model import Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.autocorrelation_search import SequenceSearches
from qloom.combinatorial.problems.signs import SignProblem

# Of `improve`: runs side by side, and members of each.
RUNS, MEMBERS = 16, 30


@dataclass(frozen=True, eq=False)
class LowAutocorrelation(SignProblem):
    """A solution (N,) holds the signs s_i of the sequence, 0 for -1 and 1 for 1.

    The objective is its energy, the sum over k from 1 to N - 1 of C_k^2, C_k = sum_i s_i s_{i+k}. There is one problem
    for each N, so there is no file to read.

    Args:
        n: N, at least 2.

    Raises:
        ProblemError: for an n that is no integer from 2.

    Source: Packebusch, Mertens 2016, Journal of Physics A 49, 165001.
    """

    n: int

    def __post_init__(self) -> None:
        whole(2, n=self.n)

    @property
    def model_size(self) -> ModelSize:
        products = sum(comb(self.n - 2 * k + 1, 2) for k in range(1, self.n // 2 + 1))  # of two and of four signs
        return ModelSize(self.n, products, products)

    @cached_property
    def model(self) -> Model:
        """C_k^2 written out, each product of different spins once.

        s_i s_{i+k} meets s_{i+m} s_{i+m+k} in C_k, and the same four spins meet in C_m.
        """
        model = Model("min")
        s = model.spin("sign", self.n)
        model.add(self.n * (self.n - 1) / 2)
        i, k, m = np.indices((self.n,) * 3).reshape(3, -1)
        pairs = (k > 0) & (m == 0) & (i + 2 * k < self.n)
        fours = (k > 0) & (m > k) & (i + k + m < self.n)
        model.add(2, s[i[pairs]], s[(i + 2 * k)[pairs]])
        model.add(4, s[i[fours]], s[(i + k)[fours]], s[(i + m)[fours]], s[(i + k + m)[fours]])
        return model

    @property
    def lower_bound(self) -> int:
        """Of the energy, by parities; the optima of 3 to 7, 10, 11, 13, 14 and 18 signs meet it.

        C_k is odd where N - k is, so at least 1 squared. C_k + C_{N-k} is N mod 4, since all s_i s_{i+k} round a ring
        multiply to 1: if N is 2 mod 4, C_k and C_{N-k} are not both 0 for an even k, and one of them is at least 2.
        """
        return self.n // 2 + (self.n - 2 if self.n % 4 == 2 else 0)

    def autocorrelations(self, solution: np.ndarray) -> np.ndarray:
        """C_1 to C_{N-1}, int64 (N - 1,)."""
        spins = self.encode(solution)
        return np.correlate(spins, spins, "full")[self.n :]

    def objective(self, solution: np.ndarray) -> float:
        return float((self.autocorrelations(solution) ** 2).sum())

    def merit_factor(self, solution: np.ndarray) -> float:
        """N^2 / (2 E)."""
        return self.n**2 / (2 * self.objective(solution))

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """Memetic tabu searches from random sequences and the given one, until the time or Ctrl-C."""
        end = time.perf_counter() + seconds
        populations = random.choice([-1, 1], (RUNS, MEMBERS, self.n))
        populations[:, 0] = self.encode(solution)
        searches = SequenceSearches(populations, random)
        try:
            while time.perf_counter() < end and searches.lowest.min() > self.lower_bound:
                searches.step()
        except KeyboardInterrupt:
            pass
        best = self.decode(searches.best[searches.lowest.argmin()].astype(np.int64), random)
        return min(solution, best, key=self.objective)

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """By parities, or by CP-SAT, which proves optima of up to some twenty signs in a minute.

        How many signs differ from the one k later says what C_k is; C_k^2 is the cost of that number.
        """
        start, bound = time.perf_counter(), float(self.lower_bound)
        if hint is not None and self.objective(hint) <= bound:
            return Certificate(hint, bound, bound, "optimal", "parities", time.perf_counter() - start)
        cp = cp_sat("LowAutocorrelation.certify").CpModel()
        bits, squares = [cp.new_bool_var("") for _ in range(self.n)], []
        for k in range(1, self.n):
            differ = [cp.new_bool_var("") for _ in range(self.n - k)]
            for one, first, second in zip(differ, bits, bits[k:], strict=False):
                cp.add_bool_xor(first, second, ~one)
            counts = np.arange(self.n - k + 1)
            chosen = [cp.new_bool_var("") for _ in counts]
            cp.add_exactly_one(chosen)
            cp.add(sum(count * one for count, one in zip(counts, chosen, strict=True)) == sum(differ))
            squares += [(self.n - k - 2 * count) ** 2 * one for count, one in zip(counts, chosen, strict=True)]
        # The negative of a sequence is as good.
        cp.add(bits[0] == 1)
        cp.add(sum(squares) >= self.lower_bound)
        cp.minimize(sum(squares))
        if hint is not None:
            for bit, value in zip(bits, hint if hint[0] else 1 - hint, strict=True):
                cp.add_hint(bit, value)
        values, value, proven, status = solve_cp(cp, bits, time_limit)
        if hint is not None and (value is None or self.objective(hint) < value):
            values, value = hint, self.objective(hint)
        return Certificate(values, value, max(bound, proven), status, "CP-SAT", time.perf_counter() - start)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """Autocorrelations over their lags, and the signs of the sequence in a strip above."""
        lags = self.autocorrelations(solution)
        axes.bar(np.arange(1, self.n), lags, color="C0")
        axes.axhline(0, color="black", linewidth=0.8)
        reach = np.abs(lags).max()
        axes.set(
            xlabel="lag k", ylabel="autocorrelation $C_k$", xlim=(0, self.n), ylim=(-1.1 * reach, 1.1 * reach),
        )  # fmt: skip
        strip = axes.inset_axes((0, 1.04, 1, 0.1))
        strip.bar(np.arange(self.n), self.encode(solution), width=1, color=np.where(solution, "C1", "0.6"))
        strip.set(xlim=(-0.5, self.n - 0.5), xticks=(), yticks=(-1, 1), yticklabels=("-", "+"))
        strip.set_title(f"energy {self.objective(solution):g}, merit factor {self.merit_factor(solution):.3f}")

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        changes = np.flatnonzero(np.diff(solution)) + 1
        return {
            "signs": "".join("-+"[bit] for bit in solution),
            "lengths of runs": np.diff(np.concatenate([[0], changes, [self.n]])).tolist(),
            "autocorrelations": self.autocorrelations(solution).tolist(),
            "merit factor": self.merit_factor(solution),
        }
