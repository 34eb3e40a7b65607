"""`qloom demo`: a tutorial's code, run from its first line to its last."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Annotated

import typer

from qloom.cli.lessons import Reader, listed
from qloom.errors import ConfigError, DataError
from qloom.learning import Page, tutorials


def demo(
    name: Annotated[str | None, typer.Argument(help="Of the tutorial; without one all are listed.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="The file or folder that a tutorial asks for, where it does.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for what it leaves; by default demos/NAME.")] = None,
) -> None:
    """Run a tutorial: its text, its code and what that prints, on real data."""
    pages = {page.name: page for page in tutorials()}
    if name is None:
        typer.echo("\n".join(listed(list(pages.values()), "qloom demo")))
        return
    if name not in pages:
        raise ConfigError(f"no tutorial {name!r}, expected one of {', '.join(pages)}")
    folder = out or Path("demos") / name
    folder.mkdir(parents=True, exist_ok=True)
    _lay_out(pages[name], data, folder)
    with contextlib.chdir(folder):
        Reader(pages[name]).read()
    typer.echo(f"\nwhat it left is in {folder}")


def _lay_out(page: Page, data: Path | None, folder: Path) -> None:
    """Put what the page asks for where its code looks."""
    wanted = page.facts.get("data")
    if wanted is None:
        if data is not None:
            raise ConfigError(f"--data {data} is given, expected none: {page.name} has all it needs; leave it out")
        return
    target = folder / wanted
    if data is None and not target.exists():
        raise DataError(f"{page.name} needs {wanted}: {page.facts['from']}; give it with --data PATH")
    if data is None:
        return
    if not data.exists():
        raise DataError(f"{data} is not there, expected {wanted}: {page.facts['from']}; check the path")
    if data.is_dir():
        shutil.copytree(data, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(data, target)
