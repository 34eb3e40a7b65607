"""Pages of `qloom watch`: one file that asks for nothing outside itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from qloom.data.drift import PREDICTION
from qloom.errors import DataError
from qloom.files import replace_file
from qloom.models.tables.scores import TITLES
from qloom.reports.pages import page
from qloom.reports.pictures import as_address
from qloom.watching.looking import first_rows
from qloom.watching.updating import lower_by

_INK, _RISE, _SOFT = "#0072b2", "#d55e00", "#8a8a8a"
_STYLES: dict[str, dict[str, Any]] = {
    "ours": {"color": _INK, "linewidth": 2.2, "zorder": 4},
    "control": {"color": "#009e73", "linewidth": 1.6},
    "frozen": {"color": _INK, "linewidth": 1.4, "linestyle": ":"},
    "retrained": {"color": _INK, "linewidth": 1.4, "linestyle": "--"},
    "guess": {"color": _SOFT, "linewidth": 1.2},
    "river": {"color": _RISE, "linewidth": 1.4},
}
_DASHES = ("-", "--", "-.", ":")
_SMOOTH, _MOST_SCORES = 10, 5
_NAMES = {
    "old": "hybrid before", "new": "hybrid, updated", "old_control": "classical layer before",
    "new_control": "classical layer, updated",
}  # fmt: skip


def write_page(found: Mapping[str, Any], path: Path, template: str) -> Path:
    """Write what was found as a page.

    Raises:
        DataError: for a path that cannot be written to.
    """
    content = _prequential(found) if template.startswith("prequential") else _watch(found)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return replace_file(path, page(template, found=found, **content))
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror}), expected a path for a page; choose another"
        ) from None


def _watch(found: Mapping[str, Any]) -> dict[str, Any]:
    apart = found["telling_apart"]
    return {
        "told": told(found),
        "columns": [_column(each) for each in found["columns"]],
        "stability": as_address((8.2, 0.6 + 0.27 * min(len(found["columns"]), 25)), lambda f: _draw_columns(f, found)),
        "losses": None if found["loss"] is None else as_address((8.2, 3.2), lambda f: _draw_loss(f, found["loss"])),
        "carried": None if "auc" not in apart else [
            (name, f"{lost:.3f}") for name, lost in apart["columns"][:8] if lost > 0.001
        ],
        "scores": _scores(found["loss"]),
        "update": _update(found.get("update")),
    }  # fmt: skip


def told(found: Mapping[str, Any]) -> list[str]:
    """What was found, in sentences."""
    lines = []
    reasons = found["reasons"]
    rule = found["when"]
    if found["matters"]:
        why = "; ".join(reasons) if reasons else f"watch.when is {rule}"
        lines.append(f"It matters: {why}.")
    elif reasons:
        lines.append(f"By the rule watch.when={rule} it does not matter: {'; '.join(reasons)}.")
    else:
        lines.append("Nothing that matters has moved.")
    lines.append(_apart_sentence(found["telling_apart"]))
    lines.append(_loss_sentence(found["loss"], found["target"]))
    if update := found.get("update"):
        lines += update_sentences(update)
    return lines


def _apart_sentence(apart: Mapping[str, Any]) -> str:
    if "auc" not in apart:
        return f"Whether a classifier tells new rows from old ones was not tried: {apart['undefined']}."
    value, low, high = apart["auc"]
    carrying = [name for name, lost in apart["columns"][:3] if lost > 0.01]
    by = f", mostly by {', '.join(carrying)}" if carrying and low > 0.5 else ""
    ends = f"95% interval {low:.3f} to {high:.3f}"
    return f"A classifier tells new rows from old ones with ROC AUC {value:.3f} ({ends}){by}."


def _loss_sentence(loss: Mapping[str, Any] | None, target: str) -> str:
    if loss is None:
        return f"No row has a target {target!r}: whether the loss has risen is not known."
    value, low, high = loss["scores"][loss["metric"]]
    score = (
        ""
        if value is None
        else f"; {TITLES[loss['metric']]} {value:.4f}" + ("" if low is None else f" ({low:.4f} to {high:.4f})")
    )
    before = (
        "" if loss["metric_in_test"] is None else f", {loss['metric_in_test']:.4f} on the test rows of the training"
    )
    held = "" if loss["held_out"] is None else f" ({loss['held_out']:.4f} on rows held out from training)"
    ddm = f". DDM, which often fires without a change, sees more misses at row {first_rows(loss['ddm'])}"
    before += ddm if loss["ddm"] else ""
    return f"Mean loss of {loss['n_rows']:,} labelled rows {loss['mean']:.4f}{held}{score}{before}."


def update_sentences(update: Mapping[str, Any]) -> list[str]:
    """What came of an update, beside its classical control."""
    how, scores, models = update["how"], update["scores"], update["scores"]["models"]
    taken = f"version {update['number']} is in force" if update["accepted"] else "the old version stays"
    lines = [f"Update by {how['title']}, {how['seconds']:.1f} s in all: {update['rule']}; {taken}."]
    if "new_control" in models:
        value, low, high = scores["against_control"]
        lines.append(
            f"The classical layer of equal size, updated in the same way: loss {models['old_control']['loss']:.4f} to "
            f"{models['new_control']['loss']:.4f}; ours is {lower_by(value, low, high)}."
        )
    lines += [f"{line[0].upper()}{line[1:]}." for line in how["left_out"]]
    return lines


def _column(each: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": "predictions" if each["column"] == PREDICTION else each["column"], "kind": each["kind"],
        "psi": f"{each['psi']:.3f}", "test": each["test"], "statistic": f"{each['statistic']:.3g}",
        "p": p_text(each["p_corrected"]), "n": f"{each['n']:,}",
        "moved": f"{each['group']}: {each['before']:.1%} → {each['after']:.1%}",
        "mark": "moved" if each["matters"] else "dates move on" if each["kind"] == "date" else "",
    }  # fmt: skip


def p_text(p: float) -> str:
    """A p value; below what its sums resolve only that it is."""
    return "< 1e-15" if p < 1e-15 else f"{p:.2g}"


def _scores(loss: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    if loss is None:
        return []
    return [
        (TITLES[name], "–" if value is None else f"{value:.4f}", "–" if low is None else f"{low:.4f} to {high:.4f}")
        for name, (value, low, high) in loss["scores"].items()
    ]


def _update(update: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if update is None:
        return None
    chosen = update["how"]["method"], update["how"]["parts"]
    models = update["scores"]["models"]
    headings = [name for name in models["new"] if name != "loss"][:_MOST_SCORES]
    rows = [(_NAMES[key], [number_text(each[name]) for name in ("loss", *headings)]) for key, each in models.items()]
    tried = [{**_tried(each), "chosen": (each["method"], each["parts"]) == chosen} for each in update["how"]["tried"]]
    return {"told": update_sentences(update), "tried": tried, "headings": ["Loss", *(TITLES[h] for h in headings)],
            "rows": rows, "data": update["data"]}  # fmt: skip


def _tried(each: Mapping[str, Any]) -> dict[str, str]:
    return {
        "title": f"{each['parts'].replace('_', ' ')}, {each['method']}", "loss": number_text(each["validation_loss"]),
        "old": number_text(each["old_loss"]), "seconds": f"{each['seconds']:.1f} s",
    }  # fmt: skip


def number_text(value: float | None) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.4f}"


def _draw_columns(figure: Figure, found: Mapping[str, Any]) -> None:
    """A bar a column: its stability index."""
    ax, columns = figure.subplots(), found["columns"][:25]
    names = ["predictions" if each["column"] == PREDICTION else each["column"][:30] for each in columns]
    colours = [_RISE if each["matters"] else _SOFT for each in columns]
    ax.barh(range(len(columns)), [each["psi"] for each in columns], color=colours, height=0.7)
    ax.set_yticks(range(len(columns)), names)
    ax.invert_yaxis()
    ax.set(xlabel="population stability index: 0.1 is looked at, 0.25 is large", xlim=(0, None))
    for bound in (0.1, 0.25):
        ax.axvline(bound, color="#555555", linewidth=0.8, linestyle=":")
    ax.grid(axis="y", visible=False)


def _draw_loss(figure: Figure, loss: Mapping[str, Any]) -> None:
    """Mean loss of blocks over the rows, with alarms."""
    ax = figure.subplots()
    at = [each["first"] + each["n"] / 2 for each in loss["blocks"]]
    ax.plot(at, [each["loss"] for each in loss["blocks"]], color=_INK, linewidth=1.6, label="new rows")
    if loss["held_out"] is not None:
        ax.axhline(loss["held_out"], color=_SOFT, linewidth=1.2, label="rows held out from training")
    rises = [each["row"] for each in loss["adwin"] if each["after"] > each["before"]]
    for rows, style, label in ((rises, "--", "ADWIN: it rises"), (loss["ddm"], ":", "DDM: more misses")):
        for k, row in enumerate(rows):
            ax.axvline(row, color=_RISE, linewidth=1, linestyle=style, label=label if k == 0 else None)
    ax.set(xlabel="row", ylabel="mean loss")
    ax.legend()


def _prequential(found: Mapping[str, Any]) -> dict[str, Any]:
    best_first = found["metric"] == "accuracy"
    learners = sorted(found["learners"], key=lambda each: each["score"][0], reverse=best_first)
    return {
        "picture": as_address((8.6, 4.2), lambda figure: _draw_learners(figure, found)),
        "rows": [_learner(each) for each in learners],
        "sentence": prequential_sentence(found),
    }


def prequential_sentence(found: Mapping[str, Any]) -> str:
    """Where ours stands, and what is better."""
    sign = 1 if found["metric"] == "accuracy" else -1
    ours = next(each for each in found["learners"] if each["role"] == "ours")
    better = [each["title"] for each in found["learners"] if sign * each["score"][0] > sign * ours["score"][0]]
    value, low, high = ours["beyond"]
    verdict = "better than" if low > 0 else "worse than" if high < 0 else "not told from"
    gain = (
        f"With a head that follows the stream, the model is {verdict} the frozen one: {found['metric']} "
        f"{ours['score'][0]:.4f}, a gain of {value:.4f} ({low:.4f} to {high:.4f})"
    )
    ahead = f"Ahead of it: {', '.join(better)}." if better else "Nothing here is ahead of it."
    return f"{gain}. {ahead}"


def _learner(each: Mapping[str, Any]) -> dict[str, Any]:
    value, low, high = each["score"]
    gain, least, most = each["beyond"]
    beyond = "–" if each["role"] == "frozen" else f"{gain:+.4f} ({least:+.4f} to {most:+.4f})"
    return {"title": each["title"], "score": f"{value:.4f}", "interval": f"{low:.4f} to {high:.4f}", "beyond": beyond,
            "seconds": f"{each['seconds']:.1f} s", "is_ours": each["role"] == "ours"}  # fmt: skip


def _draw_learners(figure: Figure, found: Mapping[str, Any]) -> None:
    """The score over the stream, smoothed over neighbouring windows."""
    ax, met = figure.subplots(), dict[str, int]()
    for each in found["learners"]:
        curve = np.array(each["curve"])
        style = dict(_STYLES[each["role"]])
        if each["role"] in ("guess", "river", "control"):
            style["linestyle"] = _DASHES[met.get(each["role"], 0) % len(_DASHES)]
            met[each["role"]] = met.get(each["role"], 0) + 1
        ax.plot(curve[:, 0], _smoothed(curve[:, 1]), label=f"{each['title']} ({each['score'][0]:.3f})", **style)
    ax.set(xlabel="row of the stream", ylabel=found["metric"])
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Means of neighbours; fewer at both ends."""
    width = min(_SMOOTH, len(values))
    ones = np.ones(width)
    return np.convolve(values, ones, "same") / np.convolve(np.ones(len(values)), ones, "same")
