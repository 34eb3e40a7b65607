"""Entries of combinatorial optimization: best known values and proven optima."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from benchmarks.combinatorial import best_known, portfolio, routing, scheduling, wide
from docs.site.gallery.entry import Entry, Line, Rows, Source, is_true, newest_of, total
from docs.site.gallery.markdown import duration, table
from docs.site.gallery.pictures import COLOURS, numbers, panels
from docs.site.gallery.sources import (
    AUGERAT,
    BEASLEY,
    BENLIC,
    BURKARD,
    CHANG,
    HELMBERG,
    HOLMBERG,
    JOB_SHOPS,
    REINELT,
    SCIORILLI,
)

CLASSICAL = "These searches are classical; nothing quantum stands beside them here."
QUANTUM_SEARCHES = ("Pauli correlations", "blocks, QAOA")
WITH_BEST_KNOWN = [name for name, (value, _) in wide.GRAPHS.items() if value]


def cut_lines(rows: Rows) -> list[Line]:
    return [
        Line(
            row["instance"],
            f"{row['best_known']}, in {row['limit_s']} s by {row['goal']} of seeds",
            f"{row['reached']} of {row['of']} seeds; median {float(row['median_s']):.2g} s, worst {row['worst']}",
            is_true(row["met"]),
        )
        for row in rows
    ]


def cut_seconds(rows: Rows) -> float:
    """At most: every seed as long as the slowest, or as the limit."""
    return sum(int(row["of"]) * min(float(row["slowest_s"]), float(row["limit_s"])) for row in rows)


def wide_lines(rows: Rows) -> list[Line]:
    return [
        Line(f"{row['instance']}, {row['method']}", f"{row['best_known']}, best known",
             f"{row['best_cut']}, mean {row['mean_cut']}, in {row['seconds']} s",
             float(row["best_cut"]) >= float(row["best_known"]))
        for row in rows if row["method"] in QUANTUM_SEARCHES
    ]  # fmt: skip


def wide_control(rows: Rows) -> str:
    instances = list(dict.fromkeys(row["instance"] for row in rows))
    cuts = {(row["method"], row["instance"]): row["mean_cut"] for row in rows}
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cells = [[method, *(cuts.get((method, instance), "") for instance in instances)] for method in methods]
    best = [max(methods, key=lambda method: float(cuts[method, instance])) for instance in instances]
    return (
        f"Mean cuts of all searches in equal time, larger is better:\n\n{table(['search', *instances], cells)}\n"
        f"The largest: {', '.join(f'{name} on {instance}' for name, instance in zip(best, instances, strict=True))}.\n"
    )


def proven_lines(rows: Rows) -> list[Line]:
    return [
        Line(
            row["instance"],
            row["optimum"],
            f"{row['objective']}; {row['status']}, bound {row['bound']} by {row['method']}",
            is_true(row["met"]),
            "" if row["status"] == "optimal" else "The optimum was not proven in the time.",
        )
        for row in rows
    ]


def proven(slug: str, title: str, what: str, source: Source, goals: Mapping[str, float], folder: str) -> Entry:
    """A page of routing.csv: the instances of a library."""
    return Entry(
        slug=slug,
        title=title,
        what=f"{what}, found by local search and proven.",
        sources=(source,),
        command=f"benchmarks.combinatorial.routing {' '.join(goals)}",
        data=f"the instances, in `instances/{folder}`",
        protocol=(routing,),
        rows=newest_of("routing", "instance", only=lambda row: row["instance"] in goals),
        lines=proven_lines,
        took=total("search_s", "proof_s"),
        control=CLASSICAL,
    )


def shop_lines(rows: Rows) -> list[Line]:
    return [
        Line(row["instance"], f"{row['optimum']} in {row['limit_s']} s",
             f"{row['proven']}, {row['status']} after {float(row['seconds']):.1f} s", is_true(row["met"]))
        for row in rows
    ]  # fmt: skip


def shop_control(rows: Rows) -> str:
    cells = [
        [row["instance"], row["tabu_alone"], row["exact_alone"], f"{float(row['exact_alone_s']):.2g} s"] for row in rows
    ]
    heads = ["instance", "tabu search alone, in the same time", "CP-SAT alone", "in"]
    return f"{CLASSICAL} Each of the two stages by itself:\n\n{table(heads, cells)}"


def frontier_lines(rows: Rows) -> list[Line]:
    """A return's least variance with all assets is published; with ten of them it cannot be less."""
    lines = []
    for row in rows:
        mean, variance, above = (float(row[name]) for name in ("mean", "variance", "above"))
        found = f"variance {variance:.4g}, {above:.3f} times" + "; optimal" * is_true(row["optimal"])
        asked = f"proven optimal, variance at least {variance / above:.4g} (of all assets)"
        met = is_true(row["optimal"]) and above >= 1 - 1e-4  # of rounded figures
        lines.append(Line(f"mean return {mean:.4g}, trade-off {row['trade_off']}", asked, found, met))
    return lines


