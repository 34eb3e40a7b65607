"""The circuit's part of a report: a shaded drawing where single gates were taken out, else what to ask for."""

import base64
import re

import pytest

from qloom.reports.importance import circuit_section
from qloom.training.explanation_text import whole_sentence
from tests.reports.run_folders import layered_circuit

CIRCUIT = layered_circuit(2, 1)


def found(level, losses, metric="accuracy"):
    """Parts with a loss each, by kind and place."""
    parts = [
        {"kind": kind, "name": f"{kind} {place}", "place": place, "loss": loss, "low": loss and loss - 0.1,
         "high": loss and loss + 0.1}
        for (kind, place), loss in losses.items()
    ]  # fmt: skip
    return {"metric": metric, "score": 0.9, "n_rows": 30, "level": level, "exact": True, "parts": parts}


def test_the_gate_that_matters_most_is_the_darkest():
    losses = {("circuit", None): 0.4, ("qubit", 0): 0.1} | {("gate", k): 0.3 - 0.1 * k for k in range(len(CIRCUIT))}
    section = circuit_section(found("gates", losses), CIRCUIT)
    svg = base64.b64decode(section["drawing"].partition(",")[2]).decode()
    fills = set(re.findall(r"fill: (#[0-9a-f]{6})", svg))
    assert "#e0731d" in fills  # the first gate
    assert "#ffffff" in fills  # those that do harm
    assert "#f4bf6a" not in fills  # no fills by kind
    assert section["left_out"] is None
    assert section["rows"][0] == {"name": "circuit None", "loss": "+0.4000", "interval": "+0.3000 to +0.5000"}


def test_what_was_left_out_is_said():
    section = circuit_section(found("outputs", {("circuit", None): 0.4, ("qubit", 0): 0.1}), CIRCUIT)
    assert section["drawing"] is None
    assert "qloom explain RUN --circuit" in section["left_out"]


def test_scores_that_are_not_defined_leave_dashes():
    section = circuit_section(found("groups", {("circuit", None): None, ("layer", 1): None}), CIRCUIT)
    assert section["bars"] is section["drawing"] is None
    assert section["rows"][1] == {"name": "layer 1", "loss": "–", "interval": "–"}


@pytest.mark.parametrize(("metric", "words"), [("roc_auc", "ROC AUC falls by 0.4"), ("rmse", "RMSE grows by 0.4")])
def test_the_sentence_goes_the_way_of_the_score(metric, words):
    assert words in whole_sentence(found("outputs", {("circuit", None): 0.4}, metric))
