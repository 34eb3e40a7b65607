"""The Python of the tutorials runs as it is written, to the number that stands there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

import qloom as ql
from tests.backbones.tiny_models import make_text_model
from tests.engines.propagation.free_fermions import free_fermions

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_noise_ends_in_its_numbers(capsys):
    """Of the page's model; on density matrices, so that nothing is random."""
    text = (DOCS / "noise.md").read_text()
    section = text[text.index("## In Python") : text.index("## A run on a device")]
    names: dict = {}
    exec("\n".join(line[4:] for line in section.splitlines() if line.startswith("    ")), names)
    assert capsys.readouterr().out.split() == re.findall(r"prints \*\*([\d.]+)\*\*", section)
    depolarized = ql.expectation(
        names["model"].apply(names["circuit"]), None, names["x"], names["w"], engine=ql.engines.ReferenceEngine()
    )
    assert np.abs(depolarized - names["with_noise"]).max() < 1e-10


def test_whether_mitigating_pays_is_as_the_page_says(capsys):
    """Measurements are seeded; the errors of its table to the digits that stand there."""
    text = (DOCS / "noise.md").read_text()
    code = text[text.index("## In Python") : text.index("## What does not help")]
    names: dict = {}
    lines = [line[4:] for line in code.splitlines() if line.startswith("    ") and not line.startswith("    qloom ")]
    exec("\n".join(lines), names)
    assert capsys.readouterr().out.splitlines()[-1] in code
    for advice, shots in ((names["few"], "200"), (names["many"], "10,000")):
        row = next(line for line in code.splitlines() if line.startswith(f"| {shots} |"))
        told = [float(cell) for cell in row.strip("| ").split(" | ")[1:]]
        assert [round(each.error, 3) for each in advice.rows] == told


def test_wide_circuits_end_in_their_numbers(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a surrogate is saved
    text = (DOCS / "wide.md").read_text()
    section = text[text.index("## In Python") : text.index("## How words")]
    names: dict = {}
    exec("\n".join(line[4:] for line in section.splitlines() if line.startswith("    ")), names)
    assert capsys.readouterr().out.split() == re.findall(r"prints \*\*([\d.]+|True)\*\*", section)
    x, _ = free_fermions(200, 20, 0.5, 0.6)
    assert names["exact"][0] == pytest.approx(x[100], abs=1e-9)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_large_models_end_in_their_numbers(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # folders of models and adapters
    text = (DOCS / "large-models.md").read_text()
    code = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    names: dict = {"SENTENCE_MODEL": make_text_model(tmp_path / "sentences", width=32)}
    exec(code, names)
    out = capsys.readouterr().out.split("\n")
    told = re.findall(r"prints \*\*([\d.]+|True)\*\*", text)
    assert [line for line in out if re.fullmatch(r"[\d.]+|True", line)] == told
    assert "rank 16, columns of 6 qubits (48 of 64 rows)" in out
    assert names["mixed"].shape[::2] == (40, 6)


def test_synthetic_tables_end_in_their_numbers(capsys):
    text = (DOCS / "generative.md").read_text()
    section = text[text.index("## In Python") :]
    names: dict = {}
    exec("\n".join(line[4:] for line in section.splitlines() if line.startswith("    ")), names)
    assert capsys.readouterr().out.split() == re.findall(r"prints \*\*([\d.]+)\*\*", section)
    assert names["bits"].shape == (178, 7)
    assert names["synthetic"].num_rows == 1000
    bits, edges = names["bits"], names["tree"].edges_
    information = sum(mutual_info_score(bits[:, a], bits[:, b]) for a, b in edges)
    # Smoothing by one row of 178 takes a little of it.
    assert names["gain"] == pytest.approx(information, abs=0.01)
