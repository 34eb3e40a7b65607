"""A sampler for Optuna: trials are proposed by a search over a quadratic surrogate of those that were measured.

Source: Rendle 2010 for the surrogate; Kitai et al. 2020, Physical Review Research 2, 013319, for its use in this way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np

from qloom.checks import generator, whole
from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.penalties import search
from qloom.combinatorial.problems.configuration import SettingChoice
from qloom.combinatorial.solvers.annealing import SimulatedAnnealing
from qloom.combinatorial.solvers.base import Solver
from qloom.combinatorial.surrogate import fit_factorization_machine
from qloom.errors import ProblemError
from qloom.extras import package

package("optuna", "QuadraticSurrogateSampler", "combinatorial")

from optuna.distributions import (  # noqa: E402
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler  # noqa: E402
from optuna.search_space import IntersectionSearchSpace  # noqa: E402
from optuna.study import Study, StudyDirection  # noqa: E402
from optuna.trial import FrozenTrial, TrialState  # noqa: E402


class QuadraticSurrogateSampler(BaseSampler):  # type: ignore[misc]
    """Random trials first, then choices of low predicted score that were not tried yet.

    Each proposal is of a factorization machine fitted to the trials with random weights (the Bayesian bootstrap), so
    that what is uncertain is tried as often as it may be best. Categorical values and the values of a grid (integers,
    floats with a step) are choices; where these are more than `n_bins`, and for floats without a step, the range is
    cut into as many bins, even in the logarithm if `log`, and the value is drawn from the bin.

    Args:
        n_startup_trials: random ones.
        n_bins: most choices of a setting of numbers.
        rank: of the factorization machine.
        solver: the search over the bits; None for `SimulatedAnnealing`.
        seed: of everything random; None for fresh entropy.

    Raises:
        ExtraError: where Optuna is not installed.
        ProblemError: for numbers below 1.

    Source: Rubin 1981, The Annals of Statistics 9, 130, for the bootstrap.
    """

    def __init__(
        self, n_startup_trials: int = 10, n_bins: int = 8, rank: int = 4, solver: Solver | None = None,
        seed: int | None = None,
    ):  # fmt: skip
        whole(1, n_startup_trials=n_startup_trials, n_bins=n_bins, rank=rank)
        if solver is not None and not isinstance(solver, Solver):
            raise ProblemError(f"solver={solver!r}, expected a Solver such as SimulatedAnnealing()")
        self.n_startup_trials, self.n_bins, self.rank = n_startup_trials, n_bins, rank
        self.solver = solver or SimulatedAnnealing(n_sweeps=100, n_restarts=8)
        self._random, self._independent = generator(seed), RandomSampler(seed=seed)
        self._space = IntersectionSearchSpace()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Settings that all trials so far had."""
        space = self._space.calculate(study)
        return {name: distribution for name, distribution in space.items() if not distribution.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values for these settings; none while there are few trials.

        Raises:
            ProblemError: for a study of several objectives.
        """
        if len(study.directions) > 1:
            raise ProblemError(f"the study has {len(study.directions)} objectives, expected one; use another sampler")
        known = [t for t in study.get_trials(deepcopy=False) if search_space.keys() <= t.params.keys()]
        trials = [t for t in known if t.state == TrialState.COMPLETE]
        if not search_space or len(trials) < self.n_startup_trials:
            return {}
        settings = {name: setting_of(distribution, self.n_bins) for name, distribution in search_space.items()}
        tried = {t.number: [settings[n].choice(t.params[n]) for n in settings] for t in known}
        choices = np.array([tried[t.number] for t in trials])
        sign = 1.0 if study.direction == StudyDirection.MINIMIZE else -1.0
        scores = sign * np.array([t.value for t in trials], float)
        proposal = self._propose(settings, choices, scores, {tuple(row) for row in tried.values()})
        return {n: s.value(int(k), self._random) for (n, s), k in zip(settings.items(), proposal, strict=True)}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """At random."""
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def reseed_rng(self) -> None:
        """Fresh entropy, for a copy that works beside this one."""
        self._random = np.random.default_rng()
        self._independent.reseed_rng()

    def _propose(
        self, settings: Mapping[str, Setting], choices: np.ndarray, scores: np.ndarray, tried: set[tuple[int, ...]]
    ) -> np.ndarray:
        """The choice of lowest predicted score that was not tried yet."""
        n_choices = np.array([setting.n_choices for setting in settings.values()])
        weights = self._random.exponential(size=len(scores))
        fitted = fit_factorization_machine(
            n_choices, choices, tempered(scores), self.rank, weights=weights, random=self._random
        )
        problem = fitted.problem()
        found = [problem.descended(solution) for solution in self._searched(problem)]
        near = [problem.neighbour(solution, self._random) for solution in found for _ in range(8)]
        for candidates in (found, near, [problem.random_solution(self._random) for _ in range(64)]):
            fresh = [solution for solution in candidates if tuple(solution.tolist()) not in tried]
            if fresh:
                return min(fresh, key=problem.objective)
        return found[0]

    def _searched(self, problem: SettingChoice) -> list[np.ndarray]:
        rounds = search(BinaryForm(problem.model), self.solver, self._random)
        return [problem.decode(row, self._random) for states in islice(rounds, 2) for row in states]


class Setting(ABC):
    """What a distribution offers, as choices from 0."""

    n_choices: int

    @abstractmethod
    def choice(self, value: Any) -> int:
        """The choice that a value belongs to."""

    @abstractmethod
    def value(self, choice: int, random: np.random.Generator) -> Any:
        """A value of a choice."""


class Category(Setting):
    """Values without order."""

    def __init__(self, distribution: CategoricalDistribution):
        self.distribution, self.n_choices = distribution, len(distribution.choices)

    def choice(self, value: Any) -> int:
        return int(self.distribution.to_internal_repr(value))

    def value(self, choice: int, random: np.random.Generator) -> Any:
        return self.distribution.choices[choice]


class Grid(Setting):
    """Numbers at equal steps; a choice is a bin of as many as lie between its edges, one where there are few."""

    def __init__(self, distribution: IntDistribution | FloatDistribution, step: float, n_bins: int):
        self.low, self.step = distribution.low, step
        self.whole = isinstance(distribution, IntDistribution)
        count = round((distribution.high - self.low) / step) + 1
        edges = (even_edges(distribution, n_bins) - self.low) / step if count > n_bins else np.arange(count + 1)
        # Bins even in the logarithm may hold no number.
        self.edges = np.unique([*np.ceil(edges[:-1]).astype(int), count])
        self.n_choices = len(self.edges) - 1

    def choice(self, value: Any) -> int:
        return int(np.searchsorted(self.edges, round((value - self.low) / self.step), side="right") - 1)

    def value(self, choice: int, random: np.random.Generator) -> Any:
        number = self.low + int(random.integers(*self.edges[choice : choice + 2])) * self.step
        return number if self.whole else float(number)


class Range(Setting):
    """Numbers without steps; a choice is a bin of them."""

    def __init__(self, distribution: FloatDistribution, n_bins: int):
        self.distribution, self.n_choices, self.edges = distribution, n_bins, even_edges(distribution, n_bins)

    def choice(self, value: Any) -> int:
        return int(np.clip(np.searchsorted(self.edges, value, side="right") - 1, 0, self.n_choices - 1))

    def value(self, choice: int, random: np.random.Generator) -> Any:
        ends = self.edges[choice : choice + 2]
        drawn = np.exp(random.uniform(*np.log(ends))) if self.distribution.log else random.uniform(*ends)
        return float(np.clip(drawn, self.distribution.low, self.distribution.high))


def even_edges(distribution: IntDistribution | FloatDistribution, n_bins: int) -> np.ndarray:
    """Of bins of equal width, in the logarithm if the distribution says so, (n_bins + 1,)."""
    spaced = np.geomspace if distribution.log else np.linspace
    return spaced(distribution.low, distribution.high, n_bins + 1)


def setting_of(distribution: BaseDistribution, n_bins: int) -> Setting:
    """The choices of a distribution.

    Raises:
        ProblemError: for a kind of distribution that is none of Optuna's three.
    """
    if isinstance(distribution, CategoricalDistribution):
        return Category(distribution)
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        raise ProblemError(f"{distribution!r}, expected a categorical, float or int distribution")
    if distribution.step is None:
        return Range(distribution, n_bins)
    return Grid(distribution, distribution.step, n_bins)


def tempered(scores: np.ndarray) -> np.ndarray:
    """Scores to be small, from 0 for the best, 1 for the median, to 3: how bad a bad one is does not matter."""
    known = scores[np.isfinite(scores)] / 4  # no difference is too large a number
    if not len(known):
        return np.zeros(len(scores))
    best, worst = float(known.min()), float(known.max())
    span = min(max(float(np.median(scores)) / 4, best), worst) - best
    return np.clip((scores / 4 - best) / (span or 1.0), 0, 3)
