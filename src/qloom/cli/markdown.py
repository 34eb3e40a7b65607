"""Markdown in the terminal, with tables that lose no words and code that can be copied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions
from rich.markdown import CodeBlock, Markdown, TableElement
from rich.segment import Segment
from rich.syntax import Syntax
from rich.table import Table


class _WholeTable(TableElement):
    """Words that are wider than their column are broken; rich cuts them off, and Chinese text is one word."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        for made in super().__rich_console__(console, options):
            if isinstance(made, Table):
                for column in made.columns:
                    column.overflow = "fold"
            yield made


class _PlainCode(CodeBlock):
    """Lines as they stand, from the first column on, so that they can be pasted; the terminal breaks long ones."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        code = str(self.text).rstrip()
        text = Syntax(code, self.lexer_name, theme="ansi_dark", background_color="default").highlight(code)
        for line in text.split("\n"):
            yield from line.render(console)
            yield Segment.line()


class Prose(Markdown):
    """A page of Markdown, to be printed on a console."""

    elements: ClassVar = {
        **Markdown.elements, "table_open": _WholeTable, "fence": _PlainCode, "code_block": _PlainCode,
    }  # fmt: skip
