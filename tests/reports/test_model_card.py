"""Model cards: valid heading, the run's own scores and verdict, no place of this machine."""

from __future__ import annotations

import json

import pytest
import yaml

from qloom.reports.model_card import LIMITS, model_card, write_model_card
from tests.reports.run_folders import SKILL, TITLES, make_run, make_run_of_rounds


@pytest.fixture(params=[["no", "yes"], ["a", "b", "c"], None], ids=["binary", "classes", "number"])
def folder(request, tmp_path):
    return make_run_of_rounds(tmp_path / "flat|named", request.param)


def heading_and_body(text: str) -> tuple[dict, str]:
    _, heading, body = text.split("---\n", 2)
    return yaml.safe_load(heading), body


def test_heading_is_what_model_hubs_read(folder):
    heading, _ = heading_and_body(model_card(folder))
    document = json.loads((folder / "metrics.json").read_text())
    kind = f"tabular-{document['task']}"
    assert heading["pipeline_tag"] == kind
    (result,) = heading["model-index"][0]["results"]
    assert result["task"] == {"type": kind}
    assert result["dataset"] == {"type": "table", "name": "flat|named"}
    scores = {entry["type"]: entry["value"] for entry in result["metrics"]}
    assert scores == {name: pytest.approx(v, abs=1e-6) for name, v in document["models"]["hybrid"]["test"].items()}


def test_hybrid_stands_beside_its_controls_best_first(folder):
    _, body = heading_and_body(model_card(folder))
    table = body[body.index("## Scores") :]
    places = {key: table.index(f"| {TITLES[key]} |") for key in TITLES}
    assert sorted(places, key=places.get) == sorted(SKILL, key=SKILL.get, reverse=True)
    document = json.loads((folder / "metrics.json").read_text())
    assert document["verdict"] in body
    for key, found in document["comparison"].items():
        rows = [line for line in table.splitlines() if line.startswith(f"| {TITLES[key]} |")]
        assert f"{abs(found['difference']):.4f}" in rows[1]


def test_every_row_of_a_table_has_as_many_cells(folder):
    document = json.loads((folder / "metrics.json").read_text())
    document["columns"] = [
        {"name": "a|b\n<script>", "kind": "number", "levels": 3, "missing": 0, "becomes": "a number"}
    ]
    (folder / "metrics.json").write_text(json.dumps(document))
    body = model_card(folder)
    assert "| a\\|b &lt;script> | number | 3 | 0 | a number |" in body
    for block in (part for part in body.split("\n\n") if part.startswith("| ")):
        widths = {line.replace("\\|", "").count("|") for line in block.splitlines()}
        assert len(widths) == 1


def test_limits_are_named_and_the_circuit_is_drawn(folder):
    body = model_card(folder)
    assert all(line in body for line in LIMITS)
    assert "No quantum model has a proven advantage on classical data" in body
    assert "RY(x[0])" in body


def test_places_of_this_machine_stay_out(folder):
    (folder / "config.yaml").write_text(
        "data: {source: /home/me/table.csv}\nmodel: {n_qubits: 4}\nengine: {name: density, noise: /home/me/lab.json}\n"
        "training: {epochs: 3, start_from: /home/me/runs/old}\n"
    )
    body = model_card(folder)
    assert "/home" not in body
    assert "noise: lab.json" in body
    assert "start_from: old" in body


def test_a_run_of_one_training_has_a_card_too(tmp_path):
    path = write_model_card(make_run(tmp_path / "one", ["no", "yes"]))
    assert path.name == "MODEL_CARD.md"
    assert "Every model was trained once." in path.read_text()
