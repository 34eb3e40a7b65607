"""The part of a report on coarse to fine: what each stage cost and gained, and the scores in the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qloom.reports.under_noise import score_with_interval
from qloom.reports.wording import capitalized, count_text, metric_title, score_text, seconds_text


def refinement_section(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Rows of both tables; None of a run without stages."""
    if found is None:
        return None
    names = list(found["scores"][0]["scores"])
    return {
        "stages": [_stage(number, each) for number, each in enumerate(found["stages"], 1)],
        "n_rows": found["n_rows"],
        "titles": [metric_title(name) for name in names],
        "scores": [
            (each["title"], [score_with_interval(each["scores"][name]) for name in names]) for each in found["scores"]
        ],
        "scoring": _cost(found["cost"], found["expected"]),
    }


def _stage(number: int, stage: Mapping[str, Any]) -> dict[str, Any]:
    trained = stage["train"].replace("_", " ")
    after = "no number" if stage["after"] is None else score_text(stage["after"])
    change = f"{score_text(stage['before'])} → {after}"
    return {
        "title": f"{number}. {capitalized(stage['title'])}",
        "steps": f"{count_text(stage['steps'])} of {count_text(stage['rows_a_step'])} rows, {trained}",
        "loss": change if stage["kept"] else f"{change}, taken back",
        "rows": stage["rows_judged"],
        "seconds": seconds_text(stage["seconds"]),
        **_cost(stage["cost"], stage["expected"]),
    }


def _cost(cost: Mapping[str, Any] | None, expected: Mapping[str, Any] | None) -> dict[str, str]:
    """What was bought, and what was told before."""
    if cost is None or expected is None:
        return dict.fromkeys(("jobs", "shots", "told", "money", "minutes"), "–")
    return {
        "jobs": count_text(cost["jobs"]), "shots": count_text(cost["shots"]), "told": count_text(expected["shots"]),
        "money": f"{cost['money']:,.2f}", "minutes": f"{cost['seconds'] / 60:.1f}",
    }  # fmt: skip
