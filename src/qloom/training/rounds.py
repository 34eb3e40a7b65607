"""The rounds of a run: in each the rows are cut anew and every model is trained once, with a seed of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qloom.data import Split
from qloom.errors import ConfigError
from qloom.training.configuration import MOST_ROUNDS, ComparisonSection, Configuration
from qloom.training.table import RunTable, cut

# By default. With 10 rounds the interval is a third wider than rounds without end would make it, with 5 it is twice as
# wide and its width scatters by a third. The scores of large tables scatter less, and their trainings take longer.
ROUNDS, ROUNDS_OF_LARGE, DEFAULT_SECONDS = 10, 5, 600.0
# Rows of a table that is large: it begins with one round, which says how long it takes, as runs do whose circuits are
# measured. Networks of up to `GROUP` rounds are trained together.
LARGE, GROUP = 20_000, 5
KEPT = 1
"""The round whose networks are saved and whose predictions are recorded."""


@dataclass(frozen=True)
class Round:
    """One training of every model.

    Attributes:
        number: from 1.
        seed: of the split, of weights, order of rows and dropout.
    """

    number: int
    seed: int
    split: Split


def seed_of(seed: int, number: int) -> int:
    """The seed of a round: that of the run for the first, for others one that no neighbouring run has.

    Runs with seeds 0 and 1 share no round, as they would if a round added its number.
    """
    if number == 1:
        return seed
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def seed_of_dealing(seed: int, repeat: int) -> int:
    """The seed of the folds of a repetition, from 0."""
    return int(np.random.SeedSequence([seed, 0, repeat]).generate_state(1)[0])


class Plan:
    """How many rounds a run has, and how each cuts the rows.

    Rows that are split at random are split anew in every round, or dealt into folds. Rows in order of time have
    rolling origins (Tashman 2000, International Journal of Forecasting 16, 437): the last rows, as many as the test
    share says, are cut into one block a round, each predicted from the rows before it; round 1 has the latest.

    Attributes:
        kind: "random splits", "folds", "rolling origins", or "one split".
        wanted: rounds if time does not run out.
        limit: seconds after which no further round begins.

    Raises:
        ConfigError: for seeds and folds together, repeats without folds, or more rounds than rows allow.
    """

    def __init__(self, configuration: Configuration, loaded: RunTable):
        self.configuration, self.loaded = configuration, loaded
        section = configuration.comparison
        self.wanted = _wanted(section, loaded.n_rows if configuration.finetune is None else LARGE + 1)
        self.limit = section.time_limit or DEFAULT_SECONDS
        in_time, is_streamed = loaded.split.kind == "time", loaded.streamed is not None
        if in_time and is_streamed:
            self.wanted = 1
        self._at_once = 1 if is_streamed or configuration.finetune is not None else GROUP
        if in_time and section.repeats > 1:
            raise ConfigError(
                f"comparison.repeats={section.repeats} deals rows at random, got rows in order of time; "
                "leave it out or set split.kind=random"
            )
        if in_time and not is_streamed and section.seeds is None and section.folds is None:
            self.wanted = _n_blocks(len(loaded.split.test), section.fewest_test_rows)
        self.kind = "rolling origins" if in_time else "folds" if section.folds else "random splits"
        if self.wanted == 1:
            self.kind = "one split"
        self._dealt = lru_cache(maxsize=1)(self._deal)
        self._blocks = _rolling(loaded, configuration, self.wanted) if in_time and self.wanted > 1 else []

    @property
    def is_open(self) -> bool:
        """Whether only the time says how many rounds there are."""
        section = self.configuration.comparison
        return section.seeds is None and section.folds is None and section.time_limit is not None

    def round(self, number: int) -> Round:
        """A round, from 1."""
        return Round(number, seed_of(self.configuration.seed, number), self._split(number))

    def _split(self, number: int) -> Split:
        if self._blocks:
            return self._blocks[number - 1]
        if self.kind == "folds":
            n_folds = self.configuration.comparison.folds or 1
            repeat, fold = divmod(number - 1, n_folds)
            return self._dealt(repeat)[fold]
        if number == 1 or self.loaded.streamed is not None:  # a stream is cut by hash, with the round's seed
            return self.loaded.split
        table, schema = self.loaded.table, self.loaded.schema
        return cut(table, schema, self.configuration, seed_of(self.configuration.seed, number))

    def _deal(self, repeat: int) -> list[Split]:
        seed = seed_of_dealing(self.configuration.seed, repeat)
        return deal_folds(self.loaded, self.configuration, self.configuration.comparison.folds or 1, seed)

    def next_group(self, n_done: int, seconds: float) -> int:
        """How many rounds to train next, 0 for no more, after so many that took so long."""
        left = self.wanted - n_done
        if not n_done:
            configuration = self.configuration
            is_large = self.loaded.n_rows > LARGE or not configuration.engine.is_exact
            is_large |= configuration.finetune is not None
            slow = self.is_open or is_large or configuration.comparison.time_limit
            return min(left, 1 if slow else self._at_once)
        in_time = int((self.limit - seconds) / max(seconds / n_done, 1e-9)) if seconds < self.limit else 0
        return max(0, min(left, self._at_once, in_time))


def _n_blocks(n_test: int, fewest: int) -> int:
    """How many blocks the last rows are cut into: five, or fewer where they would be too small for a verdict."""
    return max(2, min(ROUNDS_OF_LARGE, n_test // fewest))


def _wanted(section: ComparisonSection, n_rows: int) -> int:
    if section.seeds is not None and section.folds is not None:
        raise ConfigError(
            f"comparison.seeds={section.seeds} and comparison.folds={section.folds}, expected one of them; "
            "leave the other out"
        )
    if section.folds is None and section.repeats > 1:
        raise ConfigError(
            f"comparison.repeats={section.repeats} without folds, expected comparison.folds with it; "
            "for random splits give comparison.seeds"
        )
    if section.folds is not None:
        return section.folds * section.repeats
    if section.seeds is None and section.time_limit is not None:
        return MOST_ROUNDS
    return section.seeds or (ROUNDS if n_rows <= LARGE else ROUNDS_OF_LARGE)


def deal_folds(loaded: RunTable, configuration: Configuration, n_folds: int, seed: int) -> list[Split]:
    """K splits whose test parts are disjoint and together all rows; what is kept together in a split is so here.

    A fold is the test part of a split of the rows that are left, so that any kind of split has its folds.
    """
    rows, folds = np.arange(loaded.table.num_rows), []
    for k in range(n_folds - 1):
        part, rest = _peel(loaded, configuration, rows, 1 / (n_folds - k), seed)
        folds.append(part)
        rows = rest
    folds.append(rows)
    every = np.arange(loaded.table.num_rows)
    share = configuration.split.validation / (1 - 1 / n_folds)
    return [_learn(loaded, configuration, np.setdiff1d(every, test), test, share, seed) for test in folds]


def _rolling(loaded: RunTable, configuration: Configuration, n_rounds: int) -> list[Split]:
    """Splits with test blocks one before the other, the latest first, each with the rows before it to learn from."""
    rows, block, splits = np.arange(loaded.table.num_rows), configuration.split.test / n_rounds, list[Split]()
    for k in range(n_rounds):
        test, rows = _peel(loaded, configuration, rows, block / (1 - k * block), configuration.seed)
        share = configuration.split.validation / (1 - (k + 1) * block)
        splits.append(_learn(loaded, configuration, rows, test, share, configuration.seed))
    return splits


def _peel(
    loaded: RunTable, configuration: Configuration, rows: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The test part of a split of some rows, and the others."""
    split = cut(loaded.table.take(rows), loaded.schema, configuration, seed, validation=0.0, test=share)
    return rows[split.test], rows[split.train]


def _learn(
    loaded: RunTable, configuration: Configuration, rows: np.ndarray, test: np.ndarray, share: float, seed: int
) -> Split:
    """Training and validation rows of some rows, for test rows that are given."""
    split = cut(loaded.table.take(rows), loaded.schema, configuration, seed, validation=share, test=0.0)
    return Split(rows[split.train], rows[split.validation], np.sort(test), split.kind)


def describe(plan: Plan) -> Iterator[str]:
    """What the rounds are, in a line each."""
    n = plan.wanted
    texts = {
        "random splits": "each time on a new random split",
        "folds": "each time with another fold as test rows",
        "rolling origins": "each time to predict another block of the last rows from those before it",
    }
    if n == 1:
        yield "one round: every model is trained once, which gives scores but no verdict; comparison.seeds=5 has one"
    elif n == MOST_ROUNDS:
        yield f"every model is trained as often as {plan.limit:g} s allow, {texts[plan.kind]}"
    else:
        yield f"{n} rounds: every model is trained {n} times, {texts[plan.kind]}"
    yield f"the networks of round {KEPT} are kept, as the model and its controls"
