"""A folder imports only from lower ranks; torch only where it may."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "qloom"

RANKS = {
    "announcement": 0, "errors": 0, "exports": 0, "_native": 0, "checks": 1, "files": 1, "extras": 1, "observables": 2,
    "data": 2,
    "circuits": 2, "encoders": 3, "ansatze": 3, "programs": 3, "engines": 4, "gradients": 5, "combinatorial": 5,
    "nn": 6, "fitting": 7, "models": 8, "optimizers": 8, "trainability": 8, "training": 9, "reports": 10,
    "benchmarking": 10, "cli": 11, "testing": 12, "__main__": 12,
}  # fmt: skip
ORDER_OF_MODELS = {"kernels": 1, "tables": 1, "published": 2}  # what lies in models/ itself is 0
WITHOUT_TORCH = ["circuits", "programs", "engines", "gradients", "encoders", "ansatze", "data", "combinatorial"]
TORCH_AT_IMPORT = {"nn", "fitting", "models", "optimizers", "training", "reports", "benchmarking", "cli", "testing"}


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> list[str]:
    modules = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return modules


FILES = [path for path in sorted(SOURCE.rglob("*.py")) if path != SOURCE / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_come_from_lower_ranks(path):
    mine = part_of(path)
    for module in imported_modules(path):
        if not module.startswith("qloom.") or module == "qloom.__version__":
            continue
        theirs = module.split(".")[1]
        assert theirs in RANKS, f"{path} imports {module}, which has no rank"
        assert theirs == mine or RANKS[theirs] < RANKS[mine], f"{mine} (rank {RANKS[mine]}) imports {module}"


def test_every_folder_has_a_rank():
    found = {part_of(path) for path in FILES}
    assert found <= set(RANKS)


def place_in_models(parts: tuple[str, ...]) -> str:
    """The folder of models/ that a path or a module's name lies in; "" is models/ itself."""
    return parts[1] if parts[1] in ORDER_OF_MODELS else ""


def test_folders_of_models_have_an_order():
    files = [path for path in FILES if part_of(path) == "models" and path.parent != SOURCE / "models"]
    assert {path.parent.name for path in files} == set(ORDER_OF_MODELS)
    shared = [path for path in (SOURCE / "models").glob("*.py") if path.name != "__init__.py"]
    seen = set()
    for path in files + shared:
        mine = place_in_models(path.relative_to(SOURCE).parts)
        for module in imported_modules(path):
            if module.startswith("qloom.models."):
                theirs = place_in_models(tuple(module.split(".")[1:]))
                seen.add((mine, theirs))
                lower = ORDER_OF_MODELS.get(theirs, 0) < ORDER_OF_MODELS.get(mine, 0)
                assert theirs == mine or lower, f"{path} imports {module}"
    assert ("published", "kernels") in seen
    assert ("tables", "") in seen


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_folder_works_without_torch(name):
    code = f"import sys, qloom, qloom.{name}; assert 'torch' not in sys.modules, 'torch was imported'"
    subprocess.run([sys.executable, "-c", code], check=True)
