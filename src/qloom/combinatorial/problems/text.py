"""Text files of numbers, read word by word; what is wrong is said with the number of its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qloom.errors import ProblemError


class InstanceError(ProblemError):
    """A file whose problems are fine, but the one that is meant is not there, or not said."""


def text_of(path: str | Path) -> str:
    """The text of a file.

    Raises:
        ProblemError: if it cannot be read, or is empty.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(f"{path} cannot be read ({error}), expected a text file") from None
    if not text.strip():
        raise ProblemError(f"{path} is empty, expected a problem")
    return text


class Words:
    """The words of a text and where they stand.

    Args:
        path: named in errors.
        text: what is read.
        first_line: the number of the text's first line in the file.
    """

    def __init__(self, path: str | Path, text: str, first_line: int = 1):
        self.path = path
        self._words = [(word, k) for k, line in enumerate(text.splitlines(), first_line) for word in line.split()]
        self._at = 0

    @classmethod
    def of(cls, path: str | Path) -> Words:
        """Of a whole file."""
        return cls(path, text_of(path))

    @property
    def left(self) -> int:
        """Words that are not read yet."""
        return len(self._words) - self._at

    @property
    def line(self) -> int:
        """Where the next word stands, or the last one."""
        return self._words[min(self._at, len(self._words) - 1)][1] if self._words else 1

    def numbers(self, what: str, count: int) -> np.ndarray:
        """The next ones, float64 (count,).

        Raises:
            ProblemError: where the file ends first, or a word is not a finite number.
        """
        if self.left < count:
            last = self._words[-1][1] if self._words else 1
            raise ProblemError(
                f"{self.path}, line {last}: the file ends, expected {count} numbers ({what}), there are {self.left}"
            )
        out = np.empty(count)
        for k in range(count):
            word, line = self._words[self._at]
            try:
                out[k] = float(word)
            except ValueError:
                out[k] = np.nan
            if not np.isfinite(out[k]):
                raise ProblemError(f"{self.path}, line {line}: {word!r}, expected a finite number ({what})")
            self._at += 1
        return out

    def integers(self, what: str, count: int, least: int | None = None, most: int | None = None) -> np.ndarray:
        """The next ones, int64 (count,), in a range.

        Raises:
            ProblemError: as `numbers`, and for one that is not whole or out of range.
        """
        first = self._at
        out = self.numbers(what, count)
        low, high = -np.inf if least is None else least, np.inf if most is None else most
        wrong = np.flatnonzero((out != np.round(out)) | (out < low) | (out > high))
        if len(wrong):
            word, line = self._words[first + wrong[0]]
            limits = "" if least is None and most is None else f" from {low:g} to {high:g}"
            raise ProblemError(f"{self.path}, line {line}: {word!r}, expected an integer{limits} ({what})")
        return out.astype(np.int64)

    def integer(self, what: str, least: int | None = None, most: int | None = None) -> int:
        """The next one."""
        return int(self.integers(what, 1, least, most)[0])

    def end(self) -> None:
        """Raises:
        ProblemError: if there is more."""
        if self.left:
            word, line = self._words[self._at]
            raise ProblemError(f"{self.path}, line {line}: {word!r}, expected the end of the file")


def chosen(path: str | Path, instance: int | None, count: int) -> int:
    """Which of a file's problems is meant, from 0.

    Raises:
        ProblemError: for a number out of range, or none where there are several.
    """
    if instance is None and count > 1:
        raise InstanceError(f"{path} holds {count} problems, expected instance=1 to {count} to say which")
    if instance is not None and not 1 <= instance <= count:
        raise InstanceError(f"instance={instance}, expected 1 to {count}, as many as {path} holds")
    return (instance or 1) - 1
