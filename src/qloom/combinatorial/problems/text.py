"""Text files of numbers, read word by word; what is wrong is said with the number of its line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qloom.checks import LARGEST
from qloom.errors import ProblemError

# Things that a file may say it has; integers that a float64 holds exactly.
MOST_THINGS = 10_000_000
EXACT = 2**53 - 1


class FormatError(ProblemError):
    """A text that is not in the format; what its format allows and its problem refuses is a mere ProblemError."""


class InstanceError(ProblemError):
    """A file whose problems are fine, but the one that is meant is not there, or not said."""


def text_of(path: str | Path) -> str:
    """The text of a file.

    Raises:
        ProblemError: if it cannot be read, is empty, or holds a NUL byte, which hangs parsers.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ProblemError(f"{path} cannot be read ({error}), expected a text file") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # names and comments of old files; numbers are the same in both
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ProblemError(f"{path} is empty, expected a problem")
    before, nul, _ = text.partition("\0")
    if nul:
        raise ProblemError(f"{path}, line {before.count(chr(10)) + 1}: a NUL byte, expected a text file")
    return text


class Words:
    """The words of a text and where they stand.

    Args:
        path: named in errors.
        text: what is read.
        first_line: the number of the text's first line in the file.
    """

    def __init__(self, path: str | Path, text: str, first_line: int = 1):
        self.path, self._first_line = path, first_line
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
        return self._words[min(self._at, len(self._words) - 1)][1] if self._words else self._first_line

    @property
    def line_starts(self) -> set[int]:
        """Which words begin a line, counted from 0 through the text."""
        lines = [line for _, line in self._words]
        return {k for k, line in enumerate(lines) if k == 0 or line != lines[k - 1]}

    def expect(self, what: str, count: int) -> None:
        """Ask for so many more, before room is made for them.

        Raises:
            FormatError: where the file ends first.
        """
        if self.left < count:
            last = self._words[-1][1] if self._words else self._first_line
            raise FormatError(
                f"{self.path}, line {last}: the file ends, expected {count} numbers ({what}), there are {self.left}"
            )

    def numbers(self, what: str, count: int) -> np.ndarray:
        """The next ones, float64 (count,).

        Raises:
            FormatError: where the file ends first, or a word is not a finite number, or too large to calculate with.
        """
        self.expect(what, count)
        words = self._words[self._at : self._at + count]
        out = np.array([_number(word) for word, _ in words], float)
        wrong = np.flatnonzero(~(np.abs(out) <= LARGEST))
        if len(wrong):
            word, line = words[wrong[0]]
            raise FormatError(
                f"{self.path}, line {line}: {word!r}, expected a finite number ({what}), {LARGEST:g} at most"
            )
        self._at += count
        return out

    def integers(self, what: str, count: int, least: int = -EXACT, most: int = EXACT) -> np.ndarray:
        """The next ones, int64 (count,), in a range.

        Raises:
            FormatError: as `numbers`, and for one that is not whole or out of range.
        """
        first = self._at
        out = self.numbers(what, count)
        wrong = np.flatnonzero((out != np.round(out)) | (out < least) | (out > most))
        if len(wrong):
            word, line = self._words[first + wrong[0]]
            raise FormatError(
                f"{self.path}, line {line}: {word!r}, expected an integer from {least} to {most} ({what})"
            )
        return out.astype(np.int64)

    def counts(self, what: str, count: int, least: int = 1) -> list[int]:
        """The next ones, numbers of things."""
        return self.integers(what, count, least, MOST_THINGS).tolist()

    def integer(self, what: str, least: int = -EXACT, most: int = EXACT) -> int:
        """The next one."""
        return int(self.integers(what, 1, least, most)[0])

    def end(self) -> None:
        """Raises:
        FormatError: if there is more."""
        if self.left:
            word, line = self._words[self._at]
            raise FormatError(f"{self.path}, line {line}: {word!r}, expected the end of the file")


def plain_rows(lines: Sequence[str], length: int) -> np.ndarray | None:
    """Lines of so many numbers each, float64 (R, length), at once; None where one is not: read that word by word.

    That says what is wrong, and in which line, but takes ten times as long.
    """
    words = [line.split() for line in lines]
    if any(len(row) != length for row in words):
        return None
    out = np.array([_number(word) for row in words for word in row], float).reshape(-1, length)
    return out if (np.abs(out) <= LARGEST).all() else None


def _number(word: str) -> float:
    """NaN for what is none; Python alone would take 1_0, and digits of other scripts."""
    try:
        return float(word) if word.isascii() and "_" not in word else np.nan
    except ValueError:
        return np.nan


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
