"""The program: its commands, and one line for every mistake of the user."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from qloom.cli import doctor, evaluate, init, predict, report, train
from qloom.errors import QloomError

app = typer.Typer(
    help="Train hybrid quantum-classical models on tables and compare them honestly with classical ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="--debug, anywhere in the line, shows the traceback of an error.",
)
app.command("train")(train.train)
app.command("init")(init.init)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: exit code 2 and one line on stderr for a mistake of the user."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        app(args=[word for word in words if word != "--debug"], prog_name="qloom")
    except (QloomError, FileNotFoundError, PermissionError, IsADirectoryError) as error:
        if debug:
            raise
        print(f"qloom: {describe(error)}", file=sys.stderr)
        raise SystemExit(2) from None


def describe(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, OSError) and not isinstance(error, QloomError):
        return f"{error.filename} cannot be used ({error.strerror}), expected a file at this path; check it"
    return " ".join(str(error).split())
