"""TorchQuantum's circuits, without what its data sets, plugins for hardware and logs import.

TorchQuantum 0.1.8 needs a Qiskit below 1.0, of which no version goes together with what qloom needs.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import warnings
from importlib.util import find_spec
from typing import Any
from unittest.mock import MagicMock

import pytest

_ABSENT = {"matplotlib", "pathos", "qiskit", "qiskit_ibm_runtime", "torchdiffeq", "torchpack", "torchvision"}


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        absent = name.split(".")[0] in _ABSENT
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if absent else None

    def create_module(self, spec: Any) -> Any:
        return MagicMock(__spec__=spec, __path__=[], __all__=[], __file__=__file__)

    def exec_module(self, module: Any) -> None:
        """Nothing to run."""


def import_torchquantum() -> Any:
    """The package; other packages, where they are there, are the real ones again afterwards."""
    if find_spec("torchquantum") is None:
        pytest.skip("TorchQuantum is not installed", allow_module_level=True)
    finder, real = _Absent(), {name: one for name, one in sys.modules.items() if name.split(".")[0] in _ABSENT}
    for name in real:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torchquantum
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.split(".")[0] in _ABSENT]:
            del sys.modules[name]
        sys.modules.update(real)
    return torchquantum
