"""Trials of several `qloom tune` at once: each asks a study in Optuna's storage, which has what all of them found."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from qloom.errors import ArtifactError, ConfigError
from qloom.training.configuration import Configuration
from qloom.training.lock import locked
from qloom.training.studies import REPEATS, Proposal
from qloom.training.trials import Trial, make_sampler, write_trials

# In a study's attributes: what it is of. In a trial's: who runs it, what came of it.
_SUBJECT, _PROCESS, _FOUND = "qloom.subject", "qloom.process", "qloom.trial"
# Seconds that another process takes at most to write the table of trials.
_PATIENCE = 30.0


class SharedStudy:
    """A study that is begun, or one that others are at.

    Args:
        storage: as Optuna takes it, such as sqlite:///trials.db.
        configuration: its name is the study's.
        choices: values by key.
        fingerprint: of the rows.

    Raises:
        ConfigError: for a storage that cannot be opened.
        ArtifactError: for a study of another configuration, of other choices or rows.
    """

    def __init__(
        self, storage: str, configuration: Configuration, choices: Mapping[str, Sequence[Any]], sampler: str,
        fingerprint: str,
    ):  # fmt: skip
        self.choices, self.configuration = choices, configuration
        optuna, make = make_sampler(sampler)
        try:
            self.study = optuna.create_study(storage=storage, study_name=configuration.name, load_if_exists=True)
        except Exception as error:  # of Optuna, of the database's driver, of SQL: none is ours to tell apart
            reason = str(error).splitlines()[0]
            raise ConfigError(
                f"storage {storage!r} cannot be opened ({reason}), expected one of Optuna's, such as sqlite:///trials.db"
            ) from None
        subject = {
            **configuration.model_dump(mode="json", exclude={"name", "output", "threads"}),
            "over": {key: list(values) for key, values in choices.items()}, "rows": fingerprint,
        }  # fmt: skip
        self._check(subject)
        self.study.sampler = make(self._seed())

    def _check(self, subject: Mapping[str, Any]) -> None:
        known = self.study.user_attrs.get(_SUBJECT)
        if known is None:
            self.study.set_user_attr(_SUBJECT, subject)
        for key, value in (known or {}).items():
            if value != subject.get(key):
                raise ArtifactError(
                    f"study {self.configuration.name!r} has trials of another {key} ({value!r}, got "
                    f"{subject.get(key)!r}), expected the same; choose another --name"
                )

    def _seed(self) -> int:
        """The configuration's for the first process, so that it proposes what it would alone; for others new ones."""
        n_trials = len(self.study.get_trials(deepcopy=False))
        if not n_trials:
            return self.configuration.seed
        return int(np.random.SeedSequence([self.configuration.seed, n_trials, os.getpid()]).generate_state(1)[0])

    def proposals(self, n_trials: int) -> Iterator[Proposal]:
        """Number and settings of trials that nobody has taken, until the study has so many; each is to be told."""
        random, repeats = np.random.default_rng(os.getpid()), 0
        while len(taken := self._taken()) < n_trials:
            if repeats and repeats % REPEATS == 0:
                self._enqueue_free(taken, random)
            asked = self.study.ask()
            asked.set_user_attr(_PROCESS, _who())
            places = tuple(asked.suggest_categorical(key, range(len(self.choices[key]))) for key in self.choices)
            # Of two that ask at once at least one sees the other; whoever does lets it go.
            if self._taken().get(places) != {asked.number}:
                self.study.tell(asked, state=_states().FAIL)
                repeats += 1
                continue
            settings = {key: values[place] for (key, values), place in zip(self.choices.items(), places, strict=True)}
            yield asked.number, settings, partial(self._tell, asked)

    def trials(self) -> list[Trial]:
        """All that have ended, in the order that they were begun in."""
        found = [each.user_attrs[_FOUND] for each in self.study.get_trials(deepcopy=False) if _FOUND in each.user_attrs]
        return [Trial(**{**record, "number": k}) for k, record in enumerate(found)]

    def write(self, folder: Path) -> None:
        """The table of all trials and the best configuration, one process at a time."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                with locked(folder):
                    return write_trials(folder, self.configuration, self.trials())
            except ArtifactError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _tell(self, asked: Any, trial: Trial) -> None:
        asked.set_user_attr(_FOUND, asdict(trial))
        self.study.tell(asked, trial.loss, state=_states().FAIL if trial.loss is None else _states().COMPLETE)

    def _taken(self) -> dict[tuple[int, ...], set[int]]:
        """By combination the trials that have ended or are running; what a lost process had is free again."""
        taken = dict[tuple[int, ...], set[int]]()
        for each in self.study.get_trials(deepcopy=False):
            is_running = not each.state.is_finished()
            if is_running and _is_lost(each.user_attrs.get(_PROCESS)):
                self.study.tell(each.number, state=_states().FAIL, skip_if_finished=True)
                is_running = False
            if (is_running or _FOUND in each.user_attrs) and set(each.params) == set(self.choices):
                taken.setdefault(tuple(each.params[key] for key in self.choices), set()).add(each.number)
        return taken

    def _enqueue_free(self, taken: Collection[tuple[int, ...]], random: np.random.Generator) -> None:
        sizes = [len(values) for values in self.choices.values()]
        free = [places for places in np.ndindex(*sizes) if places not in taken]
        if free:
            self.study.enqueue_trial(dict(zip(self.choices, free[random.integers(len(free))], strict=True)))


def _states() -> Any:
    from optuna.trial import TrialState

    return TrialState


def _who() -> list[Any]:
    """This process, as others of this machine find it."""
    return [socket.gethostname(), os.getpid(), psutil.Process().create_time()]


def _is_lost(who: Sequence[Any] | None) -> bool:
    """Whether a process of this machine is no more; of another machine nobody knows."""
    if who is None or who[0] != socket.gethostname():
        return False
    try:
        return bool(psutil.Process(who[1]).create_time() != who[2])
    except psutil.NoSuchProcess:
        return True
