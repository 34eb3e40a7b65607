"""Who may ask."""

from __future__ import annotations

import httpx
import pytest

from qloom.errors import ConfigError
from qloom.serving.settings import Settings

TOKEN = "s3cret"


def test_with_a_token_only_the_page_and_health_are_open(run, serve, rows):
    with serve(run, token=TOKEN) as served:
        assert served.predict({"rows": rows.slice(0, 1).to_pylist()}).status_code == 200
        with httpx.Client(base_url=served.service.settings.address) as bare:
            for path in ("/schema", "/metrics", "/drift", "/other"):
                answer = bare.get(path)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
                for wrong in ("Bearer s3cre", "Bearer s3cret2", "Basic s3cret", "s3cret", "Bearer \xff"):
                    assert bare.get(path, headers={"authorization": wrong.encode("latin-1")}).status_code == 401
            assert bare.post("/predict", json={}).status_code == 401
            assert [bare.get(path).status_code for path in ("/", "/health")] == [200, 200]
            assert TOKEN not in bare.get("/").text


def test_without_one_a_foreign_page_cannot_ask_by_another_name(served):
    """A name of its own that leads to this machine (DNS rebinding), or a form that sends what it likes."""
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example"):
        assert served.client.get("/schema", headers={"host": host}).status_code == 403
    for host in ("localhost", "LOCALHOST", "127.0.0.1:9", "[::1]:9"):
        assert served.client.get("/schema", headers={"host": host}).status_code == 200
    assert served.predict("{}", **{"content-type": "text/plain"}).status_code == 415


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_other_machines_need_a_token(host):
    with pytest.raises(ConfigError, match="token"):
        Settings("runs/x", host=host)
    assert not Settings("runs/x", host=host, token=TOKEN).is_local
    assert all(Settings("runs/x", host=each).is_local for each in ("127.0.0.1", "::1", "localhost", "127.0.0.9"))


def test_the_page_asks_nobody_else(served):
    answer = served.client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "http://" not in answer.text
    assert "https://" not in answer.text
