"""What a server answers is what `qloom predict` writes for the same rows, bit for bit, whoever else asks."""

from __future__ import annotations

import asyncio
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pyarrow as pa
import pytest

from qloom.cli import main
from qloom.files import read_json, write_json
from qloom.serving.bodies import ARROW
from qloom.training.evaluation import open_model


@pytest.fixture(scope="module")
def written(run, rows, tmp_path_factory) -> pa.Table:
    """What `qloom predict` writes for the rows."""
    folder = tmp_path_factory.mktemp("written")
    pa.parquet.write_table(rows, folder / "rows.parquet")
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(run), str(folder / "rows.parquet"), "--output", str(folder / "out.parquet")])
    assert not ended.value.code
    return pa.parquet.read_table(folder / "out.parquet")


def columns_of(predictions: list[dict]) -> dict[str, list]:
    names = predictions[0]["probability"]
    found = {f"probability:{name}": [each["probability"][name] for each in predictions] for name in names}
    return {key: [each[key] for each in predictions] for key in ("prediction", "unseen")} | found


def test_rows(served, rows, written):
    answer = served.predict({"rows": rows.to_pylist()}).json()
    assert columns_of(answer["predictions"]) == {
        name: written[name].to_pylist() for name in written.column_names if name != "row"
    }


def test_columns(served, rows, written):
    answer = served.predict({"columns": rows.to_pydict()}).json()
    assert {**answer["columns"], "row": list(range(rows.num_rows))} == written.to_pydict()


def test_arrow_there_and_back(served, rows, written):
    for table in (rows, rows.set_column(2, "city", rows["city"].combine_chunks().dictionary_encode())):
        answer = served.predict(stream_of(table), **{"content-type": ARROW})
        with pa.ipc.open_stream(answer.content) as stream:
            assert stream.read_all().to_pydict() == written.drop_columns(["row"]).to_pydict()
    answer = served.predict(stream_of(rows), **{"content-type": ARROW, "accept": "application/json"}).json()
    assert answer["columns"]["prediction"] == written["prediction"].to_pylist()
    answer = served.predict({"rows": rows.to_pylist()}, accept=ARROW)
    assert answer.headers["content-type"] == ARROW


def stream_of(table: pa.Table, **options) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def test_the_control_beside(served, run, rows):
    """The classical layer that the run trained, not another reading of the model."""
    answer = served.predict({"rows": rows.to_pylist()}, "/predict?control=true").json()
    control = open_model(run, "classical").predict_table(rows)
    own = open_model(run, None).predict_table(rows)
    for key, expected in (("control", control), ("predictions", own)):
        shares = [list(each["probability"].values()) for each in answer[key]]
        assert np.array_equal(shares, expected)
    assert not np.array_equal(control, own)


def test_requests_together_are_answered_as_alone(served, rows, written):
    """Forty clients at once, requests of 1 to 30 rows: batches are what they happen to be."""
    draw = np.random.default_rng(0)
    cuts = [
        (int(a), int(a) + int(size))
        for a, size in zip(draw.integers(0, 120, 120), draw.integers(1, 31, 120), strict=True)
    ]
    cells = rows.to_pylist()
    before = batches(served)

    def ask(cut: tuple[int, int]) -> list[float]:
        answer = served.predict({"rows": cells[slice(*cut)]}).json()
        return columns_of(answer["predictions"])["probability:left"]

    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(ask, cuts))
    expected = written["probability:left"].to_pylist()
    assert found == [expected[slice(*cut)] for cut in cuts]
    assert batches(served) - before < len(cuts)


def batches(served) -> float:
    """How many there were."""
    lines = served.client.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith("qloom_batch_rows_count")).split()[1])


def test_other_models_of_the_run(run, rows, serve):
    with serve(run, model="boosting") as served:
        answer = served.predict({"rows": rows.to_pylist()}).json()
        expected = open_model(run, "boosting").predict_table(rows)
        assert np.array_equal([list(each["probability"].values()) for each in answer["predictions"]], expected)
        assert served.client.get("/schema").json()["model"] == "gradient boosting"


def test_a_measured_model_gives_each_request_its_own_numbers(run, rows, serve, tmp_path):
    """Shots with a seed: as of a model that was just read, whatever was asked before and beside."""
    folder = tmp_path / "measured"
    shutil.copytree(run / "model", folder)
    record = read_json(folder / "model.json")
    write_json(folder / "model.json", {**record, "engine": {**(record["engine"] or {}), "shots": 50, "seed": 7}})
    rows = rows.slice(0, 9).drop_columns(["id"])
    expected = open_model(folder, None).predict_table(rows)

    async def ask(address: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=address) as client:
            body = json.dumps({"rows": rows.to_pylist()})
            headers = {"content-type": "application/json"}
            return await asyncio.gather(*(client.post("/predict", content=body, headers=headers) for _ in range(4)))

    with serve(folder) as served:
        for answer in asyncio.run(ask(served.service.settings.address)):
            assert answer.status_code == 200, answer.text
            shares = [list(each["probability"].values()) for each in answer.json()["predictions"]]
            assert np.array_equal(shares, expected)
