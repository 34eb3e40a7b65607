"""`qloom serve` on the command line: what it says before it answers, and what it refuses in one line."""

from __future__ import annotations

import json
import shlex
import shutil
import socket
from dataclasses import replace
from itertools import pairwise

import httpx
import pytest

from qloom.cli.serve import introduction, read_token
from qloom.errors import ConfigError
from qloom.files import read_json, write_json
from qloom.serving.claim import claimed
from qloom.serving.server import serving
from qloom.serving.settings import Settings


def test_the_line_that_it_says_to_try_predicts(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "wine")
    with serving(Settings(str(run), port=0)) as service:
        lines = introduction(service.settings, service.model)
        words = shlex.split(lines[-1])
        assert words[:2] == ["curl", "-s"]
        headers = dict(word.split(": ") for flag, word in pairwise(words) if flag == "-H")
        answer = httpx.post(words[2], content=words[-1], headers=headers)
        assert answer.status_code == 200
        assert answer.json()["unseen"] == []
        (predicted,) = answer.json()["predictions"]
    assert predicted["prediction"] in service.model.schema["classes"]
    assert "wine: hybrid quantum model, version 0-" in lines[0]
    assert "on test rows, beside" in lines[1]
    assert service.settings.address in lines[2]
    assert "$QLOOM_TOKEN" in introduction(replace(service.settings, token="x"), service.model)[-1]


def test_a_port_in_use(qloom, trained):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for workers in (1, 2):
            ended = qloom("serve", trained, "--port", port, "--workers", workers)
            assert (ended.code, ended.out) == (2, "")
            assert f"port {port} of 127.0.0.1 is in use, expected a free one" in ended.err


def test_a_second_server_on_one_run(qloom, trained):
    with claimed(trained):
        ended = qloom("serve", trained, "--port", 0)
    assert ended.code == 2
    assert "is served already by process" in ended.err
    assert ended.err.count("\n") == 1


def test_other_machines_without_a_token(qloom, trained, monkeypatch):
    monkeypatch.delenv("QLOOM_TOKEN", raising=False)
    ended = qloom("serve", trained, "--host", "0.0.0.0")
    assert (ended.code, "--token-file" in ended.err) == (2, True)
    for host in ("192.0.2.1", "no.such.host.invalid"):
        monkeypatch.setenv("QLOOM_TOKEN", "x")
        assert qloom("serve", trained, "--host", host, "--port", 0).code == 2


def test_tokens(tmp_path, monkeypatch):
    monkeypatch.setenv("QLOOM_TOKEN", "abc")
    assert read_token(None) == "abc"
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    assert read_token(file) == "s3cret"
    for text in ("", "\n", "two words", "schlüssel"):
        file.write_text(text)
        with pytest.raises(ConfigError, match="holds no token"):
            read_token(file)


def test_what_is_no_finished_run(qloom, trained, tmp_path):
    (tmp_path / "empty").mkdir()
    unfinished = shutil.copytree(trained, tmp_path / "unfinished")
    (unfinished / "metrics.json").unlink()
    other = shutil.copytree(trained, tmp_path / "other")
    record = read_json(other / "model" / "model.json")
    write_json(other / "model" / "model.json", {**record, "version": 99})
    damaged = shutil.copytree(trained, tmp_path / "damaged")
    (damaged / "model" / "weights.safetensors").write_bytes(b"x")
    for folder, words in (
        (tmp_path / "nothing", "does not exist"), (tmp_path / "empty", "is no model"),
        (unfinished, "is not finished"), (other, "has version 99"), (damaged, "sha256 differs"),
    ):  # fmt: skip
        ended = qloom("serve", folder, "--port", 0)
        assert (ended.code, ended.out, words in ended.err) == (2, "", True)
        assert ended.err.count("\n") == 1


def test_schema_says_what_the_page_needs(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "wine")
    with serving(Settings(str(run), port=0)) as service:
        schema = httpx.get(f"{service.settings.address}/schema").json()
    assert [column["name"] for column in schema["columns"]] == service.model.reader.names
    assert all(column["low"] <= column["usual"] <= column["high"] for column in schema["columns"])
    assert (schema["target"], schema["ignored"]) == ("cultivar", ["cultivar"])
    metrics = json.loads((run / "metrics.json").read_text())
    assert schema["scores"]["model"] == metrics["models"]["hybrid"]["test"][metrics["metric"]]
    assert schema["scores"]["control"] == metrics["models"]["hybrid_classical"]["test"][metrics["metric"]]
