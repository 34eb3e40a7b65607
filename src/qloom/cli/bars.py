"""Progress in the terminal: a bar a model with loss, score and time left; plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from qloom.models import Fit
from qloom.training.progress import LineProgress, Progress, describe_epoch, describe_refit


@contextmanager
def showing_progress(console: Console | None = None) -> Iterator[Progress]:
    """Bars on a terminal, else lines."""
    console = console or Console()
    if not console.is_terminal:
        yield LineProgress(lambda text: print(text, flush=True))
        return
    texts = TextColumn("{task.description}"), TextColumn("{task.fields[now]}")
    times = TimeElapsedColumn(), TimeRemainingColumn()
    counts = BarColumn(bar_width=24), MofNCompleteColumn()
    with Bars(texts[0], *counts, texts[1], *times, console=console) as bars:
        yield BarProgress(bars)


class BarProgress(Progress):
    """A bar a model."""

    def __init__(self, bars: Bars):
        self.bars = bars
        self.task: Any = None

    def note(self, text: str) -> None:
        self.bars.console.print(text, markup=False, highlight=False)

    def begin(self, title: str, n_epochs: int) -> None:
        self.task = self.bars.add_task(f"{title:32s}", total=n_epochs or 1, now="")

    def epoch(self, fit: Fit) -> None:
        self.bars.update(self.task, completed=fit.epoch, now=describe_epoch(fit))

    def end(self, title: str, record: Mapping[str, Any], *, restored: bool) -> None:
        if restored:
            self.begin(title, 0)
        task = self.bars.tasks[-1]
        how = "already trained" if restored else f"done in {record['seconds_training']:.1f} s"
        text = how + describe_refit(record.get("refit"))
        self.bars.update(task.id, total=max(task.completed, 1), completed=max(task.completed, 1), now=text)
