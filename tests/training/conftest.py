"""A finished run, made once for all tests that only look at one."""

import pyarrow.parquet as parquet
import pytest

from qloom.training import train_run
from qloom.training.configuration import make_configuration
from qloom.training.demonstrations import demonstration_table

TINY = {
    "model": {"n_qubits": 2, "n_layers": 1, "width": 8},
    "training": {"epochs": 3},
    "comparison": {"seeds": 2},
}


@pytest.fixture(scope="session")
def table():
    """Part of the breast cancer table, 190 rows of 6 numbers and the diagnosis: a run takes a third of the time."""
    whole = demonstration_table("demo:breast_cancer")
    return whole.select([*whole.column_names[:6], "diagnosis"]).take(list(range(0, whole.num_rows, 3)))


@pytest.fixture(scope="session")
def table_file(table, tmp_path_factory):
    """It as a file."""
    path = tmp_path_factory.mktemp("table") / "part.parquet"
    parquet.write_table(table, path)
    return str(path)


@pytest.fixture(scope="session")
def configure(table_file):
    """A small configuration in a folder, with changes; of the part of the table unless another is given."""

    def make(output, *changes, source=table_file, target="diagnosis", name="tiny"):
        values = {**TINY, "name": name, "output": str(output), "data": {"source": source, "target": target}}
        return make_configuration(values, changes)

    return make


@pytest.fixture(scope="session")
def finished(configure, tmp_path_factory):
    """The folder of a finished run; not to be changed."""
    return train_run(configure(tmp_path_factory.mktemp("runs")))