def frontier_picture(rows: Rows) -> Figure:
    figure, (axes,) = panels(1, 5)
    means, variances, above = numbers(rows, "mean", "variance", "above")
    axes.plot(
        [v / a for v, a in zip(variances, above, strict=True)],
        means,
        "-",
        color="#000000",
        label="all 31 assets, published",
    )
    axes.plot(variances, means, "o", ms=4, color=COLOURS[0], label=f"at most {rows[0]['n_assets']} assets")
    axes.set(xlabel="variance", ylabel="mean return a week")
    axes.legend(fontsize=8)
    return figure


ENTRIES = (
    Entry(
        slug="max-cut",
        title="Best known cuts of graphs and binary functions",
        what="How often, and how soon, a search finds the best value that is known.",
        sources=(HELMBERG, BENLIC, BEASLEY),
        command="benchmarks.combinatorial.best_known",
        data="the instances, in `instances/maxcut_gset` and `instances/qubo_bqp`",
        protocol=(best_known,),
        rows=newest_of("best_known", "instance"),
        lines=cut_lines,
        took=lambda rows: f"at most {duration(cut_seconds(rows))}",
        control=CLASSICAL,
        published="best known",
    ),
    Entry(
        slug="wide-quantum-searches",
        title="Quantum searches of large cuts beside their controls",
        what="What searches made of quantum circuits find on 800 to 2,000 nodes, in the time of their controls.",
        sources=(SCIORILLI, BENLIC),
        command=f"benchmarks.combinatorial.wide {' '.join(WITH_BEST_KNOWN)}",
        data="the graphs, in `instances/maxcut_gset`",
        protocol=(wide,),
        rows=newest_of("wide", "instance", "method", only=lambda row: bool(row["best_known"])),
        lines=wide_lines,
        took=lambda rows: sum(float(row["seconds"]) * int(row["seeds"]) for row in rows),
        control=wide_control,
        published="best known",
    ),
    proven("tours", "Tours of TSPLIB", "Shortest tours", REINELT, routing.TOURS, "tsp"),
    proven("vehicle-routes", "Routes of vehicles with capacities", "Shortest routes", AUGERAT, routing.ROUTES, "cvrp"),
    proven("quadratic-assignments", "Quadratic assignments", "Best assignments", BURKARD, routing.ASSIGNMENTS, "qap"),
    proven(
        "facility-locations",
        "Facilities of limited capacity",
        "Cheapest locations",
        HOLMBERG,
        routing.LOCATIONS,
        "facility_location",
    ),
    Entry(
        slug="job-shops",
        title="Job shops",
        what="Shortest schedules of three famous job shops, proven optimal.",
        sources=(JOB_SHOPS,),
        command="benchmarks.combinatorial.scheduling",
        data="the instances, in `instances/jssp`",
        protocol=(scheduling,),
        rows=newest_of("scheduling", "instance"),
        lines=shop_lines,
        took=total("seconds", "seconds", "exact_alone_s"),
        control=shop_control,
    ),
    Entry(
        slug="portfolio-frontier",
        title="The frontier of portfolios of ten assets",
        what="Least variances at given returns with ten of 31 assets, beside the published frontier of all of them.",
        sources=(CHANG,),
        command="benchmarks.combinatorial.portfolio",
        data="OR-Library's `port1` and its frontier, in `instances/portfolio`",
        protocol=(portfolio,),
        rows=newest_of("portfolio", "instance", "n_assets", "trade_off"),
        lines=frontier_lines,
        took=total("seconds"),
        control=CLASSICAL,
        picture=frontier_picture,
        caption="Mean return against variance.",
    ),
)
