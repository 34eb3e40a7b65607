"""Ten minutes at full load, one row in a hundred malformed: no wrong answer, every bad row named, memory flat.

Every answer is compared with what the model's folder predicts for the same rows, bit for bit, and every refusal with
the rows that were spoilt.

Run: python -m benchmarks.serving.soak [--seconds 600] [--workers 1]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import uvloop

from benchmarks.results import append_row, provenance
from benchmarks.serving.load import Measured, closed, request
from benchmarks.serving.processes import free_port, memory_of, qloom_serve, server
from benchmarks.serving.runs import ROWS_A_REQUEST, customers, make_run
from qloom.training.evaluation import open_model
from qloom.training.predictions import prediction_columns

SHARE = 0.01


@dataclass
class Asked:
    """Requests, and what is to be answered.

    Attributes:
        bodies: as they are sent.
        expected: of each the predictions, or the (row, column) of all spoilt cells.
        wrong: answers that were anything else, the first few.
    """

    bodies: list[bytes]
    expected: list[Any]
    wrong: list[str] = field(default_factory=list)

    def check(self, k: int, status: int, body: bytes) -> None:
        """Compare an answer."""
        content, expected = json.loads(body), self.expected[k]
        if isinstance(expected, set):
            found: Any = {(problem["row"], problem["column"]) for problem in content.get("problems", ())}
            right = status == 422 and found == expected
        else:
            right = status == 200 and [list(row["probability"].values()) for row in content["predictions"]] == expected
        if not right and len(self.wrong) < 10:
            self.wrong.append(f"request {k}: status {status}, {body[:300]!r}, expected {expected}")


def make_asked(run: Path, table: pa.Table, n_requests: int, seed: int = 0) -> Asked:
    """Requests of rows drawn from a table, each row spoilt with a chance of one in a hundred."""
    draw, asked = np.random.default_rng(seed), Asked([], [])
    model = open_model(run, None)
    numbers = [
        name
        for name in table.column_names
        if pa.types.is_floating(table[name].type) or pa.types.is_integer(table[name].type)
    ]
    for _ in range(n_requests):
        part = table.take(pa.array(draw.integers(0, table.num_rows, ROWS_A_REQUEST)))
        rows, spoilt = part.to_pylist(), set()
        for k in np.flatnonzero(draw.random(ROWS_A_REQUEST) < SHARE).tolist():
            column = str(draw.choice(numbers))
            rows[k][column] = [["nested"], "no number", {}][draw.integers(3)]
            spoilt.add((k, column))
        asked.bodies.append(request("localhost", "/predict", json.dumps({"rows": rows}).encode()))
        columns = prediction_columns(model.coding_, model.predict_table(part))
        shares = [columns[name].tolist() for name in columns if name != "prediction"]
        asked.expected.append(spoilt or [list(row) for row in zip(*shares, strict=True)])
    return asked


async def soak(port: int, process: int, asked: Asked, seconds: float, every: float) -> tuple[Measured, list[int]]:
    """The load, and bytes of memory after a warm-up and then after each `every` seconds."""
    await closed(port, asked.bodies, 8, min(10.0, seconds / 4), asked.check)
    sizes = [memory_of(process)]

    async def weigh() -> None:
        while True:
            await asyncio.sleep(every)
            sizes.append(memory_of(process))
            print(f"{len(sizes) - 1}: {sizes[-1] / 1e6:.1f} MB", flush=True)

    weighing = asyncio.create_task(weigh())
    found = await closed(port, asked.bodies, 8, seconds, asked.check)
    weighing.cancel()
    sizes.append(memory_of(process))
    return found, sizes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--run", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run, port = options.run or make_run(Path(name)), free_port()
        asked = make_asked(run, customers(), 800)
        with server(qloom_serve(run, port, "--workers", str(options.workers)), "curl") as process:
            found, sizes = uvloop.run(soak(port, process.pid, asked, options.seconds, 60.0))
    row = {
        "seconds": options.seconds, "workers": options.workers, "requests": len(found.latencies),
        "rows_a_second": found.rate * ROWS_A_REQUEST, "answered_200": found.statuses.get(200, 0),
        "answered_422": found.statuses.get(422, 0), "wrong": len(asked.wrong), "p99_ms": found.quantile(0.99),
        "memory_first_mb": sizes[0] / 1e6, "memory_most_mb": max(sizes) / 1e6, "memory_last_mb": sizes[-1] / 1e6,
        "goal": "no wrong answer, no growth", "load_average": os.getloadavg()[0],
    }  # fmt: skip
    append_row("serving_soak", {**row, **provenance()})
    print(row, *asked.wrong, sep="\n")


if __name__ == "__main__":
    main()
