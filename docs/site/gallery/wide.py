"""Entries of wide circuits, run back word by word."""

from __future__ import annotations

import re

from matplotlib.figure import Figure

from benchmarks.propagation import circuits, picture, wide
from benchmarks.results import Row
from docs.site.gallery.entry import Entry, Line, Rows, begins, is_true, newest_of
from docs.site.gallery.markdown import duration
from docs.site.gallery.sources import BEGUSIC, KIM, MONOPROP

ALL_KICKS = "127 qubits, 20 steps"
WORDS = (*wide.CUT, ALL_KICKS)
MEAN = "mz_5"


EXACT = (
    "Exact values are of 5 and 9 kicks. Each of ours has a bound, and beside it the change from twice the cut; a row "
    "is reached if the value is near enough, one of the two covers how far it is off, and it took less than a minute."
)
HARD = (
    "After 20 kicks no exact values are known: four approximations that converged span an interval, and counted is how "
    "far outside of it ours lie. Angles from 6 to 9 pi/32 are left out: there no cut as cheap as this one "
    "converges, and nothing is claimed."
)


PEER = (
    "After 21 steps monoprop has 5.6 million words. It runs in an environment of its own, which "
    "`python -m benchmarks.peers.installation propagation` makes."
)


def in_words(name: str) -> str:
    """What is measured, and after how many kicks."""
    if name == MEAN:
        return "mean of Z, 5 kicks"
    kicks, turn, letters, qubits = circuits.RECORDED[name]
    what = f"word of {len(letters)} letters" if len(letters) > 1 else f"{letters} of qubit {qubits[0]}"
    return f"{what}, {kicks} kicks" + " and a turn" * turn


def kicked_lines(rows: Rows) -> list[Line]:
    return [_exact(row) if row["name"].endswith(", off") else _converged(row) for row in rows]


def _exact(row: Row) -> Line:
    word, k = re.fullmatch(r"(\w+) at k = (\d+), off", row["name"]).groups()  # type: ignore[union-attr]
    off = float(row["found"])
    found = f"off by {off:.1e}; {row['detail']}" if off else f"equal; {row['detail']}"
    return Line(f"{in_words(word)}, angle {k} pi/32", f"exact, to {float(row['goal']):g}", found, is_true(row["met"]))


def _converged(row: Row) -> Line:
    """Of twenty kicks: seconds, and how far a value lies outside the others'."""
    what, unit = row["name"].replace(ALL_KICKS, in_words("z62_20")), ""
    if what.endswith(", s"):
        what, unit = what.removesuffix(", s"), " s"
    what += f", {row['detail']}" * bool(row["detail"])
    return Line(what, f"at most {float(row['goal']):g}{unit}", f"{float(row['found']):.2g}{unit}", is_true(row["met"]))


def kicked_seconds(rows: Rows) -> float:
    """At most: each exact value is walked to twice, the second time with a larger cut; twenty kicks once."""
    return 2 * _told_seconds(rows) + sum(float(row["found"]) for row in rows if row["name"].endswith(" angles, s"))


def _told_seconds(rows: Rows) -> float:
    """What details of rows tell."""
    return sum(float(seconds) for row in rows for seconds in re.findall(r"\b([\d.]+) s\b", row["detail"]))


def tilted_lines(rows: Rows) -> list[Line]:
    return [
        Line(f"{row['name']}, {row['threads']} thread{'s' * (row['threads'] != '1')}", f"at most {row['goal']}",
             f"{float(row['found']):.3g}" + f"; {row['detail']}" * bool(row["detail"]), is_true(row["met"]))
        for row in rows
    ]  # fmt: skip


def tilted_seconds(rows: Rows) -> float:
    """Three turns of both, of which rows have the medians."""
    return 3 * _told_seconds(rows)


def tilted_picture(_: Rows) -> Figure:
    """Of the rows of growth, which are rows of another file."""
    return picture.drawn(newest_of("propagation_size", "least", "steps")())


ENTRIES = (
    Entry(
        slug="kicked-ising",
        title="The kicked Ising model on 127 qubits",
        what="Expectation values of the experiment on 127 qubits beside exact and converged classical values.",
        sources=(KIM, BEGUSIC),
        command="benchmarks.propagation.wide kicked exact",
        data="the published values, in `data/ibm_utility_127q` (tbegusic/arxiv-2308.05077-data, commit 8bf62c2)",
        protocol=(circuits.kicked, EXACT, HARD),
        rows=newest_of("propagation", "name", "threads", only=begins("name", *WORDS)),
        lines=kicked_lines,
        took=lambda rows: f"at most {duration(kicked_seconds(rows))}",
        control="All of this is classical: no state of 127 qubits is held and no quantum computer was asked. It is the "
        "control of the experiment, which measured these values on a processor of 127 qubits and mitigated errors.",
        published="published, or asked for",
    ),
    Entry(
        slug="tilted-ising",
        title="A tilted Ising model on 6 x 6, beside monoprop",
        what="The largest case of another library's benchmark of Pauli propagation, by it and by qloom in turns.",
        sources=(MONOPROP,),
        command="benchmarks.propagation.wide grid",
        data="",
        protocol=(circuits.grid, wide.grids, PEER),
        rows=newest_of("propagation", "name", "threads", only=begins("name", "grid")),
        lines=tilted_lines,
        took=tilted_seconds,
        control="Both are classical programs.",
        picture=tilted_picture,
        caption="Words, seconds and errors against steps, for three cuts; two threads.",
        published="asked for",
    ),
)
