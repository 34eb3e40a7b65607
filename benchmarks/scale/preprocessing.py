"""One pass of statistics over tables on disk, and a second that codes them: rows a second, and memory as rows grow.

20 columns and a target (`benchmarks/scale/tables.py`) of 1e6, 3e6 and 1e7 rows, each in a fresh process on two threads.

Goal: 300,000 rows a second in each pass, less than 1 GB of memory, and none more at 1e7 rows than at 1e6.

Floor, for one core of the machine named in the results: Parquet to plain columns 0.4 us a row (20 ns a number, 20 to
40 ns a category), a sort of 65,536 numbers 15 ns a number, the other sums over a number in cache 15 ns. That is
0.4 + 16 * (15 + 15) / 1000 + 4 * 0.06 = 1.1 us a row: 1.8 million rows a second on two cores. What is learnt on a
sample of 100,000 rows costs some seconds, whatever the rows. Beside the rates, the time that this process had of the
cores is told, in microseconds a row: where others run beside it, it is the figure to look at.

Run: python -m benchmarks.scale.preprocessing [ROWS ...]   (1.2 GB of disk for 1e7 rows, removed afterwards)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.results import append_row, provenance
from benchmarks.scale.tables import write_table

SIZES = (1_000_000, 3_000_000, 10_000_000)
THREADS = 2
GOALS = {"rows_a_second": 300_000, "peak_mb": 1000}


def measure(folder: Path) -> dict[str, float | int]:
    """Rates of both passes in this process and its peak of memory."""
    from qloom.data.streams import hash_parts, learn_stream, open_stream

    stream = open_stream(folder, spool=folder / "spool")
    start = time.perf_counter(), time.process_time()
    learnt = learn_stream(stream, "bought", parts=hash_parts(), threads=THREADS)
    passed = time.perf_counter() - start[0], time.process_time() - start[1]
    preprocessing = learnt.preprocessing
    out = np.empty((max(block.n_rows for block in stream.blocks), preprocessing.n_features), dtype=np.float32)
    start = time.perf_counter(), time.process_time()
    for block in range(len(stream.blocks)):
        preprocessing.transform(stream.read(block), threads=THREADS, is_plain=True, out=out)
    coded = time.perf_counter() - start[0], time.process_time() - start[1]
    return {
        "rows": stream.n_rows,
        "features": preprocessing.n_features,
        "learn_rows_a_second": round(stream.n_rows / passed[0]),
        "learn_us_a_row": passed[1] / stream.n_rows * 1e6,
        "code_rows_a_second": round(stream.n_rows / coded[0]),
        "code_us_a_row": coded[1] / stream.n_rows * 1e6,
        "peak_mb": round(peak()),
    }


def peak() -> float:
    """The most memory of this process so far, in MB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1e3


def run(n_rows: int) -> dict[str, float | int]:
    """What a fresh process measures on a table of `n_rows`."""
    with tempfile.TemporaryDirectory() as name:
        folder = write_table(Path(name) / "table", n_rows)
        command = [sys.executable, "-m", "benchmarks.scale.preprocessing", "--measure", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float | int] = json.loads(done.stdout)
    return found


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]))))
        return
    for n_rows in [int(float(word)) for word in sys.argv[1:]] or SIZES:
        load = os.getloadavg()[0]
        row = {**run(n_rows), "goal": GOALS["rows_a_second"], "load": round(load, 1)}
        append_row("scale_preprocessing", {**row, **provenance()})
        print(row, flush=True)


if __name__ == "__main__":
    main()
