"""The run that is served in benchmarks: customers of a telephone company, 19 columns, a circuit of 8 qubits."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from benchmarks.serving.load import request
from benchmarks.shared import DATA
from qloom.training import train_run
from qloom.training.configuration import make_configuration
from qloom.training.table import read_source

SOURCE = DATA / "telco_churn" / "telco_churn.csv.gz"
ROWS_A_REQUEST = 32


def make_run(folder: Path) -> Path:
    """Train it, a few seconds, once."""
    values = {
        "name": "churn", "output": str(folder), "data": {"source": str(SOURCE), "target": "Churn"},
        "model": {"n_qubits": 8}, "training": {"epochs": 5}, "comparison": {"seeds": 1},
    }  # fmt: skip
    return Path(train_run(make_configuration(values)))


def customers() -> pa.Table:
    """Rows without name and target."""
    return read_source(str(SOURCE)).drop_columns(["customerID", "Churn"])


def requests(table: pa.Table, path: str = "/predict") -> list[bytes]:
    """All full requests that the rows of a table make."""
    rows, size = table.to_pylist(), ROWS_A_REQUEST
    return [
        request("localhost", path, json.dumps({"rows": rows[start : start + size]}).encode())
        for start in range(0, len(rows) - size + 1, size)
    ]
