"""The run's log: what the progress shows, with the time of day, in log.txt."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qloom.models import Fit
from qloom.training.progress import LineProgress, Progress


class RunLog(Progress):
    """A progress that passes everything on and also writes it down, a line each, kept over a resume."""

    def __init__(self, folder: Path, shown: Progress):
        self.file = (folder / "log.txt").open("a", encoding="utf-8")
        self.shown, self.lines = shown, LineProgress(self._write)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._write(f"stopped by {type(error).__name__}: {error}")
        self.file.close()

    def _write(self, text: str) -> None:
        self.file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
        self.file.flush()

    def note(self, text: str) -> None:
        self.lines.note(text)
        self.shown.note(text)

    def begin(self, title: str, n_epochs: int, rounds: Sequence[int], unit: str = "epoch") -> None:
        self.lines.begin(title, n_epochs, rounds, unit)
        self.shown.begin(title, n_epochs, rounds, unit)

    def epoch(self, fit: Fit, number: int) -> None:
        self.lines.epoch(fit, number)
        self.shown.epoch(fit, number)

    def end(self, title: str, records: Sequence[Mapping[str, Any]], *, restored: bool) -> None:
        self.lines.end(title, records, restored=restored)
        self.shown.end(title, records, restored=restored)

    def spent(self, title: str, shots: int, expected: int, said: str) -> None:
        self.lines.spent(title, shots, expected, said)
        self.shown.spent(title, shots, expected, said)
