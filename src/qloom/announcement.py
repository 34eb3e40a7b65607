"""Torch is told where qloom's operators are, so that exported programs load after ``import qloom`` alone.

Nothing of torch is imported for it: where torch is not there yet, the telling waits until it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def announce_operators() -> None:
    """Let ``torch.ops.qloom`` import `qloom.nn` when it is first looked into, now or once torch is imported."""
    if "torch" in sys.modules:
        _announce(sys.modules["torch"])
    elif not any(isinstance(finder, _AfterTorch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterTorch())


def _announce(torch: ModuleType) -> None:
    operators = getattr(torch, "ops", None)
    if operators is not None and "qloom" not in vars(operators):
        operators.qloom = _OnDemand(operators)


class _OnDemand(ModuleType):
    """Stands for the operators until one is asked for."""

    def __init__(self, operators: Any):
        super().__init__("torch.ops.qloom")
        self.__dict__["operators"] = operators

    def __getattr__(self, name: str) -> Any:
        if vars(self.operators).get("qloom") is self:
            del self.operators.qloom  # torch makes its own on the next look
        if not name.startswith("__"):
            import_module("qloom.nn")
        return getattr(self.operators.qloom, name)


class _AfterTorch(MetaPathFinder, Loader):
    """Finds torch as it is found without this, once, and announces the operators when it is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "torch":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _announce(module)
