"""What waits is bounded: in rows, in time, in bytes."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from qloom.errors import ConfigError
from qloom.serving.settings import Settings


def test_beyond_the_queue_requests_are_told_when_to_come_back(run, rows, serve):
    """Each waits half a second for others, and forty rows may."""
    with serve(run, wait=0.5, queue_rows=40, max_rows=40) as served:
        body = json.dumps({"rows": rows.slice(0, 10).to_pylist()})
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: served.predict(body), range(8)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] * 4 + [429] * 4
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert served.predict(body).status_code == 200
        metrics = served.client.get("/metrics").text
    assert 'qloom_refusals_total{reason="busy"} 4.0' in metrics
    assert 'qloom_requests_total{path="/predict",status="429"} 4.0' in metrics


def test_requests_that_take_too_long_are_given_up(run, rows, serve):
    with serve(run, wait=1.0, timeout=0.3) as served:
        start = time.perf_counter()
        answer = served.predict({"rows": rows.slice(0, 2).to_pylist()})
        assert (answer.status_code, "0.3 s" in answer.json()["error"]) == (504, True)
        assert time.perf_counter() - start < 0.9
        assert served.service.batcher.n_waiting in (0, 2)
        time.sleep(1.0)
        assert served.service.batcher.n_waiting == 0
        assert "qloom_rows_total 0.0" in served.client.get("/metrics").text


def test_a_full_batch_does_not_wait(run, rows, serve):
    with serve(run, wait=5.0, batch_rows=20) as served:
        start = time.perf_counter()
        assert served.predict({"rows": rows.slice(0, 20).to_pylist()}).status_code == 200
        assert time.perf_counter() - start < 3


def test_one_request_must_fit():
    with pytest.raises(ConfigError, match="a queue of 10"):
        Settings("runs/x", max_rows=11, queue_rows=10)
