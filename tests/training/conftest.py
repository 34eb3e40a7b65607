"""A finished run, made once for all tests that only look at one."""

import pytest

from qloom.training import train_run
from qloom.training.configuration import make_configuration

TINY = {
    "model": {"n_qubits": 2, "n_layers": 1, "width": 8},
    "training": {"epochs": 3},
    "comparison": {"seeds": 2},
}


@pytest.fixture(scope="session")
def configure():
    """A small configuration in a folder, with changes."""

    def make(output, *changes, source="demo:breast_cancer", target="diagnosis", name="tiny"):
        values = {**TINY, "name": name, "output": str(output), "data": {"source": source, "target": target}}
        return make_configuration(values, changes)

    return make


@pytest.fixture(scope="session")
def finished(configure, tmp_path_factory):
    """The folder of a finished run on the breast cancer table; not to be changed."""
    return train_run(configure(tmp_path_factory.mktemp("runs")))
