"""What a run says while it works: nothing, plain lines, or (in the command line) bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from qloom.models import Fit
from qloom.models.tables.scores import TITLES


class Progress:
    """A listener that says nothing; override what is of interest."""

    def paused(self) -> AbstractContextManager[Any]:
        """While somebody else uses the terminal."""
        return nullcontext()

    def note(self, text: str) -> None:
        """Something worth a line."""

    def begin(self, title: str, n_epochs: int, rounds: Sequence[int], unit: str = "epoch") -> None:
        """A model is about to be trained in these rounds, in so many epochs each at most (0 where there are none).

        Args:
            unit: what an epoch is: the windows of a stream are what others call epochs.
        """

    def epoch(self, fit: Fit, number: int) -> None:
        """An epoch of a network is done, in the round of that number."""

    def end(self, title: str, records: Sequence[Mapping[str, Any]], *, restored: bool) -> None:
        """A model is done in these rounds, now or (restored) by an earlier process."""

    def spent(self, title: str, shots: int, expected: int, said: str) -> None:
        """A device has measured so often of what was expected; `said` has jobs, cost and time left."""


class LineProgress(Progress):
    """A line a tenth of the epochs of the first of several rounds, one for the end of each other, for logs and pipes.

    Args:
        write: takes one line.
    """

    def __init__(self, write: Callable[[str], Any] = print):
        self.write = write
        self.title = ""
        self.rounds: Sequence[int] = (1,)
        self.told = 0

    def note(self, text: str) -> None:
        self.write(text)

    def begin(self, title: str, n_epochs: int, rounds: Sequence[int], unit: str = "epoch") -> None:
        self.title, self.rounds = title, rounds
        self.write(f"{title}: training{describe_rounds(rounds)}" + (f", up to {n_epochs} {unit}s" if n_epochs else ""))

    def epoch(self, fit: Fit, number: int) -> None:
        is_tenth = number == self.rounds[0] and fit.epoch % max(fit.epochs // 10, 1) == 0
        if is_tenth or fit.finished:
            place = f"round {number}, " if len(self.rounds) > 1 else ""
            self.write(f"{self.title}: {place}{fit.unit} {fit.epoch} of {fit.epochs}, {describe_epoch(fit)}")

    def end(self, title: str, records: Sequence[Mapping[str, Any]], *, restored: bool) -> None:
        how = "already trained" if restored else "trained"
        self.write(f"{title}: {how} {describe_end(records)}")

    def spent(self, title: str, shots: int, expected: int, said: str) -> None:
        if (tenth := 10 * shots // expected) != self.told:
            self.told = tenth
            self.write(f"{title}: {shots:,} of {expected:,} shots; {said}")


def describe_rounds(rounds: Sequence[int]) -> str:
    """Which rounds, where there are others."""
    if list(rounds) == [1]:
        return ""
    return f" in round {rounds[0]}" if len(rounds) == 1 else f" in rounds {rounds[0]} to {rounds[-1]}"


def describe_end(records: Sequence[Mapping[str, Any]]) -> str:
    """How long a model took, how often, and what came of fitting another head in the first of the rounds."""
    seconds = sum(record["seconds_training"] for record in records)
    times = f"{len(records)} times " if len(records) > 1 else ""
    return f"{times}in {seconds:.1f} s{describe_refit(records[0].get('refit'))}"


def describe_epoch(fit: Fit) -> str:
    """Losses and score of the last epoch in a few words."""
    record = fit.history[-1]
    text = f"loss {record['train_loss']:.4f}"
    if record["validation_loss"] is not None:
        text += f", validation {record['validation_loss']:.4f}"
    if record["validation_metric"] is not None:
        text += f", {TITLES[fit.metric]} {record['validation_metric']:.4f}"
    return text


def describe_refit(refit: Mapping[str, Any] | None) -> str:
    """What came of fitting another head, if one was."""
    if refit is None:
        return ""
    fate = "kept" if refit["kept"] else "not kept"
    return f"; {refit['kind']} head {fate}, validation {refit['before']:.4f} before, {refit['after']:.4f} after"
