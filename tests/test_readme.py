"""What pages say to install and to make is there; their code runs in tests/learning."""

from __future__ import annotations

import re
import tomllib

from tests.learning.guides import PAGES, README, ROOT

TEXTS = [page.path.read_text(encoding="utf-8") for page in PAGES]


def test_every_way_to_make_and_install_is_there():
    """The package is on no index: it is installed from the checkout, and extras then by its name too."""
    installed = re.findall(r"pip install ([^`]+)`", README.path.read_text(encoding="utf-8"))
    assert all(what.strip("'").startswith(".") for what in installed)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {name for text in TEXTS for name in re.findall(r"pip install '[\w.]+\[(\w+)\]'", text)} <= set(extras)
    makefile = (ROOT / "Makefile").read_text()
    shown = (part.source for page in PAGES for part in page.parts if part.kind == "console")
    for target in (target for source in shown for target in re.findall(r"^make (\w+)", source, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
