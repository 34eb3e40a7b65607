"""The program: its commands, and one line for every mistake of the user."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import typer

from qloom.errors import QloomError

COMMANDS = ("train", "init", "tune", "diagnose", "predict", "evaluate", "report", "solve", "doctor", "bench")
"""Each is a function in a module of the same name."""


def make_app(words: Sequence[str]) -> typer.Typer:
    """The program for a command line; of the commands only those named in it are imported."""
    app = typer.Typer(
        help="Train hybrid quantum-classical models on tables and compare them honestly with classical ones.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        epilog="--debug, anywhere in the line, shows the traceback of an error.",
    )
    for name in COMMANDS:
        if name in words:
            app.command(name)(getattr(import_module(f"qloom.cli.{name}"), name))
        else:
            app.command(name, help=_docstring(name))(lambda: None)
    return app


def _docstring(name: str) -> str | None:
    """A command's docstring, read without importing what it needs."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return next(ast.get_docstring(function) for function in functions if function.name == name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: one line on stderr for a mistake of the user, exit code 2, and for Ctrl-C, 130."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        make_app(words)(args=[word for word in words if word != "--debug"], prog_name="qloom")
    except (QloomError, FileNotFoundError, PermissionError, IsADirectoryError) as error:
        if debug:
            raise
        print(f"qloom: {describe(error)}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("qloom: stopped", file=sys.stderr)
        raise SystemExit(130) from None


def describe(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, OSError) and not isinstance(error, QloomError):
        return f"{error.filename} cannot be used ({error.strerror}), expected a file at this path; check it"
    return " ".join(str(error).split())
