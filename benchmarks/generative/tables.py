"""Synthetic rows of real tables: what a classifier tells, what they are good for, how near they are to training rows.

Every model learns the same three quarters of the rows, and all is measured on the rest. Each table twice: as many bits
as the usual coding has, and as few as circuits can draw rows of.

Run: python -m benchmarks.generative.tables [--only NAME]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import append_row, provenance
from benchmarks.shared import DATA
from qloom.training.generation import Generation, generate
from qloom.training.generation_folder import GenerationFolder

FEW = (("bins", 2), ("categories", "binary"), ("max_levels", 4))


@dataclass(frozen=True)
class Table:
    """A table, its target, and the coding that circuits can draw rows of."""

    name: str
    file: str
    target: str
    few: tuple[tuple[str, Any], ...] = FEW


TABLES = (
    Table("power_grid", "electrical_grid.csv.gz", "stabf"),
    Table("online_shoppers", "online_shoppers_intention.csv.gz", "Revenue"),
    Table("adult_income", "adult.csv.gz", "income >50K"),
)


def asked(table: Table) -> Iterator[Generation]:
    """The usual coding with classical models alone, then few bits with circuits."""
    source = str(DATA / table.name / table.file)
    yield Generation(source, 1000, "chow-liu", target=table.target)
    yield Generation(source, 1000, "iqp", target=table.target, coding=table.few)


def measure(table: Table) -> None:
    """Append a row a model and coding."""
    for each in asked(table):
        with tempfile.TemporaryDirectory() as folder:
            generate(each, Path(folder) / table.name, print)
            record = GenerationFolder(Path(folder) / table.name).metrics()
        for key, found in record["models"].items():
            auc, score, distance = found["detection"], found["usefulness"], found["privacy"]
            row = {
                "table": table.name, "bits": record["n_bits"], "model": key, "marginal": found["marginal"],
                "pairs": found["pairs"], "auc": auc[0], "auc_low": auc[1], "auc_high": auc[2],
                "metric": record["metric"], "score": score[0], "score_low": score[1], "score_high": score[2],
                "distance": distance[0], "distance_low": distance[1], "distance_high": distance[2],
                "copies": found["copies"], "mended": found["repaired"], "seconds": found["seconds"],
            }  # fmt: skip
            append_row("tables", {**row, **provenance()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="tables with this in their name")
    only = parser.parse_args().only
    for table in TABLES:
        if only in table.name:
            measure(table)


if __name__ == "__main__":
    main()
