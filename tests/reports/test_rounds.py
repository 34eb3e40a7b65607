"""The page of a run of several rounds: spread, margin, what ended it, and no verdict where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qloom.reports import read_run, write_report
from tests.reports.run_folders import make_run_of_rounds
from tests.reports.test_report import Page


def page_of(folder: Path) -> Page:
    return Page(write_report(folder).read_text("utf-8"))


def test_leaderboard_shows_spread_and_says_what_intervals_cover(tmp_path: Path) -> None:
    text = page_of(make_run_of_rounds(tmp_path / "run", ["no", "yes"])).text
    assert "Every model was trained 5 times, on a new random split each time." in text
    assert "predictions shown are those of round 1" in text
    assert "0.8200 0.0123 0.8000 to 0.8380" in text
    assert "for retraining and resplitting alike" in text


def test_readings_are_outcomes_against_the_margin(tmp_path: Path) -> None:
    page = page_of(make_run_of_rounds(tmp_path / "run", ["no", "yes"]))
    rows = page.text[page.text.index("Hybrid minus") :]
    assert "+0.1050 to +0.1350 hybrid better" in rows
    assert "−0.0350 to −0.0050 hybrid worse" in rows
    assert "differences up to 0.01, which do not matter" in page.text
    bands = [a for tag, a in page.tags if tag == "rect"]
    assert len(bands) == 4
    assert all(float(a["x"].rstrip("%")) >= 0 and float(a["width"].rstrip("%")) > 0 for a in bands)


def test_time_limit_is_said(tmp_path: Path) -> None:
    text = page_of(make_run_of_rounds(tmp_path / "run", None, n_rounds=3)).text
    assert "The time limit of 60 s ended them after 3 of 5." in text


def test_without_verdict_scores_stand_without_intervals_and_the_reason_is_given(tmp_path: Path) -> None:
    folder = make_run_of_rounds(tmp_path / "run", ["no", "yes"], unjudged="2 test rows a round")
    text = page_of(folder).text
    assert "There is no verdict: 2 test rows a round." in text
    assert "Linear model – +0.1200 – no verdict" in text
    assert " to +" not in text[text.index("Hybrid minus") : text.index("Learning curves")]
    assert "hybrid better" not in text


def test_undefined_scores_are_dashes_and_come_last(tmp_path: Path) -> None:
    folder = make_run_of_rounds(tmp_path / "run", ["no", "yes"], unjudged="one class")
    document = json.loads((folder / "metrics.json").read_text("utf-8"))
    document["models"]["boosting"]["test"]["roc_auc"] = None
    document["comparison"]["boosting"]["difference"] = None
    (folder / "metrics.json").write_text(json.dumps(document), "utf-8")
    text = page_of(folder).text
    assert text.index("Linear model baseline") < text.index("Gradient boosting baseline")
    assert "Gradient boosting – – – no verdict" in text


def test_narrow_pages_fold_columns_and_keep_the_score(tmp_path: Path) -> None:
    """What folds away is of class roomy or plot; the score is neither, and what folds comes back below the name."""
    page = write_report(make_run_of_rounds(tmp_path / "run", ["no", "yes"])).read_text("utf-8")
    narrow = page[page.index("@media (max-width") :]
    assert ".plot, .roomy, .explanation { display: none; }" in narrow
    row = page[page.index('<tr class="tested">') :]
    row = row[: row.index("</tr>")]
    assert '<td class="number"><b>0.8200</b></td>' in row
    assert row.count("roomy") == 4
    assert '<span class="folded">0.8000 to 0.8380;' in row
    assert 'class="pair"' in page[page.index("Learning curves") : page.index("The dot marks")]


@pytest.mark.parametrize("key", ["rounds", "margin", "unjudged"])
def test_missing_entries_of_the_second_version(tmp_path: Path, key: str) -> None:
    folder = make_run_of_rounds(tmp_path / "run", None)
    document = json.loads((folder / "metrics.json").read_text("utf-8"))
    del document[key]
    (folder / "metrics.json").write_text(json.dumps(document), "utf-8")
    with pytest.raises(Exception, match=f"damaged .KeyError: '{key}'"):
        read_run(folder)
