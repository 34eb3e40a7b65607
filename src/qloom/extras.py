"""Packages that only some calls need: imported there, or named with the extra that brings them."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from types import ModuleType

from qloom.errors import ExtraError


def package(name: str, who: str, extra: str, brought_by: str = "") -> ModuleType:
    """The module.

    Args:
        name: of the package or a module of it.
        who: what needs it.
        extra: what brings it, one of `project.optional-dependencies` in pyproject.toml.
        brought_by: the distribution, where it is called otherwise than the package.

    Raises:
        ExtraError: if it is not installed.
    """
    top = name.split(".")[0]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != top:
            raise
        distribution = brought_by or top.replace("_", "-")
        raise _missing(who, distribution, extra) from None


def check_extra(extra: str, who: str) -> None:
    """Raise ExtraError where a package is missing that an extra brings.

    Args:
        extra: one of `project.optional-dependencies` in pyproject.toml.
        who: what needs it.
    """
    brought = (line for line in requires("qloom") or () if re.search(rf"extra == ['\"]{extra}['\"]", line))
    for distribution in (re.split(r"[^\w.-]", line)[0] for line in brought):
        try:
            version(distribution)
        except PackageNotFoundError:
            raise _missing(who, distribution, extra) from None


def _missing(who: str, distribution: str, extra: str) -> ExtraError:
    return ExtraError(f"{who} needs {distribution}; install it with: pip install 'qloom[{extra}]'")
