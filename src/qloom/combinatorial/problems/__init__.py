"""Problems: what people bring, as a quadratic function, with the readers of their files."""

from qloom.combinatorial.problems.max_cut import MaxCut, read_max_cut

__all__ = ["MaxCut", "read_max_cut"]
