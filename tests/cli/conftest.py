"""Running the command line in this process."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from qloom.cli import main

_MODEL = ("n_qubits=2", "n_layers=1", "width=8")
_SMALL = (
    "--epochs=2",
    *("--set", "comparison.seeds=2"),
    *(word for key in _MODEL for word in ("--set", f"model.{key}")),
)


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def qloom(capfd, tmp_path, monkeypatch) -> Callable[..., Ended]:
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Words that make any training small."""
    return _SMALL


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of a finished run on the wine table."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.raises(SystemExit) as ended:
        main(["train", "demo:wine", "--output", str(folder), *_SMALL])
    assert not ended.value.code
    return folder / "wine"
