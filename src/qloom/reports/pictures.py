"""Pictures in the style of the reports, as SVG."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "text.parse_math": False,
    "text.usetex": False,
    "svg.hashsalt": "qloom",
}


def picture(inches: tuple[float, float], draw: Callable[[Figure], Any], tight: bool = True) -> bytes:
    """An SVG image of what is drawn on a figure."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=inches)
        draw(figure)
        if tight:  # once, here: a figure with a layout of its own is drawn twice, the first time for its layout alone
            FigureCanvasSVG(figure)
            ConstrainedLayoutEngine().execute(figure)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, dpi=150, metadata={"Date": None})
    return buffer.getvalue()


def as_address(inches: tuple[float, float], draw: Callable[[Figure], Any], tight: bool = True) -> str:
    """The picture as a data address, which needs no other file."""
    return address_of(picture(inches, draw, tight))


def address_of(svg: bytes) -> str:
    """An SVG image as a data address."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
