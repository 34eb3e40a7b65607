"""docs/performance.md, its plots, and README.md's part on speed, from the CSV files alone.

Run: make bench-page
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import plots, tables
from benchmarks.peers.registry import PEERS
from benchmarks.results import ROOT, Row, newest, read_rows

PAGE = ROOT / "docs" / "performance.md"
PLOTS = PAGE.parent / "plots"
# The parts of README.md that are written here, by name.
PARTS = {
    name: (f"<!-- {name}: written by benchmarks/page.py -->", f"<!-- end of {name} -->")
    for name in ("speed", "published")
}
UNCOMPILED = {name for name, peer in PEERS.items() if peer.native_torch}

RATIOS = (
    "Both sides of a ratio are measured in turn. A second thread is judged by the loop in registers, from 20 qubits on "
    "by the copying loop: their gain by it as a multiple of ours is 1 where both gain the same, and below where ours "
    "gains more.\n\n"
)
DOUBT = "A question mark: other processes were busy meanwhile."

Section = tuple[str, str]  # title, text


def cases_of(name: str) -> list[Row]:
    """The newest row of every case of results/<name>.csv."""
    return newest(read_rows(name), lambda row: row["case"])


def plotted(name: str, words: str, draw: Callable[..., None], *arguments: object) -> str:
    """Draw a plot; the Markdown that shows it on the page."""
    path = PLOTS / f"{name}.svg"
    draw(arguments[0], path, *arguments[1:])
    return f"![{words}](plots/{path.name})\n"


def measured_on(rows: Sequence[Row]) -> str:
    """Machines, commits and days of rows, in a line."""
    machines, commits, days = (sorted({row[key] for row in rows}) for key in ("machine", "commit", "day"))
    return f"Measured on {' and '.join(machines)}, {', '.join(days)}, commit {', '.join(commits)}."


def engine_section() -> list[Section]:
    """Goals, fractions of the limit, ratios."""
    ratios, limits = cases_of("ratios"), cases_of("limits")
    rows = [row for name in areas() for row in cases_of(name) if name not in ("limits", "growth", "ratios")]
    if not rows:
        return []
    text = (
        f"{measured_on(rows)} P is the multiply-add rate measured right before and after each case; spread is the "
        f"distance between the quartiles. {DOUBT}\n\n"
    )
    sections = [("Goals", text + tables.goal_table(rows))]
    plain = plain_steps()
    if plain:
        sections.append(
            ("Fraction of the limit", plotted("fractions", "Fraction of P by size", plots.plot_fractions, plain))
        )
    if ratios:
        sections.append(("Precision, re-uploading, threads", RATIOS + tables.goal_table(ratios)))
    if limits:
        sections.append(("The machine", tables.limit_table(limits)))
    return sections


def plain_steps() -> list[Row]:
    """Training steps in float32 with inputs once: other rows have the same sizes."""
    rows = cases_of("training_step")
    return [row for row in rows if row["name"] == "training step" and row["precision"] == "float32"]


def areas() -> list[str]:
    """The areas of the engine's cases, by file name."""
    return sorted(path.stem for path in (Path(__file__).parent / "engine").glob("*.py"))


def growth_section() -> list[Section]:
    """Time against n, B and L."""
    rows = cases_of("growth")
    if not rows:
        return []
    text = plotted("growth", "Time against n, B and L", plots.plot_growth, rows)
    return [("Growth with size", f"Two threads, float32. Below F / P no program of the plain form can go.\n\n{text}")]


def peer_sections() -> list[Section]:
    """A training step beside other systems, what compilation costs, and the other tasks."""
    rows = read_rows("peers")
    steps = tables.comparison(rows, "step")
    if not steps:
        return []
    text = (
        f"{measured_on(steps)} Two threads. Ours is timed right before and after each peer, in one run; results are "
        "checked before anything is timed (to 1e-4 in single precision, 1e-7 in double; a larger error stands in place "
        "of a time). Milliseconds of a training step; in brackets, how many times ours. "
        f"{DOUBT}\n\n"
    )
    text += plotted("times", "Time of a training step by system", plots.plot_times, steps, "Training step")
    text += "\n" + plotted(
        "ratios", "Ratio to each system", plots.plot_ratios, steps, "Training step, ratio to each system"
    )
    sections = [("Beside other systems", f"{text}\n{tables.peer_table(steps)}")]
    first = plotted("first_calls", "First call by system", plots.plot_first_calls, tables.compiled(steps))
    table = tables.peer_table(tables.compiled(steps), "s (our steps in that time)", first_call=True)
    sections.append(("What compilation costs", f"qloom compiles nothing.\n\n{first}\n{table}"))
    return sections + [
        task_section(rows, task) for task in dict.fromkeys(row["task"] for row in rows) if task != "step"
    ]


def task_section(rows: Sequence[Row], task: str) -> Section:
    """A table of another task, and a plot where there is more than one point."""
    mine = tables.comparison(rows, task)
    text = tables.peer_table(mine)
    if len(tables.ours_at(mine)) > 1:
        name = task.replace(" ", "_")
        text = (
            plotted(name, f"{task} by system", plots.plot_ratios, mine, f"{task.capitalize()}, ratio to each system")
            + "\n"
            + text
        )
    return f"{task.capitalize()} beside other systems", text


def page() -> str:
    """The whole page."""
    sections = [*peer_sections(), *engine_section(), *growth_section()]
    head = (
        "# Performance\n\nWritten by `make bench-page` from benchmarks/results; measured by `make bench` and "
        "`make bench-peers`. A training step, W1, is RY(x) on every qubit, L times (RZ RY RZ on every qubit, a ring of "
        "CNOTs), Z on every qubit and a squared loss, forward and full backward to weights and inputs, with n qubits, "
        "B samples and L layers. It needs F = 2^n B L (16 n + 14) multiply-adds; "
        "[benchmarks/floor.md](../benchmarks/floor.md) derives the counts.\n"
    )
    return head + "".join(f"\n## {title}\n\n{text}" for title, text in sections)


def readme_part() -> str:
    """One table and one plot."""
    steps = tables.comparison(read_rows("peers"), "step")
    if not steps:
        return "Nothing measured yet: run `make bench` and `make bench-peers`.\n"
    table = tables.summary_table(steps, plain_steps(), UNCOMPILED)
    return (
        "A training step (forward, full backward to weights and inputs, through `QuantumLayer` and `loss.backward()`) "
        f"beside other systems on the same checked work, float32, two threads. {measured_on(steps)}\n\n"
        f"![Ratio to each system](docs/plots/ratios.svg)\n\n{table}"
    )


def published_part() -> str:
    """What others published beside what was found."""
    rows = newest(read_rows("published"), lambda row: row["name"])
    if not rows:
        return "Nothing measured yet: run `python -m benchmarks.published`.\n"
    return f"{tables.published_table(rows)}\n{measured_on(rows)}\n"


def write_between(path: Path, part: str, text: str) -> None:
    """Put text between the markers of a part of a file."""
    whole, (begin, end) = path.read_text(), PARTS[part]
    if whole.count(begin) != 1 or whole.count(end) != 1:
        raise ValueError(f"{path} has not one '{begin}' and one '{end}'; put the markers where the part belongs")
    pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    path.write_text(pattern.sub(lambda _: f"{begin}\n{text}{end}", whole))


def main() -> None:
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    write_between(ROOT / "README.md", "speed", readme_part())
    write_between(ROOT / "README.md", "published", published_part())
    print(f"{PAGE.relative_to(ROOT)} and README.md written")


if __name__ == "__main__":
    main()
