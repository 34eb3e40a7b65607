"""Streams of real rows in order of time, as tables with the first half and the rest."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as csv

from benchmarks.shared import DATA


class StreamTable(NamedTuple):
    """A stream.

    Attributes:
        target: the column with the class.
        path: below the folder of shared data.
    """

    target: str
    path: str


STREAMS = {
    "elec2": StreamTable("class", "elec2/elec.csv.gz"),
    "noaa_weather": StreamTable("target", "noaa_weather/weather.csv.gz"),
}
PREVIOUS = "previous"


def read_stream(name: str, *, previous: bool = False) -> tuple[pa.Table, str]:
    """All rows, their class as text, and its name; with `previous` the class of the row before is a column."""
    stream = STREAMS[name]
    table = csv.read_csv(pa.input_stream(str(DATA / stream.path), compression="gzip"))
    labels = [f"c{label}" for label in table[stream.target].to_pylist()]
    table = table.set_column(table.column_names.index(stream.target), stream.target, pa.array(labels))
    if previous:
        table = table.append_column(PREVIOUS, pa.array([labels[0], *labels[:-1]]))
    return table, stream.target


def halves(table: pa.Table, folder: Path, name: str) -> tuple[Path, Path]:
    """The first half and the rest as CSV files."""
    half = table.num_rows // 2
    paths = folder / f"{name}-first.csv", folder / f"{name}-rest.csv"
    for part, path in zip((table.slice(0, half), table.slice(half)), paths, strict=True):
        csv.write_csv(part, path)
    return paths
