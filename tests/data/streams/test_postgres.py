"""Queries of a PostgreSQL server that this test starts: every type, what breaks off, and what is no one's business."""

import datetime
import os
import threading
import warnings

import numpy as np
import pytest

from qloom.data.streams import hash_parts, learn_stream, open_stream
from qloom.errors import DataError
from tests.data.streams.test_files import whole

psycopg = pytest.importorskip("psycopg", reason="the extra postgres is not installed")
ALL_TYPES = """
    CREATE TABLE kinds AS SELECT i::int AS whole, i * 0.5::float8 AS part, (i * 1.1)::numeric(12, 2) AS price,
        'k' || (i % 5) AS word, i % 2 = 0 AS truth, date '2020-01-01' + (i % 100)::int AS day,
        timestamp '2020-01-01' + i * interval '1 second' AS moment,
        timestamptz '2020-01-01 12:00:00+02' + i * interval '1 hour' AS zoned, NULL::text AS nothing,
        E'line\\none, "two" ' || i AS lines, CASE WHEN i % 10 = 0 THEN NULL ELSE i END AS gaps,
        '{"a": 1}'::json AS other
    FROM generate_series(0, 149999) i
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a server without a password."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of folders that no login has made
        pgserver = pytest.importorskip("pgserver", reason="no package that starts a PostgreSQL server")
        started = pgserver.get_server(tmp_path_factory.mktemp("server"))
    address = started.get_uri()
    with psycopg.connect(address) as connection:
        connection.execute(ALL_TYPES)
    yield address
    started.cleanup()


@pytest.mark.slow
def test_rows_are_those_of_the_server(server, tmp_path):
    query = "SELECT * FROM kinds ORDER BY whole;"
    stream = open_stream(server, query, spool=tmp_path / "spool")
    rows = whole(stream)
    assert rows.num_rows == 150_000
    assert rows["whole"].to_pylist() == list(range(150_000))
    assert rows["price"][7].as_py() == pytest.approx(7.7)
    assert rows.slice(10, 1).to_pylist()[0] == {
        "whole": 10, "part": 5.0, "price": 11.0, "word": "k0", "truth": True, "day": datetime.date(2020, 1, 11),
        "moment": datetime.datetime(2020, 1, 1, 0, 0, 10),
        "zoned": datetime.datetime(2020, 1, 1, 20, tzinfo=datetime.UTC),
        "nothing": None, "lines": 'line\none, "two" 10', "gaps": None, "other": '{"a": 1}',
    }  # fmt: skip
    assert rows["gaps"].null_count == 15_000
    assert "written once from the query of postgresql://localhost/postgres" in stream.description
    with psycopg.connect(server, autocommit=True) as connection:  # the server is not asked again
        connection.execute("ALTER TABLE kinds RENAME TO elsewhere")
        again = open_stream(server, query, spool=tmp_path / "spool")
        connection.execute("ALTER TABLE elsewhere RENAME TO kinds")
    assert again.fingerprint() == stream.fingerprint()


@pytest.mark.slow
def test_a_query_is_learnt_from(server, tmp_path):
    stream = open_stream(server, "SELECT part, word, day, zoned, truth FROM kinds", spool=tmp_path / "spool")
    learnt = learn_stream(stream, "truth", parts=hash_parts(), n_sample=20_000)
    assert [column.kind for column in learnt.schema.features] == ["number", "category", "date", "date"]
    part = learnt.preprocessing.codings[0]
    training = np.arange(150_000)[np.concatenate([learnt.parts(stream.read(i), b.first) for i, b in enumerate(stream.blocks)]) == 0]  # fmt: skip  # noqa: E501
    assert part.mean == pytest.approx((training * 0.5).mean(), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nobody FROM kinds", 'column "nobody" does not exist'),
        ("SELECT 1 / (whole - 140000) AS x FROM kinds", "division by zero"),
        ("DELETE FROM kinds", "syntax error"),
        ("SELECT 'infinity'::timestamp AS t FROM kinds", "invalid value 'infinity'"),
        ("SELECT * FROM kinds WHERE whole < 0", "has 0 rows"),
        (None, "without a query"),
    ],
)
def test_queries_that_fail(query, message, server, tmp_path):
    with pytest.raises(DataError, match=message) as raised:
        open_stream(server, query, spool=tmp_path / "spool")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "spool" / "rows").exists()
    with psycopg.connect(server) as connection:
        assert connection.execute("SELECT count(*) FROM kinds").fetchone() == (150_000,)


@pytest.mark.slow
def test_a_connection_that_breaks_off_leaves_nothing(server, tmp_path):
    """The server ends the backend that sends the rows."""
    query = "SELECT whole, pg_sleep(0.00002)::text AS s FROM kinds"

    def end():
        with psycopg.connect(server, autocommit=True) as connection:
            while not connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'"
            ).fetchall():
                pass

    ender = threading.Thread(target=end)
    ender.start()
    with pytest.raises(DataError, match=r"the query of postgresql://localhost/postgres fails: "):
        open_stream(server, query, spool=tmp_path / "spool")
    ender.join()
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"the query of postgresql://127.0.0.1/shop fails: connection failed"):
        open_stream("postgresql://127.0.0.1:9/shop", "SELECT 1", spool=tmp_path)


def test_a_password_in_the_address_is_refused_and_not_told(tmp_path):
    with pytest.raises(DataError, match="put it into PGPASSWORD") as raised:
        open_stream("postgresql://me:secret@localhost/shop", "SELECT 1", spool=tmp_path)
    assert "secret" not in str(raised.value)
    assert os.listdir(tmp_path) == []
