"""What is said where a package is not installed; and that loading qloom's side loads none of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qloom.circuits import Circuit, exchange
from qloom.errors import ExtraError

PACKAGES = {
    "qiskit": "qiskit", "pennylane": "pennylane", "cirq": "cirq-core", "braket": "amazon-braket-sdk",
    "pytket": "pytket", "stim": "stim", "pyqpanda3": "pyqpanda3",
}  # fmt: skip


@pytest.mark.parametrize("name", PACKAGES)
def test_the_extra_is_named(name, monkeypatch):
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    ours = "qpanda" if name == "pyqpanda3" else name
    for function in (getattr(exchange, f"from_{ours}"), getattr(exchange, f"to_{ours}")):
        with pytest.raises(
            ExtraError, match=rf"needs {PACKAGES[name]}; install it with: pip install 'qloom\[exchange\]'"
        ):
            function(Circuit(1))


def test_no_package_is_loaded_before_it_is_used():
    code = (
        "import sys; from qloom.circuits.exchange import *; import qloom\n"
        f"assert not set(sys.modules) & {set(PACKAGES)!r}, sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
