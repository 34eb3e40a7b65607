"""A package's public names, each imported where it is first used."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable
from importlib import import_module
from typing import Any


def exported_by(package: str) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose public names stand under `if TYPE_CHECKING:` in its `__init__.py`.

    Type checkers read them there, and so does this function, so that each stands in one place.
    """
    places = _places(package)

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(places[name]), name)

    return get


def _places(package: str) -> dict[str, str]:
    """Public name -> the module it is imported from."""
    spec = importlib.util.find_spec(package)
    source = spec.loader.get_source(package) if spec and spec.loader else None  # type: ignore[attr-defined]
    blocks = [node for node in ast.parse(source or "").body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: str(node.module) for node in imports for alias in node.names}
