"""Progress in the terminal: a bar a model with time left, loss and score where there is room; plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from qloom.cli.wording import in_options
from qloom.models import Fit
from qloom.training.progress import LineProgress, Progress, describe_end, describe_epoch

# Columns that title, bar, epochs, losses and times take together.
WIDE = 136


@contextmanager
def showing_progress(console: Console | None = None) -> Iterator[Progress]:
    """Bars on a terminal, else lines."""
    console = console or Console()
    if not console.is_terminal:
        yield LineProgress(lambda text: print(in_options(text), flush=True))
        return
    with Bars(*_columns(console.width), console=console) as bars:
        yield BarProgress(bars)


def _columns(width: int) -> list[ProgressColumn]:
    """Title, bar, epochs, times, in 80 columns too; what a training says of itself only where that fits beside them."""
    title, counts = TextColumn("{task.description}", markup=False), MofNCompleteColumn()
    times = TimeElapsedColumn(), TimeRemainingColumn()
    if width < WIDE:
        return [title, BarColumn(bar_width=max(5, width - 68)), counts, *times]
    return [title, BarColumn(bar_width=24), counts, TextColumn("{task.fields[now]}", markup=False), *times]


class BarProgress(Progress):
    """A bar a model and group of rounds; it counts the epochs of all of them."""

    def __init__(self, bars: Bars):
        self.bars = bars
        self.task: Any = None
        self.n_epochs = 0
        self.done: dict[int, int] = {}
        self.bought: dict[str, Any] = {}

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.bars.stop()
        try:
            yield
        finally:
            self.bars.start()

    def note(self, text: str) -> None:
        self.bars.console.print(in_options(text), markup=False, highlight=False)

    def begin(self, title: str, n_epochs: int, rounds: Sequence[int], unit: str = "epoch") -> None:
        self.done, self.n_epochs = {}, n_epochs
        self.task = self.bars.add_task(f"{title:32s}", total=n_epochs * len(rounds) or 1, now="")

    def epoch(self, fit: Fit, number: int) -> None:
        self.done[number] = self.n_epochs if fit.finished else fit.epoch
        now = f"round {number}: {describe_epoch(fit)}"
        self.bars.update(self.task, completed=sum(self.done.values()), now=now)

    def end(self, title: str, records: Sequence[Mapping[str, Any]], *, restored: bool) -> None:
        if restored:
            self.begin(title, 0, [])
        task = self.bars.tasks[-1]
        how = "already trained" if restored else "done"
        n_done = task.total or 1
        self.bars.update(task.id, completed=n_done, now=f"{how} {describe_end(records)}")

    def spent(self, title: str, shots: int, expected: int, said: str) -> None:
        if title not in self.bought:
            self.bought[title] = self.bars.add_task(f"{title:32s}", total=expected, now="")
        self.bars.update(self.bought[title], completed=shots, now=said)
