"""`qloom draw`: a circuit's file as text or as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qloom.cli.circuit_files import read_circuit
from qloom.cli.pictures import check_picture, write_picture
from qloom.errors import ConfigError

# Gates that are drawn as a picture.
MOST_DRAWN = 2000


def draw(
    file: Annotated[Path, typer.Argument(help="OpenQASM 2 or 3, or a circuit's JSON.")],
    plot: Annotated[Path | None, typer.Option(help="Picture to write: .svg, .png or .pdf; else text.")] = None,
    width: Annotated[int, typer.Option(help="Letters of a line.", min=20)] = 110,
) -> None:
    """Draw a circuit from a file, and say what it has."""
    check_picture(plot)
    circuit = read_circuit(file)
    typer.echo(repr(circuit))
    if len(circuit) > MOST_DRAWN:
        raise ConfigError(f"{file} has {len(circuit):,} gates, expected at most {MOST_DRAWN:,} to draw")
    if plot is None:
        typer.echo(circuit.draw(width))
        return
    write_picture(plot, circuit.plot().figure)
