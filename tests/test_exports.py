"""Public names are imported where they are first used, and nothing heavy before."""

import subprocess
import sys

import pytest

import qloom
from qloom import fitting, models, training

LIGHT = {
    "qloom": {"numpy", "torch", "scipy", "pyarrow"},
    "qloom.models": {"torch", "scipy", "sklearn", "pyarrow"},
    "qloom.training": {"torch", "scipy", "sklearn", "pyarrow"},
    "qloom.data": {"torch", "scipy", "sklearn", "duckdb"},
    "qloom.training.table": {"torch", "scipy", "sklearn", "duckdb"},
}


@pytest.mark.parametrize("package", [qloom, fitting, models, training], ids=lambda package: package.__name__)
def test_every_public_name_is_there(package):
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_light_imports():
    """Each in a process of its own would be five starts; one that imports the lightest first is as good."""
    checks = "\n".join(
        f"import {name}; assert not {heavy} & set(sys.modules), ('{name}', {heavy} & set(sys.modules))"
        for name, heavy in LIGHT.items()
    )
    subprocess.run([sys.executable, "-c", f"import sys\n{checks}"], check=True)


def test_eager_layers_do_not_load_the_compiler():
    code = (
        "import sys, torch, qloom as ql\n"
        "layer = ql.nn.QuantumLayer(ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1))\n"
        "layer(torch.zeros(3, 2)).sum().backward()\n"
        "assert not {'torch._dynamo', 'scipy', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
