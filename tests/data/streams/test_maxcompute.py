"""The way to MaxCompute as far as it goes without the service: what is asked for, and a service that is not reached."""

import pytest

from qloom.data.streams import open_stream
from qloom.errors import DataError, ExtraError

pytest.importorskip("odps", reason="the extra maxcompute is not installed")
NAMES = ("ODPS_ENDPOINT", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")


@pytest.fixture
def credentials(monkeypatch):
    for name, value in zip(NAMES, ("http://127.0.0.1:9/api", "nobody", "nothing"), strict=True):
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("address", "query", "message"),
    [
        ("odps://", "SELECT 1", "without a project or with credentials, expected odps://project"),
        ("odps://me:secret@shop", "SELECT 1", "without a project or with credentials"),
        ("odps://shop", None, "odps://shop is given without a query"),
    ],
)
def test_addresses_that_say_too_little_or_too_much(address, query, message, tmp_path, credentials):
    with pytest.raises(DataError, match=message) as raised:
        open_stream(address, query, spool=tmp_path)
    assert "secret" not in str(raised.value)


def test_credentials_are_those_of_the_environment(tmp_path, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DataError, match=r"odps://shop needs credentials, expected ODPS_ENDPOINT"):
        open_stream("odps://shop", "SELECT 1", spool=tmp_path)


@pytest.mark.slow  # the client tries again for some seconds
def test_a_service_that_is_not_reached(tmp_path, credentials):
    with pytest.raises(DataError, match=r"the query of odps://shop fails: .*; correct it or see to the service"):
        open_stream("odps://shop", "SELECT 1", spool=tmp_path / "spool")
    assert not (tmp_path / "spool" / "rows").exists()


def test_the_client_is_an_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "odps", None)
    with pytest.raises(ExtraError, match=r"a MaxCompute source needs pyodps; install it with: .*qloom\[maxcompute\]"):
        open_stream("odps://shop", "SELECT 1", spool=tmp_path)
