"""`qloom learn`: lessons in the terminal, with exercises that are checked."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from qloom.cli.lessons import Reader, listed, show_any_letter
from qloom.errors import ArtifactError, ConfigError
from qloom.files import replace_file
from qloom.learning import ROADS, Page, Part, lessons
from qloom.learning.running import command_lines


def learn(
    road: Annotated[str | None, typer.Argument(help=f"{' or '.join(ROADS)}; without one both are listed.")] = None,
    lesson: Annotated[int | None, typer.Argument(help="Its number; without one those of the road are listed.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help="To the exercises, in their order, in the place of being asked.")
    ] = None,
    code: Annotated[
        Path | None, typer.Option(help="File to write the lesson's Python to, to change and run; nothing is shown.")
    ] = None,
) -> None:
    """Read a lesson, see its code run, and have your answers to its exercises checked; it leaves no files."""
    show_any_letter()
    if answer and code is not None:
        raise ConfigError(f"--answer and --code {code} are given, expected one of them; the code is written unasked")
    if lesson is None:
        if answer or code is not None:
            raise ConfigError("--answer and --code belong to a lesson, got no number; give one, as in: learn quantum 1")
        for name in [road] if road else ROADS:
            titles = {f"qloom learn {name} {number}": page.title for number, page in enumerate(lessons(name), 1)}
            typer.echo(f"{ROADS[name]}\n{listed(titles)}\n")
        return
    pages = lessons(road or "")
    if not 1 <= lesson <= len(pages):
        raise ConfigError(f"no lesson {lesson} of {road}, expected 1 to {len(pages)}")
    page = pages[lesson - 1]
    if code is not None:
        _write_code(page, code)
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        n_wrong = Reader(page, answer or ()).read()
    if lesson < len(pages):
        typer.echo(f"go on with: qloom learn {road} {lesson + 1}")
    if answer and n_wrong:
        raise typer.Exit(1)


def _write_code(page: Page, path: Path) -> None:
    """The Python of a lesson up to its exercises; commands are run by it too."""
    if not path.parent.is_dir():
        raise ArtifactError(f"{path.parent} is no folder, expected one for {path.name}; make it first")
    if path.exists():
        raise ArtifactError(f"{path} exists already, expected a new file; give another with --code")
    parts = [part for part in page.parts if part.runs]
    head = ["import subprocess\nimport sys"] if any(part.kind == "sh" for part in parts) else []
    replace_file(path, "\n\n".join([f"# {page.title}", *head, *map(_as_python, parts)]) + "\n")
    typer.echo(f"{path} written; run it with: python {path}")


def _as_python(part: Part) -> str:
    if part.kind == "python":
        return part.source
    words = (", ".join(map(repr, shlex.split(command)[1:])) for command in command_lines(part.source))
    return "\n".join(f'subprocess.run([sys.executable, "-m", "qloom", {each}], check=True)' for each in words)
