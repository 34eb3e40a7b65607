"""Circuits drawn as text and as matplotlib figures."""

from qloom.circuits.drawing.figure import draw_figure, figure_size
from qloom.circuits.drawing.text import draw_text

__all__ = ["draw_figure", "draw_text", "figure_size"]
