"""Packages that only some calls need: imported there, or named with what to install."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from qloom.errors import ExtraError


def package(name: str, who: str) -> ModuleType:
    """The module.

    Args:
        name: of the package or a module of it.
        who: what needs it.

    Raises:
        ExtraError: if it is not installed.
    """
    top = name.split(".")[0]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != top:
            raise
        raise ExtraError(f"{who} needs {top}; install it with: pip install 'qloom[combinatorial]'") from None
