"""Prequential accuracy on elec2 and noaa_weather: a run on the first half, the second half row by row.

Goals: the model whose readout follows the stream at least 3 points above the frozen one, and within 2 points of river's
adaptive random forest, which learnt the first half too. Beside them the last class again, controls, and all with the
class of the row before as an input.

Run: python -m benchmarks.streams.prequential [elec2|noaa_weather] [previous] [RIVER,...]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.results import append_row, provenance
from benchmarks.streams.tables import STREAMS, halves, read_stream
from qloom.training import train_run
from qloom.training.configuration import make_configuration
from qloom.watching.looking import open_watched
from qloom.watching.page import write_page
from qloom.watching.row_by_row import prequential

PAGES = Path("build/streams")


def measure(name: str, previous: bool, river: tuple[str, ...]) -> None:
    """One stream: a row of results a learner, and a page."""
    table, target = read_stream(name, previous=previous)
    with tempfile.TemporaryDirectory() as folder:
        first, rest = halves(table, Path(folder), name)
        configuration = make_configuration({
            "name": name, "output": folder, "data": {"source": str(first), "target": target},
            "split": {"kind": "time"}, "comparison": {"seeds": 1},
        })  # fmt: skip
        run = train_run(configuration)
        found = prequential(open_watched(run, str(rest)), river, lambda text: print(text, flush=True))
    title = f"{name} with the class before" if previous else name
    write_page({**found, "run": title, "source": name}, PAGES / f"{title.replace(' ', '-')}.html",
               "prequential.html.jinja")  # fmt: skip
    for each in found["learners"]:
        value, low, high = each["score"]
        gain, least, most = each["beyond"]
        row = {"stream": title, "rows": found["n_rows"], "learner": each["title"], "accuracy": value, "low": low,
               "high": high, "above_frozen": gain, "above_low": least, "above_high": most,
               "seconds": each["seconds"]}  # fmt: skip
        append_row("streams", {**row, **provenance()})


def main() -> None:
    words = sys.argv[1:]
    names = [word for word in words if word in STREAMS] or list(STREAMS)
    river = next((word for word in words if word not in (*STREAMS, "previous")), "forest,tree,bagging")
    for name in names:
        measure(name, "previous" in words, tuple(each for each in river.split(",") if each != "none"))


if __name__ == "__main__":
    main()
