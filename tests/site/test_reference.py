"""The reference has every public name, and says what it is."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from docs.site import reference
from docs.site.assemble import ROOT
from qloom.learning import read_page

PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md"))]


def test_every_public_name_has_a_docstring():
    assert list(reference.undocumented()) == []


def test_what_has_none_is_named(monkeypatch):
    class Bare:
        def method(self):
            pass

    Bare.__module__ = "qloom.somewhere"
    monkeypatch.setattr(reference, "homes", lambda: {"qloom.somewhere": {"Bare": Bare, "NUMBERS": {1: 2}}})
    names = {"qloom.somewhere.Bare", "qloom.somewhere.Bare.method", "qloom.somewhere.NUMBERS"}
    assert set(reference.undocumented()) == names


def test_every_name_of_a_package_is_on_a_page():
    described = {f"{home}.{name}" for home, names in reference.homes().items() for name in names}
    for package, module in reference.packages().items():
        for name in module.__all__:
            if not inspect.ismodule(getattr(module, name)):
                (home,) = [home for each, home in reference.exported_from(package) if each == name]
                things = (reference.homes()[home][each] for each in reference.homes()[home])
                assert any(thing is getattr(module, name) for thing in things), f"{package}.{name}"
    assert "qloom.nn.QuantumLayer" in described
    assert "\n.. autoclass:: qloom.nn.QuantumLayer\n" in reference.page("qloom.nn")


def imported_names(page: Path) -> set[str]:
    """What the Python of a page imports from qloom, in full."""
    found = set()
    for part in read_page(page).code:
        if part.kind == "python" and "import" in part.source:
            lines = "\n".join(re.findall(r"^from qloom[\w.]* import (?:[\w, ]+|\([^)]*\))", part.source, re.MULTILINE))
            nodes = [node for node in ast.parse(lines).body if isinstance(node, ast.ImportFrom)]
            found |= {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_pages_import_is_public(page):
    for name in imported_names(page):
        package, _, last = name.rpartition(".")
        module = importlib.import_module(package)
        assert hasattr(module, last), name
        public = reference.packages().get(package)
        assert inspect.ismodule(getattr(module, last)) or (public and last in public.__all__), f"{name} is not public"
