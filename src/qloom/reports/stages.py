"""What was trained when in a run's hybrid model, from which start, and what that took."""

from __future__ import annotations

from typing import Any

from qloom.reports.record import ModelRecord, RunRecord
from qloom.reports.wording import score_text, seconds_text

_HEADS = {"linear": "a linear one", "boosting": "boosted trees"}
_BLANK = dict.fromkeys(("epochs", "first", "last", "seconds", "loss"), "–")


def trained_when(record: RunRecord) -> list[dict[str, Any]]:
    """A row a stage; none if everything was trained all the time, from fresh weights and with no other head."""
    hybrid = record.models["hybrid"]
    rows: dict[str, list[dict[str, Any]]] = {}
    for epoch in hybrid.history:
        rows.setdefault(epoch.get("stage", ""), []).append(epoch)
    if set(rows) <= {"", "everything"} and not hybrid.started_from and not hybrid.refit:
        return []
    return [
        *_start(hybrid),
        *(_epochs(title or "everything", epochs) for title, epochs in rows.items()),
        *_refit(hybrid),
    ]


def _start(model: ModelRecord) -> list[dict[str, Any]]:
    if model.started_from is None:
        return []
    return [{**_BLANK, "title": f"before: what {model.started_from} had learnt"}]


def _epochs(title: str, epochs: list[dict[str, Any]]) -> dict[str, Any]:
    first, last, seconds = epochs[0], epochs[-1], sum(epoch["seconds"] for epoch in epochs)
    return {
        "title": title, "epochs": len(epochs), "first": first["epoch"], "last": last["epoch"],
        "seconds": seconds_text(seconds), "loss": _loss(last["validation_loss"]),
    }  # fmt: skip


def _refit(model: ModelRecord) -> list[dict[str, Any]]:
    """The head that was fitted in the end, beside the one it was to replace."""
    refit = model.refit
    if refit is None:
        return []
    fate = "takes the place of the trained head" if refit.kept else "not clearly better, the trained head stays"
    title = f"head fitted anew, {_HEADS.get(refit.kind, refit.kind)}: {fate}"
    best = {**_BLANK, "title": f"weights of epoch {model.best_epoch}, the best", "loss": _loss(refit.before)}
    loss = f"{_loss(refit.after)}, difference ± {score_text(refit.error)}"
    return [best, {**_BLANK, "title": title, "seconds": seconds_text(refit.seconds), "loss": loss}]


def _loss(value: float | None) -> str:
    return _BLANK["loss"] if value is None else score_text(value)
