"""Who proposes the settings of trials, and is told what came of them: a study of one process."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from qloom.training.configuration import Configuration
from qloom.training.trials import Trial, make_sampler, write_trials

# Known settings that a sampler may propose in a row.
REPEATS = 20
# Number and settings of a trial, and who is told what came of it.
Proposal = tuple[int, dict[str, Any], Callable[[Trial], None]]


class LocalStudy:
    """Trials that this process alone asks for.

    Args:
        configuration: its seed is the sampler's.
        choices: values by key.
    """

    def __init__(self, configuration: Configuration, choices: Mapping[str, Sequence[Any]], sampler: str):
        optuna, make = make_sampler(sampler)
        self.study = optuna.create_study(sampler=make(configuration.seed))
        self.configuration, self.choices = configuration, choices
        self._trials = dict[int, Trial]()

    def trials(self) -> list[Trial]:
        """All that have ended, by their numbers."""
        return [self._trials[number] for number in sorted(self._trials)]

    def write(self, folder: Path) -> None:
        """The table of trials, and the configuration of the best one."""
        write_trials(folder, self.configuration, self.trials())

    def proposals(self, n_trials: int) -> Iterator[Proposal]:
        """Settings, all different.

        A sampler that comes back to what is known is told so; after `REPEATS` in a row a random new one is taken.
        """
        random, known, repeats = np.random.default_rng(0), dict[tuple[int, ...], float | None](), 0
        while len(known) < n_trials:
            asked = self.study.ask()
            places = tuple(asked.suggest_categorical(key, range(len(values))) for key, values in self.choices.items())

            def tell(trial: Trial, asked: Any = asked, places: tuple[int, ...] = places) -> None:
                self._trials[trial.number] = trial
                known[places] = self._tell(asked, trial.loss)

            if places in known:
                self._tell(asked, known[places])
                repeats += 1
                if repeats % REPEATS == 0:
                    free = [
                        place for place in product(*map(range, map(len, self.choices.values()))) if place not in known
                    ]
                    self.study.enqueue_trial(dict(zip(self.choices, free[random.integers(len(free))], strict=True)))
            else:
                number, known[places] = len(known), None  # it runs now
                yield number, {k: v[place] for (k, v), place in zip(self.choices.items(), places, strict=True)}, tell

    def _tell(self, asked: Any, loss: float | None) -> float | None:
        from optuna.trial import TrialState

        loss = loss if loss is not None and math.isfinite(loss) else None
        self.study.tell(asked, loss, state=TrialState.COMPLETE if loss is not None else TrialState.FAIL)
        return loss
