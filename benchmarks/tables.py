"""Markdown tables from the rows of results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.others import BUSY
from benchmarks.peers.running import TOO_LONG
from benchmarks.results import Row, newest


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]], n_texts: int = 1) -> str:
    """A table, the first columns, of texts, to the left, the others to the right."""
    lines = [header, ["---" if k < n_texts else "---:" for k in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def three(number: float) -> str:
    """Three digits that count, no exponent."""
    return f"{number:,.0f}" if number >= 100 else f"{number:#.3g}".rstrip(".")


def number_of(row: Row, column: str) -> float | None:
    """A figure of a row, None where there is none."""
    return float(row[column]) if row[column] else None


def size_of(row: Row) -> dict[str, int]:
    """The letters and numbers of a case's size."""
    return {name: int(value) for name, value in (word.split("=") for word in row["size"].split())}


def goal_table(rows: Sequence[Row]) -> str:
    """Every case beside its goal."""
    lines = []
    for row in rows:
        how = f"{row['precision']}, {row['threads']} thread{'s' * (row['threads'] != '1')}"
        size = row["size"].replace("batch", "B").replace("layers", "L")
        figure = f"{three(float(row['median']))} {row['unit']}" + "?" * (float(row["others"]) > BUSY)
        spread = f"{float(row['spread']):.0%}"
        lines.append([row["name"], size, how, figure, spread, _percent(row["fraction"]), _goal(row)])
    return markdown(["work", "size", "how", "median", "spread", "of P", "goal"], lines, n_texts=3)


def _percent(text: str) -> str:
    return "" if not text else f"{float(text):.0%}" if float(text) >= 0.1 else f"{float(text):.1%}"


def _goal(row: Row) -> str:
    goals = []
    if row["goal"]:
        goals.append((f"{float(row['goal']):g} {row['unit']}", float(row["median"]) <= float(row["goal"])))
    if row["goal_fraction"]:
        goals.append((f"{float(row['goal_fraction']):.0%}", float(row["fraction"]) >= float(row["goal_fraction"])))
    return ", ".join(f"{text} {_met(met)}" for text, met in goals)


def published_table(rows: Sequence[Row]) -> str:
    """What others published, and what was found."""
    lines = [
        [row["name"], row["expected"], row["measured"], f"{three(float(row['seconds']))} s", _met(row["met"] == "True")]
        for row in rows
    ]
    return markdown(["what", "published, and how near", "found", "time", ""], lines, n_texts=3)


def _met(met: bool) -> str:
    return "reached" if met else "missed"


def limit_table(rows: Sequence[Row]) -> str:
    """What the machine can do."""
    lines = [[row["name"], row["threads"], f"{three(float(row['median']))} {row['unit']}"] for row in rows]
    return markdown(["rate", "threads", "measured"], lines)


Point = tuple[int, int, int]


def point_of(row: Row) -> Point:
    """(n, B, L)."""
    return int(row["n"]), int(row["batch"]), int(row["layers"])


def comparison(rows: Iterable[Row], task: str) -> list[Row]:
    """The newest row of each peer and point of a task."""
    return newest((row for row in rows if row["task"] == task), lambda row: (row["peer"], point_of(row)))


def ours_at(rows: Sequence[Row]) -> dict[Point, float]:
    """Our time at each point, milliseconds: the median over the rows, which were measured beside different peers."""
    times: dict[Point, list[float]] = {}
    for row in rows:
        times.setdefault(point_of(row), []).append(float(row["ours_ms"]))
    return {point: sorted(times[point])[len(times[point]) // 2] for point in sorted(times)}


def peer_table(rows: Sequence[Row], corner: str = "ms (times ours)", first_call: bool = False) -> str:
    """Systems and points of a task; with `first_call`, of that instead of the later ones."""
    ours = ours_at(rows)
    cell = _first_call if first_call else _time
    lines = [] if first_call else [["qloom", *(f"**{three(time)}**" for time in ours.values())]]
    for title in dict.fromkeys(row["title"] for row in rows):
        mine = {point_of(row): row for row in rows if row["title"] == title}
        lines.append([title, *(cell(mine[point]) if point in mine else "" for point in ours)])
    return markdown([corner, *(f"({','.join(map(str, point))})" for point in ours)], lines)


def _time(row: Row) -> str:
    doubt = "?" * (float(row["others"]) > BUSY)
    if row["status"] == "ok":
        return f"{three(float(row['median_ms']))} ({three(float(row['ratio']))}){doubt}"
    if row["status"] == TOO_LONG:
        return f"> {float(row['limit_s']):.0f} s{doubt}"
    return f"error {float(row['error']):.1e}" if row["error"] else "failed"


def _first_call(row: Row) -> str:
    if row["status"] != "ok":
        return ""
    seconds = float(row["first_call_s"])
    return f"{three(seconds)} ({1e3 * seconds / float(row['ours_ms']):,.0f})"


def compiled(rows: Iterable[Row]) -> list[Row]:
    """The rows of systems that compile a program at the first call."""
    return [row for row in rows if "JAX" in row["title"]]


def fastest(rows: Iterable[Row]) -> Row | None:
    """The row of the fastest peer."""
    done = [row for row in rows if row["status"] == "ok"]
    return min(done, key=lambda row: float(row["ratio"]), default=None)


def summary_table(rows: Sequence[Row], steps: Sequence[Row], uncompiled: set[str]) -> str:
    """Ours beside the fastest peer and the fastest one that compiles nothing and is a torch or TensorFlow program."""
    fractions = {tuple(size_of(row).values()): row["fraction"] for row in steps if row["threads"] == "2"}
    lines = []
    for point, time in ours_at(rows).items():
        there = [row for row in rows if point_of(row) == point]
        best, plain = fastest(there), fastest(row for row in there if row["peer"] in uncompiled)
        cells = [f"{three(float(row['ratio']))} times ({row['peer']})" if row else "" for row in (best, plain)]
        lines.append(
            [f"({','.join(map(str, point))})", f"{three(time)} ms", _percent(fractions.get(point, "")), *cells]
        )
    header = ["qubits, samples, layers", "qloom", "of the machine's rate", "the fastest other system takes",
              "the fastest that is torch or TensorFlow"]  # fmt: skip
    return markdown(header, lines)
