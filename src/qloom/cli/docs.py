"""`qloom docs`: a page of the documentation in the terminal."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from qloom.cli.lessons import show_any_letter
from qloom.cli.markdown import Prose
from qloom.learning.finding import find_page, page_names
from qloom.learning.pages import without_facts


def docs(
    page: Annotated[
        str | None, typer.Argument(help="Such as noise or docs/noise.md; without one all are listed.")
    ] = None,
) -> None:
    """Show a page of the documentation, without a network; where it is piped or written, as the Markdown that it is."""
    if page is None:
        typer.echo("\n".join(page_names()))
        return
    show_any_letter()
    text = find_page(page).path.read_text(encoding="utf-8")
    if not sys.stdout.isatty():
        typer.echo(text, nl=False)
        return
    os.environ.setdefault("LESS", "-RFX")  # colours are shown, short pages are not paged
    console = Console(width=min(Console().width, 110))
    with console.pager(styles=True):
        console.print(Prose(without_facts(text)), crop=False)
