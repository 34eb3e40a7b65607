"""Tables: from files, frames, arrays and SQL to what a network takes in, by a fitted way that is saved."""

from qloom.data.bit_coding import BitCoding
from qloom.data.inspection import inspect_table
from qloom.data.preprocessing import Preprocessing
from qloom.data.schema import Column, Schema
from qloom.data.sources import read_table, table_from_array
from qloom.data.splits import Split, split_rows
from qloom.data.target import TargetCoding, rows_with_target

__all__ = [
    "BitCoding",
    "Column",
    "Preprocessing",
    "Schema",
    "Split",
    "TargetCoding",
    "inspect_table",
    "read_table",
    "rows_with_target",
    "split_rows",
    "table_from_array",
]
