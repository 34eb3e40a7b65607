"""Servers as processes: they finish what is in flight, several count as one, none lingers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from benchmarks.serving.processes import free_port, qloom_serve, server
from benchmarks.serving.soak import make_asked, soak
from tests.serving.conftest import table_of

pytestmark = pytest.mark.slow
HEADERS = {"content-type": "application/json"}


@pytest.fixture
def folder(run, tmp_path):
    return shutil.copytree(run, tmp_path / "rows")


def test_sigterm_finishes_what_is_in_flight(folder, rows):
    """Forty requests wait for others when the signal comes: all are answered, no more are taken."""
    port, body = free_port(), json.dumps({"rows": rows.slice(0, 3).to_pylist()})
    address = f"http://127.0.0.1:{port}"

    def ask(_: int) -> int:
        return httpx.post(f"{address}/predict", content=body, headers=HEADERS, timeout=60).status_code

    with server(qloom_serve(folder, port, "--wait", "8000"), "curl") as process, ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(ask, k) for k in range(40)]
        while "qloom_waiting_rows 120.0" not in httpx.get(f"{address}/metrics", timeout=60).text:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert {answer.result() for answer in answers} == {200}
        assert process.wait(20) == 0
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port))


def test_workers_count_as_one_and_are_replaced(folder, rows):
    port = free_port()
    body = json.dumps({"rows": rows.slice(0, 10).to_pylist()})
    address = f"http://127.0.0.1:{port}"
    with server(qloom_serve(folder, port, "--workers", "2"), "curl") as process:

        def ask(count: int) -> None:
            for _ in range(count):  # a connection each, so that both get some
                assert httpx.post(f"{address}/predict", content=body, headers=HEADERS).status_code == 200

        ask(30)
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        assert "qloom_rows_total 300.0" in httpx.get(f"{address}/metrics").text
        os.kill(workers[0].pid, signal.SIGKILL)
        for _ in range(200):
            if (
                len(alive := [each for each in psutil.Process(process.pid).children() if each.is_running()]) == 2
                and workers[0] not in alive
            ):
                break
            time.sleep(0.1)
        time.sleep(3)
        ask(30)
        assert "qloom_rows_total 600.0" in httpx.get(f"{address}/metrics").text
        children = psutil.Process(process.pid).children()
    assert not any(child.is_running() for child in children)


def test_workers_end_with_a_server_that_is_killed(folder):
    port = free_port()
    with server(qloom_serve(folder, port, "--workers", "2"), "curl") as process:
        children = psutil.Process(process.pid).children()
        process.kill()
        _, left = psutil.wait_procs(children, timeout=20)
        assert not left


def test_twenty_seconds_at_full_load_with_malformed_rows(folder):
    """The ten minutes of benchmarks/serving/soak.py, short; memory may settle by a twentieth of what it is."""
    import asyncio

    port, table = free_port(), table_of(400, 20).drop_columns(["label", "id"])
    asked = make_asked(folder, table, 300)
    with server(qloom_serve(folder, port), "curl") as process:
        found, sizes = asyncio.run(soak(port, process.pid, asked, 20.0, 5.0))
    assert asked.wrong == []
    assert set(found.statuses) == {200, 422}
    assert max(sizes) < 1.05 * sizes[0]
