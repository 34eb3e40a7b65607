"""`qloom docs`: a page of the documentation in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from qloom.cli.markdown import Prose
from qloom.learning.finding import find_page, page_names


def docs(
    page: Annotated[
        str | None, typer.Argument(help="Such as noise or docs/noise.md; without one all are listed.")
    ] = None,
) -> None:
    """Show a page of the documentation, without a network; where it is piped or written, as the Markdown that it is."""
    if page is None:
        typer.echo("\n".join(page_names()))
        return
    text = find_page(page).path.read_text(encoding="utf-8")
    if not sys.stdout.isatty():
        typer.echo(text, nl=False)
        return
    console = Console(width=min(Console().width, 110))
    with console.pager(styles=True):
        console.print(Prose(text), crop=False)
