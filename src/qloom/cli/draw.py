"""`qloom draw`: a circuit's file as text or as a picture."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer

from qloom.cli.circuit_files import read_circuit
from qloom.errors import ConfigError
from qloom.files import replace_file

FORMATS = (".svg", ".png", ".pdf")
# Gates that are drawn as a picture.
MOST_DRAWN = 2000


def draw(
    file: Annotated[Path, typer.Argument(help="OpenQASM 2 or 3, or a circuit's JSON.")],
    plot: Annotated[Path | None, typer.Option(help="Picture to write: .svg, .png or .pdf; else text.")] = None,
    width: Annotated[int, typer.Option(help="Letters of a line.", min=20)] = 110,
) -> None:
    """Draw a circuit from a file, and say what it has."""
    if plot is not None and plot.suffix.lower() not in FORMATS:
        raise ConfigError(f"plot is {str(plot)!r}, expected a name that ends in {', '.join(FORMATS)}")
    circuit = read_circuit(file)
    typer.echo(repr(circuit))
    if len(circuit) > MOST_DRAWN:
        raise ConfigError(f"{file} has {len(circuit):,} gates, expected at most {MOST_DRAWN:,} to draw")
    if plot is None:
        typer.echo(circuit.draw(width))
        return
    picture = BytesIO()
    circuit.plot().figure.savefig(picture, format=plot.suffix[1:].lower())
    typer.echo(f"{replace_file(plot, picture.getvalue())} written")
