"""The code of a page is run in its order, in one namespace, and what it prints compared with what the page says."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from qloom.errors import ConfigError
from qloom.learning.answers import same
from qloom.learning.pages import Part


@dataclass
class PageRun:
    """A page that is being run in the current folder.

    Attributes:
        path: of the page, for tracebacks.
        names: what its Python has defined.
        echo: where output is shown as it comes; None shows nothing.
    """

    path: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    echo: TextIO | None = None

    def run(self, part: Part) -> str:
        """What a part prints.

        Raises:
            ConfigError: for a command that is not qloom's, or one that fails.
        """
        return self._python(part) if part.kind == "python" else "".join(map(self._command, command_lines(part.source)))

    def _python(self, part: Part) -> str:
        """Lines are counted as in the page, so that a traceback names the right one."""
        code = compile("\n" * part.line + part.source, str(self.path), "exec", dont_inherit=True)
        printed = _Tee(self.echo)
        with contextlib.redirect_stdout(printed):
            exec(code, self.names)
        return printed.getvalue()

    def _command(self, line: str) -> str:
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise ConfigError(
                f"{self.path.name} runs {line!r}, which is no command ({error}); mend its quotes"
            ) from None
        if words[:1] != ["qloom"]:
            raise ConfigError(f"{self.path.name} runs {line!r}, expected a command of qloom")
        printed = _Tee(self.echo)
        command = [sys.executable, "-m", "qloom", *words[1:]]
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
        # Progress and warnings are kept apart, and told if the command fails.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as aside:
            streams = {"stdout": subprocess.PIPE, "stderr": aside, "encoding": "utf-8"}
            with subprocess.Popen(command, env=environment, **streams) as process:  # type: ignore[call-overload]
                for text in process.stdout or ():
                    printed.write(text)
            if process.returncode:
                aside.seek(0)
                told = (aside.read().strip().splitlines() or ["nothing said"])[-1]
                raise ConfigError(f"{line!r} of {self.path.name} ended with {process.returncode}: {told}")
        return printed.getvalue()


class _Tee(io.StringIO):
    """Keeps what is written, and shows it."""

    def __init__(self, shown: TextIO | None):
        super().__init__()
        self.shown = shown

    def write(self, text: str) -> int:
        if self.shown is not None:
            self.shown.write(text)
        return super().write(text)


# What is quoted is no comment.
_COMMENT = re.compile(r"""("[^"]*"|'[^']*')|(?:^|(?<=\s))\#.*""")


def command_lines(source: str) -> Iterator[str]:
    """The commands of a block `sh`: no comments, lines that end in a backslash joined with the next."""
    for line in source.replace("\\\n", " ").splitlines():
        if command := _COMMENT.sub(r"\1", line).strip():
            yield command


def differences(printed: str, expected: str) -> list[str]:
    """Lines of a page that were not printed, and lines printed that it has not; a line `...` stands for any number.

    Numbers may differ by one in the last digit that the page shows: other machines add up in another order.
    """
    ours, theirs = _lines(printed), _lines(expected)
    return [] if _fits(ours, theirs) else [f"- {line}" for line in theirs] + [f"+ {line}" for line in ours]


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _fits(ours: list[str], theirs: list[str]) -> bool:
    """Whether lines match, where `...` stands for any number of them; by which of ours may end each of theirs."""
    ends = {0}
    for line in theirs:
        if line.strip() == "...":
            ends = set(range(min(ends), len(ours) + 1)) if ends else ends
        else:
            ends = {end + 1 for end in ends if end < len(ours) and same(ours[end], line)}
    return len(ours) in ends
