"""A run on a table with all kinds of columns, and a server of it."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from qloom.serving.server import serving
from qloom.serving.service import Service
from qloom.serving.settings import Settings
from qloom.training import train_run
from qloom.training.configuration import make_configuration

N_ROWS = 240
CITIES = ("Köln", "Lyon", "Graz", "Oslo")


def table_of(n_rows: int, seed: int) -> pa.Table:
    """Numbers, words, truths, dates, numbers as Germans write them; missing cells; a class that hangs on some."""
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 90, n_rows).astype(float)
    city = draw.choice(CITIES, n_rows, p=(0.4, 0.3, 0.2, 0.1))
    amount = np.round(draw.lognormal(6, 1, n_rows), 2)
    day = np.datetime64("2024-01-01") + draw.integers(0, 700, n_rows)
    member = draw.random(n_rows) < 0.5
    score = age / 30 + 2 * (city == "Lyon") + 0.002 * amount - member + draw.normal(0, 0.5, n_rows)
    return pa.table(
        {
            "id": [f"row {k}" for k in range(n_rows)],
            "age": [None if draw.random() < 0.05 else value for value in age],
            "city": [None if draw.random() < 0.05 else str(value) for value in city],
            "amount": [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in amount],
            "day": [f"{each.astype(object):%d.%m.%Y}" for each in day],
            "member": ["yes" if value else "no" for value in member],
            "label": np.where(score > np.median(score), "left", "stayed"),
        }
    )


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Path:
    """A finished run: two qubits, two epochs."""
    folder = tmp_path_factory.mktemp("serving")
    source = folder / "rows.csv"
    pa.csv.write_csv(table_of(N_ROWS, 0), source)
    values = {
        "name": "rows", "output": str(folder), "data": {"source": str(source), "target": "label"},
        "model": {"n_qubits": 2, "n_layers": 1, "width": 8}, "training": {"epochs": 2}, "comparison": {"seeds": 1},
    }  # fmt: skip
    train_run(make_configuration(values))
    return folder / "rows"


@pytest.fixture(scope="session")
def rows() -> pa.Table:
    """Rows that no model learnt from, without the target."""
    return table_of(150, 1).drop_columns(["label"])


@dataclass
class Served:
    """A server and a client of it.

    Attributes:
        run: the folder that is served.
    """

    run: Path
    service: Service
    client: httpx.Client

    def predict(self, body: object, path: str = "/predict", **headers: str) -> httpx.Response:
        """A POST of JSON, or of what is text already."""
        content = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.client.post(path, content=content, headers={"content-type": "application/json"} | headers)


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """Start servers by their settings, each of a copy of a run, since there is one server a run."""

    @contextmanager
    def start(run: Path, **settings):
        copy = shutil.copytree(run, tmp_path_factory.mktemp("served") / run.name)
        with serving(Settings(str(copy), port=0, **settings)) as service:
            token = service.settings.token
            headers = {} if token is None else {"authorization": f"Bearer {token}"}
            with httpx.Client(base_url=service.settings.address, headers=headers, timeout=30) as client:
                yield Served(copy, service, client)

    return start


@pytest.fixture(scope="module")
def served(run, serve):
    """A server of the run, one a module."""
    with serve(run) as found:
        yield found
