"""Programs: circuits as rotations about Pauli words, whatever runs them."""

from qloom.programs.frame import flat_gates, make_frame
from qloom.programs.pulling import effective, pull, pull_back, pull_back_sums
from qloom.programs.rotations import SOURCES, Rotations, Terms

__all__ = [
    "SOURCES", "Rotations", "Terms", "effective", "flat_gates", "make_frame", "pull", "pull_back", "pull_back_sums",
]  # fmt: skip
