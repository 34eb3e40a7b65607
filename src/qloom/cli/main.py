"""The program: its commands, and one line for every mistake of the user."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from qloom.cli.wording import in_options
from qloom.errors import QloomError

COMMANDS = (
    "train", "finetune", "init", "tune", "diagnose", "predict", "evaluate", "compare", "runs", "explain",
    "report", "noise", "solve", "generate",
    "score", "draw", "run", "devices", "doctor", "bench", "watch", "export", "serve", "learn", "demo", "docs",
)  # fmt: skip
"""Each is a function in a module of the same name."""
QUICK = ("init", "predict", "evaluate", "score", "explain", "runs")
"""Those that a second more would be felt in."""


def make_app(command: str | None) -> typer.Typer:
    """The program; of the commands only the one that is called is imported."""
    app = typer.Typer(
        help="Train hybrid quantum-classical models on tables and compare them honestly with classical ones.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        epilog="--debug, anywhere in the line, shows the traceback of an error.",
    )
    app.callback()(_program)
    for name in COMMANDS:
        if name == command:
            with _showing_a_sign(name):
                if name == "solve" and not {"--help", "--no-certify"} & set(sys.argv):
                    _start_solvers()
                app.command(name)(getattr(import_module(f"qloom.cli.{name}"), name))
        else:
            app.command(name, help=_docstring(name))(lambda: None)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        from qloom import __version__

        typer.echo(f"qloom {__version__}")
        raise typer.Exit


def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass


@contextmanager
def _showing_a_sign(command: str) -> Iterator[None]:
    """A line on the terminal while a command is imported, which may take seconds; it goes when that is done."""
    if not sys.stderr.isatty():
        yield
        return
    sys.stderr.write(f"qloom {command} is starting ...")
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _start_solvers() -> None:
    """The process of outside solvers imports them while this one imports the command."""
    from qloom.combinatorial.solver_process import start

    start()


@contextmanager
def _without_pandas() -> Iterator[None]:
    """Arrow imports pandas, where it is installed, for its first array: half a second for what no command takes."""
    sys.meta_path.insert(0, _NoPandas)
    try:
        yield
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas:
    """An importer that knows of no pandas until torch is there, which looks whether there is one."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas" and "torch" not in sys.modules:
            raise ModuleNotFoundError("pandas is left out", name=name)


def _docstring(name: str) -> str | None:
    """A command's docstring, read without importing what it needs."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return next(ast.get_docstring(function) for function in functions if function.name == name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: one line on stderr for a mistake of the user, exit code 2, and for Ctrl-C, 130."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        command = next((word for word in words if not word.startswith("-")), None)
        with _without_pandas() if command in QUICK else nullcontext():
            make_app(command)(args=words, prog_name="qloom")
    except (QloomError, FileNotFoundError, PermissionError, IsADirectoryError) as error:
        if debug:
            raise
        print(f"qloom: {describe(error)}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("qloom: stopped", file=sys.stderr)
        raise SystemExit(130) from None


def describe(error: Exception) -> str:
    """An error in one line, with options where Python would have arguments."""
    if isinstance(error, OSError) and not isinstance(error, QloomError):
        return f"{error.filename} cannot be used ({error.strerror}), expected a file at this path; check it"
    return in_options(" ".join(str(error).split()))
