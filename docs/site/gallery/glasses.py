"""Entries of spin glasses and of sequences that are one."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from matplotlib.figure import Figure

from benchmarks.combinatorial import autocorrelation, dense, qaoa
from benchmarks.results import Row
from docs.site.gallery.entry import Entry, Line, Rows, newest_of
from docs.site.gallery.markdown import table
from docs.site.gallery.pictures import COLOURS, PUBLISHED, numbers, panels
from docs.site.gallery.sources import BOETTCHER, FARHI, GOMEZ_CADAVID, SHAYDULIN

PARISI = 0.76321  # as in dense.expected_optimum, whose docstring has the source
LIMIT = 10  # seconds to the target: the goal of the benchmark
# Growth of a memetic tabu search for each sign more, by its start, as the docstring of the benchmark has it.
PUBLISHED_GROWTH = {"random": ("1.34", SHAYDULIN), "qaoa": ("1.24, from counterdiabatic circuits", GOMEZ_CADAVID)}
ALL_LENGTHS = f"{autocorrelation.LENGTHS[0]}-{autocorrelation.LENGTHS[-1]}"
FINITE = "Finite glasses lie below the published limit. How near is near enough was not said, so no row has a goal."


def glass_lines(rows: Rows) -> list[Line]:
    most = max(int(row["n"]) for row in rows)
    return [
        Line(f"p = {row['layers']}", f"{row['infinite']} with infinitely many spins",
             f"{float(row['own_angles']):.3f} +- {float(row['own_standard_error']):.3f} with {most} spins; "
             f"{float(row['fixed_angles']):.3f} at the published angles", None)
        for row in rows if int(row["n"]) == most
    ]  # fmt: skip


def glass_control(rows: Rows) -> str:
    last, annealed = max(rows, key=lambda row: int(row["layers"])), soonest(newest_of("dense", "system", "sweeps")())
    return (
        f"The lowest energy a spin of infinitely many is {PARISI}. With p = {last['layers']} layers QAOA has "
        f"{float(last['infinite']) / PARISI:.0%} of it, as published. Plain annealing of {annealed['n']} spins comes "
        f"to {dense.SHARE:.1%} of what is expected of so many in {when(annealed)}: "
        "[the optimum of a spin glass](spin-glass-optimum.md).\n"
    )


def glass_picture(rows: Rows) -> Figure:
    figure, (axes,) = panels(1, 5)
    for colour, n in zip(COLOURS, dict.fromkeys(row["n"] for row in rows), strict=False):
        layers, energies, errors = numbers(
            [row for row in rows if row["n"] == n], "layers", "own_angles", "own_standard_error"
        )
        axes.errorbar(layers, energies, errors, fmt="o-", ms=4, capsize=2, color=colour, label=f"{n} spins, own angles")
    axes.plot(range(1, len(qaoa.GLASS) + 1), qaoa.GLASS, label="infinitely many, published", **PUBLISHED)
    axes.set(xlabel="layers p", ylabel="energy a spin, turned round")
    axes.legend(fontsize=8)
    return figure


def soonest(rows: Rows) -> Row:
    """Of our rows, by the time to the target."""
    return min((row for row in rows if row["system"] == "qloom"), key=lambda row: float(row["time_to_target_s"]))


def optimum_lines(rows: Rows) -> list[Line]:
    best = soonest(rows)
    seconds, expected = float(best["time_to_target_s"]), dense.expected_optimum()
    asked = f"{expected:.0f} expected; {dense.SHARE:.1%} of it in {LIMIT} s"
    found = f"{dense.SHARE:.1%} after {seconds:.2g} s; best {best['best']}, {float(best['best']) / expected:.2%}"
    return [Line(f"{best['n']} spins, couplings of +-1, annealing", asked, found, seconds <= LIMIT)]


def when(row: Row) -> str:
    seconds = float(row["time_to_target_s"])
    return f"{seconds:.3g} s" if isfinite(seconds) else "not in these reads"


def optimum_control(rows: Rows) -> str:
    cells = [[row["system"], row["sweeps"], f"{float(row['share']):.0%}", when(row), row["best"]] for row in rows]
    heads = ["system", "sweeps", "reads that reach it", "time to target", "best"]
    return f"All of this is classical annealing, one thread, {rows[0]['reads']} reads:\n\n{table(heads, cells)}"


def interval(row: Mapping[str, str], name: str) -> str:
    return f"{float(row[name]):.2f} ({float(row[f'{name}_low']):.2f} to {float(row[f'{name}_high']):.2f})"


def over_all(rows: Rows) -> dict[str, Mapping[str, str]]:
    """Start -> the row of all lengths."""
    return {row["start"]: row for row in rows if row["n"] == ALL_LENGTHS}


def sequence_lines(rows: Rows) -> list[Line]:
    found = over_all(rows)
    lines = [
        Line(f"growth of the search for each sign more, start {start}", f"{value} ({source.authors})",
             f"{interval(found[start], 'growth')}", None)
        for start, (value, source) in PUBLISHED_GROWTH.items()
    ]  # fmt: skip
    slower = float(found["qaoa"]["growth_high"]) < float(found["random"]["growth_low"])
    why = (
        "Our start is one population of samples of QAOA; the published one is the best of many samples of another "
        "circuit, again and again."
    )
    told = f"{interval(found['qaoa'], 'growth')} against {interval(found['random'], 'growth')}"
    lines.append(Line("a quantum start lowers the growth", f"yes ({GOMEZ_CADAVID.authors})", told, slower, why))
    return lines


def sequence_control(rows: Rows) -> str:
    found = over_all(rows)
    quantum, thermal = (interval(found[start], "ratio") for start in ("qaoa", "metropolis"))
    better = float(found["metropolis"]["ratio"]) > float(found["qaoa"]["ratio"])
    verdict = "The classical samples help more." if better else "The classical samples help no more."
    return (
        "How many times sooner the search is there than from random sequences, over all lengths (in brackets the "
        f"interval of 95%): from samples of QAOA {quantum}; from samples of Metropolis at the same mean energy "
        f"{thermal}. {verdict}\n"
    )


def sequence_picture(rows: Rows) -> Figure:
    figure, (axes,) = panels(1, 5.5)
    for k, (colour, start) in enumerate(zip(COLOURS, autocorrelation.STARTS, strict=False)):
        mine = [row for row in rows if row["start"] == start and row["n"] != ALL_LENGTHS]
        n, mean, low, high = numbers(mine, "n", "mean", "mean_low", "mean_high")
        bars = [[m - b for m, b in zip(mean, low, strict=True)], [b - m for m, b in zip(mean, high, strict=True)]]
        axes.errorbar(
            [at + 0.12 * k for at in n], mean, bars, fmt="o", ms=4, capsize=2, color=colour, label=f"start: {start}"
        )
    axes.set(yscale="log", xlabel="signs N", ylabel="energies asked for until the optimum, mean")
    axes.legend(fontsize=8)
    return figure


ENTRIES = (
    Entry(
        slug="qaoa-spin-glass",
        title="QAOA of the Sherrington-Kirkpatrick model",
        what="Mean energies of QAOA of one to six layers on finite spin glasses, beside those of infinite ones.",
        sources=(FARHI,),
        command="benchmarks.combinatorial.qaoa glasses",
        data="the published angles, in `instances/qaoa_angles`",
        protocol=(FINITE, qaoa.glass, qaoa.measure_glasses),
        rows=newest_of("qaoa_glasses", "n", "layers"),
        lines=glass_lines,
        took="about 1 min",
        control=glass_control,
        picture=glass_picture,
        caption="Energy a spin by the number of layers; crosses are the published limit.",
    ),
    Entry(
        slug="spin-glass-optimum",
        title="The optimum of a spin glass of 2,000 spins",
        what="How near annealing comes to the energy that theory expects of a Sherrington-Kirkpatrick glass.",
        sources=(BOETTCHER,),
        command="benchmarks.combinatorial.dense",
        data="",
        protocol=(dense, dense.expected_optimum, dense.measure),
        rows=newest_of("dense", "system", "sweeps"),
        lines=optimum_lines,
        took=lambda rows: sum(float(row["seconds_a_read"]) * int(row["reads"]) for row in rows),
        control=optimum_control,
        published="expected",
    ),
    Entry(
        slug="low-autocorrelation",
        title="Low-autocorrelation sequences from quantum starts",
        what="Whether a memetic tabu search is sooner at the optimum when it begins at samples of a quantum circuit.",
        sources=(GOMEZ_CADAVID, SHAYDULIN),
        command="benchmarks.combinatorial.autocorrelation",
        data="known optima, in `instances/labs`",
        protocol=(autocorrelation,),
        rows=newest_of("autocorrelation", "n", "start"),
        lines=sequence_lines,
        took="not recorded",
        control=sequence_control,
        picture=sequence_picture,
        caption="Energies asked for until the optimum, by the length; bars are intervals of 95%.",
    ),
)
