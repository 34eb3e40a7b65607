"""The page for trying rows, in a browser without a screen: what it shows is what the server answers."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.slow
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium, needed to open the page of qloom serve")


def shown(address: str, *options: str) -> str:
    """The page as it stands after its script has run."""
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", *options)
    return subprocess.run(
        [BROWSER, *flags, "--dump-dom", address], capture_output=True, text=True, timeout=120, check=True
    ).stdout


@needs_browser
def test_usual_values_are_predicted_beside_the_control(run, serve):
    with serve(run) as served:
        page = shown(served.service.settings.address)
        row = {column["name"]: column["usual"] for column in served.client.get("/schema").json()["columns"]}
        answer = served.predict({"rows": [row]}, "/predict?control=true").json()
    fields = re.findall(r'<(?:input|select)[^>]* name="([^"]+)"', page)
    assert set(fields) == set(row)
    found = [float(text) for text in re.findall(r">([\d.]+) %<", page)]
    expected = [
        answer[kind][0]["probability"][name] for name in ("left", "stayed") for kind in ("predictions", "control")
    ]
    assert found == [pytest.approx(100 * share, abs=0.0501) for share in expected]
    assert "(predicted)" in page
    assert "classical layer" in page


@needs_browser
def test_it_asks_for_the_token(run, serve):
    with serve(run, token="s3cret") as served:
        page = shown(served.service.settings.address)
    assert "this server asks for a token" in page
    assert "%<" not in page
