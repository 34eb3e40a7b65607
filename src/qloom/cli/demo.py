"""`qloom demo`: a tutorial's code, run from its first line to its last."""

from __future__ import annotations

import contextlib
import shutil
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from qloom.cli.lessons import Reader, listed, show_any_letter
from qloom.errors import ConfigError, DataError
from qloom.extras import check_extra
from qloom.learning import Page, tutorials


def demo(
    name: Annotated[str | None, typer.Argument(help="Of the tutorial; without one all are listed.")] = None,
    data: Annotated[Path | None, typer.Option(help="The file that a tutorial asks for, where it does.")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for what it leaves; by default demos/NAME.")] = None,
) -> None:
    """Run a tutorial: its text, its code and what that prints, on real data."""
    show_any_letter()
    pages = {page.name: page for page in tutorials()}
    if name is None:
        typer.echo(listed({f"qloom demo {page.name}": _titled(page) for page in pages.values()}))
        return
    if name not in pages:
        raise ConfigError(f"no tutorial {name!r}, expected one of {', '.join(pages)}")
    page = pages[name]
    if "needs" in page.facts:
        check_extra(page.facts["needs"], page.name)
    table = _checked_data(page, data)
    folder = _new_folder(name, out)
    folder.mkdir(parents=True, exist_ok=True)
    if table is not None:
        shutil.copyfile(table, folder / page.facts["data"])
    with contextlib.chdir(folder):
        Reader(page).read()
    typer.echo(f"\nwhat it left is in {folder}")


def _titled(page: Page) -> str:
    wants = [f"needs {page.facts[key]}" for key in ("needs", "data") if key in page.facts]
    return page.title + (f"  ({', '.join(wants)})" if wants else "")


def _checked_data(page: Page, data: Path | None) -> Path | None:
    """The file that the page asks the reader for; one of an earlier run of the page will do."""
    wanted, source = page.facts.get("data"), page.facts.get("from")
    if wanted is None:
        if data is not None:
            raise ConfigError(f"--data {data} is given, expected none: {page.name} has all it needs; leave it out")
        return None
    earlier = Path("demos") / page.name / wanted
    if data is None and not earlier.is_file():
        raise DataError(f"{page.name} needs {wanted}: {source}; give it with --data FILE")
    if data is not None and not data.is_file():
        raise DataError(f"--data {data} is no file, expected {wanted}: {source}; check the path")
    return data or earlier


def _new_folder(name: str, out: Path | None) -> Path:
    """One that nothing is in: tutorials begin with nothing."""
    if out is None:
        names = (Path("demos") / (name if number == 1 else f"{name}-{number}") for number in count(1))
        return next(each for each in names if not each.exists())
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ConfigError(f"--out {out} is there already and not an empty folder; give another")
    return out
