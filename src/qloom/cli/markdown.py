"""Markdown in the terminal, with tables that lose no words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions
from rich.markdown import Markdown, TableElement
from rich.table import Table


class _WholeTable(TableElement):
    """Words that are wider than their column are broken; rich cuts them off, and Chinese text is one word."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        for made in super().__rich_console__(console, options):
            if isinstance(made, Table):
                for column in made.columns:
                    column.overflow = "fold"
            yield made


class Prose(Markdown):
    """A page of Markdown, to be printed on a console."""

    elements: ClassVar = {**Markdown.elements, "table_open": _WholeTable}
