"""Requests that cannot be answered: each says where, what was given and what was expected, and nothing is predicted."""

from __future__ import annotations

import json
import socket

import pyarrow as pa
import pytest

from qloom.serving.bodies import ARROW
from qloom.serving.refusals import RequestError
from tests.serving.conftest import table_of
from tests.serving.test_predictions import stream_of


@pytest.fixture
def cells() -> list[dict]:
    """Two good rows."""
    return table_of(2, 7).drop_columns(["label", "id"]).to_pylist()


CELLS = [
    ("age", "abc", "'abc'", "a finite number or null"),
    ("age", float("nan"), "nan", "a finite number or null"),
    ("age", float("-inf"), "-inf", "a finite number or null"),
    ("age", [1], "[1]", "a finite number or null"),
    ("age", {"a": 1}, "{'a': 1}", "a finite number or null"),
    ("age", "2024-01-01", "'2024-01-01'", "a finite number or null"),
    ("amount", "1.2.3,4", "'1.2.3,4'", "'1.234,5'"),
    ("day", "tomorrow", "'tomorrow'", "a date"),
    ("day", 3.5, "3.5", "a date"),
    ("city", ["Graz"], "['Graz']", "text"),
    ("city", float("inf"), "inf", "text"),
    ("member", [True], "[True]", "yes"),
]


@pytest.mark.parametrize(("column", "cell", "given", "expected"), CELLS)
def test_cells(served, cells, column, cell, given, expected):
    cells[1][column] = cell
    answer = served.predict({"rows": cells})
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert (problem["row"], problem["column"]) == (1, column)
    assert given in problem["given"]
    assert expected in problem["expected"]
    assert f"row 1, column {column!r}" in answer.json()["error"]
    lists = {name: [row[name] for row in cells] for name in cells[0]}
    assert served.predict({"columns": lists}).json()["problems"] == [problem]


def test_a_number_beyond_all_numbers(served, cells):
    body = json.dumps({"rows": cells}).replace(json.dumps(cells[1]["age"]), "1e999")
    assert served.predict(body).json()["problems"][0]["given"] == "got inf"
    body = json.dumps({"rows": cells}).replace(json.dumps(cells[1]["age"]), "1" + "0" * 400)
    assert served.predict(body).status_code == 422


def test_columns_that_are_missing_or_unknown(served, cells):
    del cells[0]["age"]
    cells[1]["aeg"] = cells[1].pop("age")
    problems = served.predict({"rows": cells}).json()["problems"]
    assert [(each["row"], each["column"], each["given"]) for each in problems] == [
        (0, "age", "missing"), (1, "aeg", "unknown column"), (1, "age", "missing"),
    ]  # fmt: skip
    assert "did you mean 'age'?" in problems[1]["expected"]


def test_the_target_and_columns_without_use_may_come_along(served, cells):
    assert served.predict({"rows": [{**row, "label": "left", "id": 7} for row in cells]}).status_code == 200


@pytest.mark.parametrize(("body", "status", "words"), [
    ("{", 400, "not JSON"), ("[" * 100_000, 400, "not JSON"), (b"\xff", 400, "not JSON"), ("", 400, "not JSON"),
    ("[]", 422, "a list"), ("7", 422, "a int"), ("{}", 422, "expected {\"rows\""), ('{"rows": 3}', 422, "'rows'"),
    ('{"rows": []}', 422, "no rows"), ('{"rows": [1, null]}', 422, "an object of values"),
    ('{"columns": {"age": 3}}', 422, "a list of values"), ('{"columns": {}}', 422, "missing"),
])  # fmt: skip
def test_bodies(served, body, status, words):
    answer = served.predict(body)
    assert (answer.status_code, words in json.dumps(answer.json(), ensure_ascii=False).replace('\\"', '"')) == (
        status,
        True,
    )


