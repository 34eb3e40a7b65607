"""A folder imports only from lower ranks, wherever in a file and in whatever way; torch only where it may."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "qloom"

# The longest name that a module begins with counts, so that a folder inside a folder has a rank of its own.
RANKS = {
    "announcement": 0, "errors": 0, "exports": 0, "_native": 0, "_searches": 0, "checks": 1, "files": 1, "extras": 1,
    "observables": 2, "data": 2, "circuits": 2, "encoders": 3, "ansatze": 3, "noise": 3, "programs": 3, "engines": 4,
    "gradients": 5, "noise.fitting": 5, "combinatorial": 5, "backbones": 6, "nn": 6, "mitigation": 6, "correction": 6,
    "fitting": 7, "learning": 2,
    "models": 8, "models.kernels": 8.1, "models.tables": 8.1, "models.published": 8.2, "models.explanations": 8.2,
    "optimizers": 8, "trainability": 8, "training": 9, "reports": 10, "benchmarking": 10, "portable": 11, "serving": 11,
    "tracking": 11, "watching": 11, "adapters": 8, "compression": 8, "cli": 12, "testing": 13, "__main__": 13,
}  # fmt: skip
# Torch is told, without a torch of its own, which module to load once an exported graph asks for our operators.
NAMED_ONLY = {("announcement", "qloom.nn")}
WITHOUT_TORCH = ["circuits", "programs", "engines", "gradients", "encoders", "ansatze", "data", "combinatorial",
                 "noise", "mitigation", "correction"]  # fmt: skip
FILES = [path for path in sorted(SOURCE.rglob("*.py")) if path != SOURCE / "__init__.py"]


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def ranked(module: str) -> str | None:
    """The entry of RANKS that a module of qloom belongs to."""
    names = module.split(".")[1:]
    entries = [".".join(names[:length]) for length in range(len(names), 0, -1)]
    return next((entry for entry in entries if entry in RANKS), None)


def imported(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Modules of qloom that a file names: imports at its top, in functions, for type checkers, relative, by text."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("qloom."))
        elif isinstance(node, ast.ImportFrom):
            start = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, (start, node.module)))
            if base == "qloom" or base.startswith("qloom."):
                yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # What import_module is given may stand in a table or in an f-string. The files of an f-string's folder are
            # then of the folder's rank.
            named = re.match(r"qloom(\.[a-z_]\w*)+(?=\.?$)", node.value)
            if named and ranked(named[0]) is not None:
                yield named[0]


def is_below(theirs: str, mine: str) -> bool:
    """Whether a rank is lower: a folder's inner order counts within that folder alone."""
    if theirs.split(".")[0] == mine.split(".")[0]:
        return RANKS[theirs] < RANKS[mine]
    return int(RANKS[theirs]) < int(RANKS[mine])


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    mine = ranked(module)
    assert mine is not None, f"{module} has no rank"
    wrong = []
    for name in imported(source, module, is_package):
        theirs = ranked(name)
        if is_package and name.startswith(f"{module}."):
            continue  # a package exports what is in its folders
        if theirs is None and name != "qloom.__version__":
            wrong.append(f"{name} has no rank")
        elif (mine, name) in NAMED_ONLY:
            continue
        elif theirs is not None and theirs != mine and not is_below(theirs, mine):
            wrong.append(f"{mine} (rank {RANKS[mine]}) imports {name}")
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_come_from_lower_ranks(path):
    assert violations(path.read_text(), module_of(path), path.name == "__init__.py") == []


@pytest.mark.parametrize("source", [
    "import qloom.nn.layer",
    "import numpy, qloom.nn as layers",
    "from qloom.nn import QuantumLayer",
    "from qloom import nn",
    "from .. import nn",
    "from ..nn.layer import QuantumLayer",
    "def later():\n    from qloom.nn.layer import QuantumLayer",
    "if TYPE_CHECKING:\n    from qloom.nn import QuantumLayer",
    "class A:\n    def b(self):\n        import qloom.nn",
    "def later():\n    return import_module('qloom.nn.layer')",
    "def later(name):\n    return import_module(f'qloom.nn.{name}')",
    "PLACES = {'layer': 'qloom.nn.layer'}",
    "import qloom.somewhere",
])  # fmt: skip
def test_no_way_of_importing_from_above_goes_unseen(source):
    assert len(violations(source, "qloom.engines.shots")) == 1
    assert violations(source.replace("nn", "circuits").replace("somewhere", "errors"), "qloom.engines.shots") == []


def test_every_rank_is_of_something_and_the_imports_of_today_are_seen():
    assert {ranked(module_of(path)) for path in FILES} | {"_native", "_searches"} == set(RANKS)
    edges = {
        (ranked(module_of(path)), ranked(name))
        for path in FILES
        for name in imported(path.read_text(), module_of(path), path.name == "__init__.py")
    }
    known = {
        ("engines", "circuits"),
        ("nn", "engines"),
        ("models.tables", "nn"),
        ("training", "models.tables"),
        ("cli", "training"),
    }
    assert known <= edges
    assert {user for user, used in edges if used == "_searches"} == {"combinatorial"}
    assert ("combinatorial", "_native") not in edges


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_folder_works_without_torch(name):
    code = f"import sys, qloom, qloom.{name}; assert 'torch' not in sys.modules, 'torch was imported'"
    subprocess.run([sys.executable, "-c", code], check=True)
