"""Pictures that commands write, by the ends of their names."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import typer

from qloom.errors import ConfigError
from qloom.files import replace_file

FORMATS = (".svg", ".png", ".pdf")


def check_picture(plot: str | Path | None) -> None:
    """Raise ConfigError for a name that is none of a picture."""
    if plot is not None and Path(plot).suffix.lower() not in FORMATS:
        raise ConfigError(f"plot is {str(plot)!r}, expected a name that ends in {', '.join(FORMATS)}")


def write_picture(plot: str | Path, figure: Any) -> None:
    """Write a matplotlib figure, whole or not at all, and say so."""
    path, picture = Path(plot), BytesIO()
    figure.savefig(picture, format=path.suffix[1:].lower())
    typer.echo(f"{replace_file(path, picture.getvalue())} written")