def test_lists_of_different_lengths(served, cells):
    lists = {name: [row[name] for row in cells] for name in cells[0]}
    answer = served.predict({"columns": {**lists, "city": ["Graz"]}})
    assert answer.status_code == 422
    assert "1 values" in answer.json()["error"]


def test_content_types(served):
    answer = served.predict("age=3", **{"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415
    assert "-H 'content-type: application/json'" in answer.json()["error"]


def test_arrow_streams_are_not_believed(served, rows):
    whole = stream_of(rows)
    damaged = [b"", b"\0" * 64, whole[: len(whole) // 2], whole[:200] + b"\xff" * 40 + whole[240:], b"A" * 1000]
    for body in damaged:
        assert served.predict(body, **{"content-type": ARROW}).status_code in (400, 415, 422)
    for compression in ("zstd", "lz4"):
        for table in (rows, pa.table({"city": rows["city"].combine_chunks().dictionary_encode()})):
            answer = served.predict(stream_of(table, compression=compression), **{"content-type": ARROW})
            assert (answer.status_code, "compression=None" in answer.json()["error"]) == (415, True)
    nested = rows.append_column("list", pa.array([[1]] * rows.num_rows))
    assert served.predict(stream_of(nested), **{"content-type": ARROW}).status_code == 415
    many = pa.table({"age": pa.nulls(1 << 24)})  # rows that take no bytes
    assert served.predict(stream_of(many), **{"content-type": ARROW}).status_code == 413
    texts = pa.array(["x" * 100_000]).dictionary_encode().take(pa.array([0] * 150))
    wide = rows.set_column(2, "city", texts)
    assert served.predict(stream_of(wide), **{"content-type": ARROW}).status_code == 413
    wrong = rows.set_column(1, "age", pa.array(["x"] * 3 + ["1"] * (rows.num_rows - 3)))
    answer = served.predict(stream_of(wrong), **{"content-type": ARROW})
    assert [problem["row"] for problem in answer.json()["problems"]] == [0, 1, 2]


def test_offsets_that_lead_out_of_a_stream_are_refused():
    """Every byte of a small stream is turned in turn: none ends the process, each is read or refused."""
    from qloom.serving.arrow import read_stream

    whole = bytearray(stream_of(pa.table({"city": ["Graz", None], "age": [1.0, 2.0]})))
    for k in range(len(whole)):
        turned = bytes(whole[:k]) + bytes([whole[k] ^ 0x55]) + bytes(whole[k + 1 :])
        try:
            read_stream(turned, 1 << 20, lambda n_rows: None).to_pylist()
        except (RequestError, UnicodeDecodeError):
            continue


def send_head(served, head: str, body: bytes = b"") -> bytes:
    """The beginning of an answer to what may be less than a request."""
    with socket.create_connection(("127.0.0.1", served.service.settings.port), timeout=10) as connection:
        connection.sendall(
            f"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{head}\r\n\r\n".encode()
        )
        connection.sendall(body)
        return connection.recv(1000)


def test_a_body_of_100_mb_is_refused_before_it_comes(served):
    assert b" 413 " in send_head(served, "content-length: 100000000")
    chunks = b"".join(b"100000\r\n" + b" " * 0x100000 + b"\r\n" for _ in range(9))
    assert b" 413 " in send_head(served, "transfer-encoding: chunked", chunks)
    answer = served.predict(" " * 100_000_000)
    assert (answer.status_code, "expected at most 8,388,608" in answer.json()["error"]) == (413, True)
    assert served.client.get("/health").status_code == 200


def test_too_many_rows(run, serve, cells):
    with serve(run, max_rows=3) as served:
        assert served.predict({"rows": cells * 2}).status_code == 413
        assert served.predict({"columns": {name: [1] * 4 for name in cells[0]}}).status_code == 413


def test_a_body_that_never_comes(run, serve):
    with serve(run, timeout=0.2) as served:
        assert b" 408 " in send_head(served, "content-length: 1000")


def test_paths_and_methods(served):
    assert served.client.get("/other").status_code == 404
    assert served.client.get("/predict").status_code == 405
