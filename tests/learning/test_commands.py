"""Every command of the README and of the pages in docs/ runs, short, or is run by another test that is named."""

from __future__ import annotations

import re

import pytest
import torch

from tests.learning.commands import COPIED, ELSEWHERE, LONG, MADE_BY, MORE, REFUSED, Shell, commands, fill
from tests.learning.guides import ROOT

LINES = commands()
RUN = [line for line in LINES if line not in ELSEWHERE]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    fill(folder)
    return Shell(folder)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")  # of transformers about itself
@pytest.mark.parametrize(
    "line", [pytest.param(line, marks=pytest.mark.slow if line in LONG else (), id=line) for line in RUN]
)
def test_it_runs(line, shell, capfd):
    code = shell.run(line)
    said = capfd.readouterr().err
    if ("--gpu" in line or "=cuda" in line or "--device cuda" in line) and not torch.cuda.is_available():
        assert code == 2
        assert "without CUDA" in said or "no CUDA device" in said
    else:
        assert code == 0 or REFUSED.get(line, "...") in said, said


def test_tables_name_commands_that_there_are():
    assert {*ELSEWHERE, *MORE, *MADE_BY.values(), *REFUSED, *LONG} <= set(LINES)
    words = {word for line in LINES for word in line.split()}
    assert {*MADE_BY, *COPIED} <= words


@pytest.mark.parametrize("test", sorted({test for test, _ in ELSEWHERE.values()}))
def test_what_is_run_elsewhere_is_run_there(test):
    path, name = test.split("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
