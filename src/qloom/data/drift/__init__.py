"""How far new rows have moved from those a model learnt from, column by column, from counts in bins."""

from qloom.data.drift.bins import Bins, LevelBins, NumberBins
from qloom.data.drift.comparison import ColumnDrift, find_drift
from qloom.data.drift.reference import PREDICTION, Counts, LossSummary, Reference

__all__ = [
    "PREDICTION",
    "Bins",
    "ColumnDrift",
    "Counts",
    "LevelBins",
    "LossSummary",
    "NumberBins",
    "Reference",
    "find_drift",
]
