"""`qloom learn`: lessons in the terminal, with exercises that are checked."""

from __future__ import annotations

import contextlib
import tempfile
from typing import Annotated

import typer

from qloom.cli.lessons import Reader, listed
from qloom.errors import ConfigError
from qloom.learning import ROADS, lessons


def learn(
    road: Annotated[str | None, typer.Argument(help=f"{' or '.join(ROADS)}; without one both are listed.")] = None,
    lesson: Annotated[int | None, typer.Argument(help="Its number; without one those of the road are listed.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help="To the exercises, in their order, in the place of being asked.")
    ] = None,
) -> None:
    """Read a lesson, see its code run, and have your answers to its exercises checked; it leaves no files."""
    if lesson is None:
        for name in [road] if road else ROADS:
            titles = {f"qloom learn {name} {number}": page.title for number, page in enumerate(lessons(name), 1)}
            typer.echo(f"{ROADS[name]}\n{listed(titles)}\n")
        return
    pages = lessons(road or "")
    if not 1 <= lesson <= len(pages):
        raise ConfigError(f"no lesson {lesson} of {road}, expected 1 to {len(pages)}")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        n_wrong = Reader(pages[lesson - 1], answer or ()).read()
    if lesson < len(pages):
        typer.echo(f"\nnext: qloom learn {road} {lesson + 1}   ({pages[lesson].title})")
    if n_wrong:
        raise typer.Exit(1)
