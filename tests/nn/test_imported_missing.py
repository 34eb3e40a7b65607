"""What is said where a package of layers is not installed; and that loading qloom's side loads none of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import qloom as ql
from qloom.errors import ExtraError

PACKAGES = {
    "pennylane": (lambda: ql.nn.from_pennylane(None, 1), "pennylane", "exchange"),
    "qiskit_machine_learning": (lambda: ql.nn.from_qiskit(None), "qiskit-machine-learning", "exchange"),
    "torchquantum": (lambda: ql.nn.from_torchquantum(None, 1), "torchquantum", "torchquantum"),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_the_extra_is_named(name, monkeypatch):
    call, distribution, extra = PACKAGES[name]
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ExtraError, match=rf"needs {distribution}; install it with: pip install 'qloom\[{extra}\]'"):
        call()


def test_no_package_is_loaded_before_it_is_used():
    code = f"import sys, qloom; qloom.nn.from_qiskit; assert not set(sys.modules) & {set(PACKAGES)!r}"
    subprocess.run([sys.executable, "-c", code], check=True)
