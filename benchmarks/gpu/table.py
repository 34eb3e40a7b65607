"""Rows measured on GPUs beside their goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.results import RESULTS, Row, newest, read_rows
from benchmarks.tables import markdown

PEERS, PEER_GOAL = "gpu_peers", 10.0
# Where the goal over other systems holds.
GOAL_POINT = ("8", "256", "4")


def describe(row: Mapping[str, Any]) -> str:
    """A row in a line, the goals beside the figures."""
    text = f"{row['name']:34s} {row['size']:38s} "
    if row["status"] != "ok":
        return text + str(row["status"])
    text += f"{float(row['median']):10.4g} {row['unit']}"
    if row["fraction"] not in (None, ""):
        text += f", {float(row['fraction']):.0%} of the least, {float(row['floor']):.3g} ms by {row['binds']}"
    return text + "".join(f", {goal}" for goal in goals(row)) + (f"; {row['note']}" if row["note"] else "")


def goals(row: Mapping[str, Any]) -> list[str]:
    """Goals of a row, each with whether it is met."""
    found = []
    if row["goal"] not in (None, ""):
        median, goal = float(row["median"]), float(row["goal"])
        met = median >= goal if row["unit"] == "times" else median <= goal
        found.append(f"goal {goal:g} {row['unit']} {_met(met)}")
    if row["goal_fraction"] not in (None, ""):
        goal = float(row["goal_fraction"])
        found.append(f"goal {goal:.0%} {_met(float(row['fraction']) >= goal)}")
    return found


def _met(met: bool) -> str:
    return "met" if met else "MISSED"


def case_table(rows: Sequence[Row]) -> str:
    """Cases beside their goals."""
    lines = []
    for row in rows:
        if row["status"] != "ok":
            lines.append([row["name"], row["size"], row["status"], "", "", ""])
            continue
        least = f"{float(row['fraction']):.0%} ({row['binds']})" if row["fraction"] else ""
        figure = f"{float(row['median']):.4g} {row['unit']}"
        lines.append([row["name"], row["size"], figure, f"{float(row['spread']):.0%}", least, "; ".join(goals(row))])
    return markdown(["work", "size", "median", "spread", "of the least time", "goal"], lines, n_texts=2)


def peer_table(rows: Sequence[Row]) -> str:
    """Other systems at each point, and whether the fastest takes as many times as it should."""
    lines = []
    for row in rows:
        point = (row["n"], row["batch"], row["layers"])
        told = f"{float(row['median_ms']):.4g} ms" if row["status"] == "ok" else row["status"]
        ratio = f"{float(row['ratio']):.3g}" if row["ratio"] else ""
        ours = f"{float(row['ours_ms']):.4g} ms" if row["ours_ms"] else ""
        lines.append([f"({', '.join(point)})", f"{row['title']} {row['version']}", told, ours, ratio])
    return markdown(["n, B, L", "system", "a step takes it", "qloom", "times"], lines, n_texts=2)


def peer_goal(rows: Sequence[Row]) -> str:
    """A line on the fastest of them."""
    there = [row for row in rows if (row["n"], row["batch"], row["layers"]) == GOAL_POINT and row["status"] == "ok"]
    if not there:
        return f"No other system was measured at ({', '.join(GOAL_POINT)}): goal {PEER_GOAL:g} times is open."
    fastest = min(there, key=lambda row: float(row["median_ms"]))
    ratio = float(fastest["ratio"])
    return f"The fastest, {fastest['title']}, takes {ratio:.3g} times: goal {PEER_GOAL:g} {_met(ratio >= PEER_GOAL)}."


def print_tables() -> None:
    """All that was measured last, and where it is."""
    rows = newest(read_rows("gpu"), lambda row: row["case"])
    print(case_table(rows) if rows else "Nothing measured yet: run python -m benchmarks.gpu")
    peers = newest(read_rows(PEERS), lambda row: (row["peer"], row["n"], row["batch"], row["layers"]))
    if peers:
        print(peer_table(peers))
    print(peer_goal(peers))
    print(f"Rows: {RESULTS / 'gpu.csv'}" + (f" and {RESULTS / f'{PEERS}.csv'}" if peers else ""))
