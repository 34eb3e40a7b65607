"""What a run says while it works: nothing, plain lines, or (in the command line) bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qloom.models import Fit
from qloom.models.scores import TITLES, score_names


class Progress:
    """A listener that says nothing; override what is of interest."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def begin(self, title: str, n_epochs: int) -> None:
        """A model is about to be trained, in so many epochs at most (0 where there are none)."""

    def epoch(self, fit: Fit) -> None:
        """An epoch of a network is done."""

    def end(self, title: str, record: Mapping[str, Any], *, restored: bool) -> None:
        """A model is done, in this run or (restored) an earlier one."""


class LineProgress(Progress):
    """A line a tenth of the epochs and a line a model, for logs and pipes.

    Args:
        write: takes one line.
    """

    def __init__(self, write: Callable[[str], Any] = print):
        self.write = write
        self.title = ""

    def note(self, text: str) -> None:
        self.write(text)

    def begin(self, title: str, n_epochs: int) -> None:
        self.title = title
        self.write(f"{title}: training" + (f", up to {n_epochs} epochs" if n_epochs else ""))

    def epoch(self, fit: Fit) -> None:
        if fit.epoch % max(fit.recipe.epochs // 10, 1) == 0 or fit.finished:
            self.write(f"{self.title}: epoch {fit.epoch} of {fit.recipe.epochs}, {describe_epoch(fit)}")

    def end(self, title: str, record: Mapping[str, Any], *, restored: bool) -> None:
        how = "already trained" if restored else "trained"
        self.write(f"{title}: {how} in {record['seconds_training']:.1f} s{describe_refit(record.get('refit'))}")


def describe_epoch(fit: Fit) -> str:
    """Losses and score of the last epoch in a few words."""
    record = fit.history[-1]
    text = f"loss {record['train_loss']:.4f}"
    if record["validation_loss"] is not None:
        text += f", validation {record['validation_loss']:.4f}"
    if record["validation_metric"] is not None:
        text += f", {TITLES[_main_score(fit)]} {record['validation_metric']:.4f}"
    return text


def describe_refit(refit: Mapping[str, Any] | None) -> str:
    """What came of fitting another head, if one was."""
    if refit is None:
        return ""
    fate = "kept" if refit["kept"] else "not kept"
    return f"; {refit['kind']} head {fate}, validation {refit['before']:.4f} before, {refit['after']:.4f} after"


def _main_score(fit: Fit) -> str:
    return score_names(fit.task, fit.n_targets)[0]
