"""A sampler for Optuna: trials are proposed by a search over a quadratic surrogate of those that were measured.

Source: Rendle 2010 for the surrogate; Kitai et al. 2020, Physical Review Research 2, 013319, for its use in this way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.extras import package
from qloom.combinatorial.penalties import search
from qloom.combinatorial.problems.configuration import SettingChoice
from qloom.combinatorial.solvers.annealing import SimulatedAnnealing
from qloom.combinatorial.solvers.base import Solver
from qloom.combinatorial.surrogate import fit_factorization_machine
from qloom.errors import ProblemError

package("optuna", "QuadraticSurrogateSampler")

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
        if min(n_startup_trials, n_bins, rank) < 1:
            raise ProblemError(f"n_startup_trials, n_bins, rank={n_startup_trials, n_bins, rank}, expected at least 1")
        self.n_startup_trials, self.n_bins, self.rank = n_startup_trials, n_bins, rank
        self.solver = solver or SimulatedAnnealing(n_sweeps=100, n_restarts=8)
        self._random, self._independent = np.random.default_rng(seed), RandomSampler(seed=seed)
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


class Setting:
    """What a distribution offers, as choices from 0; values of a choice are drawn between its edges.

    Args:
        values: of the choices, or None.
        edges: of bins, (n + 1,), where there are no values.
        distribution: whose they are.
    """

    def __init__(self, distribution: Any, values: Sequence[Any] | None = None, edges: np.ndarray | None = None):
        self.distribution, self.values, self.edges = distribution, values, edges
        self.n_choices = len(values) if values is not None else len(edges) - 1 if edges is not None else 0

    def choice(self, value: Any) -> int:
        """The choice that a value belongs to."""
        if self.edges is not None:
            scaled = np.log(value) if self.distribution.log else value
            return int(np.clip(np.searchsorted(self.edges, scaled, side="right") - 1, 0, self.n_choices - 1))
        assert self.values is not None
        if isinstance(self.distribution, CategoricalDistribution):
            return int(self.distribution.to_internal_repr(value))
        return int(np.abs(np.array(self.values, float) - value).argmin())

    def value(self, choice: int, random: np.random.Generator) -> Any:
        """A value of a choice."""
        if self.values is not None:
            return self.values[choice]
        assert self.edges is not None
        drawn = random.uniform(*self.edges[choice : choice + 2])
        drawn, low, high = np.exp(drawn) if self.distribution.log else drawn, *self._ends()
        if self.distribution.step is not None:
            drawn = low + round((drawn - low) / self.distribution.step) * self.distribution.step
        drawn = float(np.clip(drawn, low, high))
        return round(drawn) if isinstance(self.distribution, IntDistribution) else drawn

    def _ends(self) -> tuple[float, float]:
        return self.distribution.low, self.distribution.high


def setting_of(distribution: BaseDistribution, n_bins: int) -> Setting:
    """The choices of a distribution.

    Raises:
        ProblemError: for a kind of distribution that is none of Optuna's three.
    """
    if isinstance(distribution, CategoricalDistribution):
        return Setting(distribution, distribution.choices)
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        raise ProblemError(f"{distribution!r}, expected a categorical, float or int distribution")
    low, high, step = distribution.low, distribution.high, distribution.step
    if step is not None and round((high - low) / step) + 1 <= n_bins:
        count = round((high - low) / step) + 1
        whole = isinstance(distribution, IntDistribution)
        return Setting(distribution, [low + k * step if whole else float(low + k * step) for k in range(count)])
    ends = np.log([low, high]) if distribution.log else np.array([low, high], float)
    return Setting(distribution, edges=np.linspace(ends[0], ends[1], n_bins + 1))


def tempered(scores: np.ndarray) -> np.ndarray:
    """Scores to be small, those much worse than the median brought nearer: how bad a bad one is does not matter."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return np.zeros(len(scores))
    best, middle = float(known.min()), min(float(np.median(scores)), float(known.max()))
    return np.clip(scores, best, middle + 2 * (middle - best))
