"""`qloom compare`: finished runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from qloom.cli.leaderboard import console_of_width, number_text, print_wrapped
from qloom.engines.choice import choose_engine
from qloom.models.tables.scores import TITLES
from qloom.training.side_by_side import compare_runs
from qloom.training.verdict import OUTCOME_WORDS


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; all others are compared with the first.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put runs side by side: scores with their spread, gains over the first run; qloom runs lists them."""
    found = compare_runs(runs)
    if as_json:
        typer.echo(json.dumps(found, indent=1, allow_nan=False))
        return
    console = console_of_width()
    _print(console, f"{found['target']}: mean {TITLES[found['metric']]} over rounds", _scores(found))
    _print(console, "better than in the first run by", _differences(found))
    for text in _remarks(found):
        print_wrapped(console, text)


def _scores(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row a model and run."""
    keys = dict.fromkeys(key for run in found["runs"] for key in run["models"])
    return [
        {
            "model": run["models"][key]["title"], "run": run["run"], "score": number_text(run["models"][key]["score"]),
            "± spread": number_text(run["models"][key]["deviation"]), "rounds": str(run["rounds"]["n"]),
        }
        for key in keys for run in found["runs"] if key in run["models"]
    ]  # fmt: skip


def _differences(found: Mapping[str, Any]) -> list[dict[str, str]]:
    titles = {key: model["title"] for run in found["runs"] for key, model in run["models"].items()}
    return [
        {
            "model": titles[each["model"]], "run": each["run"], "by": number_text(each["difference"], "+.4f"),
            "95% interval": _interval(each), "reading": OUTCOME_WORDS.get(each["outcome"], "no verdict"),
        }
        for each in found["differences"]
    ]  # fmt: skip


def _interval(each: Mapping[str, Any]) -> str:
    return "–" if each["low"] is None else f"{each['low']:+.4f} to {each['high']:+.4f}"


def _remarks(found: Mapping[str, Any]) -> list[str]:
    """Which circuits were measured, whether rounds were paired, and why there is no verdict."""
    remarks: dict[str, None] = {}  # in order, each once
    for run in found["runs"]:
        if not (engine := choose_engine(run["engine"])).is_exact:
            remarks[f"Circuits of {run['run']} run with {engine.title}."] = None
    for each in found["differences"]:
        pairs = f"{each['run']} and {each['against']}"
        if each["paired_rounds"]:
            text = f"{pairs} cut the same table alike in {each['paired_rounds']} rounds: differences are paired."
        else:
            text = f"{pairs} cut other rows: differences are not paired, so that intervals are wider."
        remarks[text] = None
        if each["unjudged"]:
            remarks[f"No verdict on {pairs}: {each['unjudged']}."] = None
    return list(remarks)


def _print(console: Console, title: str, rows: Sequence[Mapping[str, str]]) -> None:
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        words = name in ("model", "run", "reading")
        table.add_column(name, justify="left" if words else "right", overflow="fold", no_wrap=not words)
    for row in rows:
        table.add_row(*row.values())
    console.print(table, markup=False)
