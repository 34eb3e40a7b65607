"""What only some calls need is imported where it is used, by the extra that brings it."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from qloom.errors import ExtraError
from qloom.extras import package

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def normal(name):
    return re.split(r"[^\w-]", name)[0].lower().replace("_", "-")


def asked_for():
    """Package and extra of every call of `package`."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "package":
                name, extra = node.args[0], node.args[2]
                assert isinstance(name, ast.Constant), path
                assert isinstance(extra, ast.Constant), path
                brought_by = [word.value for word in node.keywords if word.arg == "brought_by"]
                assert all(isinstance(value, ast.Constant) for value in brought_by), path
                yield normal(brought_by[0].value if brought_by else name.value.split(".")[0]), extra.value


def test_every_extra_named_brings_the_package():
    found = set(asked_for())
    assert {name for name, _ in found} >= {"optuna", "ortools", "dimod", "python-calamine"}
    for name, extra in found:
        assert name in map(normal, EXTRAS[extra]), f"{extra} does not bring {name}"


def test_the_extra_is_named():
    with pytest.raises(ExtraError, match=r"^Someone needs not-here; install it with: pip install 'qloom\[quick\]'$"):
        package("not_here.at.all", "Someone", "quick")


def test_a_broken_package_is_not_called_missing(tmp_path):
    (tmp_path / "broken_one.py").write_text("import nothing_of_this_name")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from qloom.extras import package; package('broken_one', 'Someone', 'quick')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stderr.rstrip().endswith("ModuleNotFoundError: No module named 'nothing_of_this_name'")
