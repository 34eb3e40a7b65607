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
        typer.echo(listed({f"qloom demo {page.name}": page.title for page in pages.values()}))
        return
    if name not in pages:
        raise ConfigError(f"no tutorial {name!r}, expected one of {', '.join(pages)}")
    folder = out or Path("demos") / name
    wanted = _checked_data(pages[name], data, folder)
    folder.mkdir(parents=True, exist_ok=True)
    if data is not None and data.is_dir():
        shutil.copytree(data, folder / wanted, dirs_exist_ok=True)
    elif data is not None:
        shutil.copyfile(data, folder / wanted)
    with contextlib.chdir(folder):
        Reader(pages[name]).read()
    typer.echo(f"\nwhat it left is in {folder}")


def _checked_data(page: Page, data: Path | None, folder: Path) -> str:
    """The name under which the page's code looks for what it asks the reader for; empty if it asks for nothing."""
    wanted, source = str(page.facts.get("data", "")), page.facts.get("from")
    if not wanted and data is not None:
        raise ConfigError(f"--data {data} is given, expected none: {page.name} has all it needs; leave it out")
    if data is not None and not data.exists():
        raise DataError(f"{data} is not there, expected {wanted}: {source}; check the path")
    if wanted and data is None and not (folder / wanted).exists():
        raise DataError(f"{page.name} needs {wanted}: {source}; give it with --data PATH")
    return wanted
