"""Entries of training, and of circuits as data."""

from __future__ import annotations

from matplotlib.figure import Figure

from benchmarks.circuits import cluster, phases
from benchmarks.training import layerwise
from docs.site.gallery.classifiers import MNIST
from docs.site.gallery.entry import Entry, Line, Rows, is_true, newest_of
from docs.site.gallery.markdown import table
from docs.site.gallery.pictures import COLOURS, panels
from docs.site.gallery.sources import CLUSTER_TUTORIAL, CONG, HO, SKOLIK, TENSORFLOW_QUANTUM

OWN = (
    "The circuit, the components and the schedule are ours, not the source's: what is compared is whether training "
    "layer by layer lowers errors at all, not by how much."
)
TOGETHER, *BY_LAYER = layerwise.WAYS


def layer_lines(rows: Rows) -> list[Line]:
    """What the abstract of the source says, as signs: how much lower depends on data and circuit."""
    found = {row["training"]: row for row in rows}
    base, lines = found[TOGETHER], []
    for way in BY_LAYER:
        mean, other = (float(row["mean_error"]) for row in (found[way], base))
        runs, of = [int(row["below_a_quarter"]) for row in (found[way], base)], f"of {base['seeds']}"
        lines += [
            Line(f"mean test error, {way}", f"8% lower than {TOGETHER}, on average",
                 f"{mean:.3f}, {TOGETHER} {other:.3f}", mean < other),
            Line(f"runs with an error below 0.25, {way}", f"up to 40% more than {TOGETHER}",
                 f"{runs[0]} {of}, {TOGETHER} {runs[1]} {of}", runs[0] > runs[1]),
        ]  # fmt: skip
    return lines


def layer_picture(rows: Rows) -> Figure:
    figure, (axes,) = panels(1, 6, 2.6)
    boxes = []
    for row in rows:
        least, low, middle, high, most = map(float, row["quartiles"].split())
        boxes.append({"label": row["training"], "whislo": least, "q1": low, "med": middle, "q3": high, "whishi": most})
    axes.bxp(boxes, showfliers=False, orientation="horizontal", medianprops={"color": COLOURS[0]})
    axes.set(xlabel=f"test error over {rows[0]['seeds']} seeds", xlim=(0, 0.5))
    return figure


def shares(rows: Rows) -> str:
    """How often others are right."""
    return table(["what", "right", ""], [[row["what"], f"{float(row['found']):.3f}", row["detail"]] for row in rows], 3)


def cluster_lines(rows: Rows) -> list[Line]:
    (row,) = [row for row in rows if row["what"].endswith(cluster.TUTORIAL)]
    ours, _, theirs = row["detail"].partition("; ")
    asked = f"{float(row['goal']) + cluster.NEAR:.3f}, to {cluster.NEAR:g}; {theirs}" if row["goal"] else "not run here"
    return [Line(row["what"], asked, f"{float(row['found']):.3f}; {ours}", is_true(row["met"]) if row["met"] else None)]


def phase_lines(rows: Rows) -> list[Line]:
    return [
        Line(row["what"], f"closed form, to {row['goal']}", f"{float(row['found']):.1e}", is_true(row["met"]))
        for row in rows if not row["what"].startswith("phases")
    ]  # fmt: skip


def phase_control(rows: Rows) -> str:
    told = [row for row in rows if row["what"].startswith("phases")]
    text = "The phase of such a circuit, told by a quantum network behind it and by a classical control:\n\n"
    return text + shares(told)


ENTRIES = (
    Entry(
        slug="layer-by-layer",
        title="Layer by layer against all at once",
        what="Whether training a circuit layer by layer with few shots gives lower test errors, as published.",
        sources=(SKOLIK,),
        command="benchmarks.training.layerwise",
        data=MNIST,
        protocol=(layerwise, OWN, layerwise.stage),
        rows=newest_of("layerwise", "training"),
        lines=layer_lines,
        took="about 1 min",
        picture=layer_picture,
        caption="Test errors: least, quartiles, largest.",
    ),
    Entry(
        slug="ground-states",
        title="Ground states of rings in N/2 layers",
        what="Circuits of N/2 layers reach ground states of the transverse-field Ising ring and of an XXZ ring.",
        sources=(HO, TENSORFLOW_QUANTUM),
        command="benchmarks.circuits.phases",
        data="",
        protocol=(phases,),
        rows=newest_of("circuits_phases", "what"),
        lines=phase_lines,
        took="about 4 min",
        control=phase_control,
    ),
    Entry(
        slug="cluster-states",
        title="Excited cluster states told by a quantum network",
        what="A tutorial's network, trained by TensorFlow Quantum and by qloom from the same starts.",
        sources=(CLUSTER_TUTORIAL, TENSORFLOW_QUANTUM, CONG),
        command="benchmarks.circuits.cluster",
        data="",
        protocol=(cluster,),
        rows=newest_of("circuits_cluster", "what"),
        lines=cluster_lines,
        took="about 30 s",
        control=lambda rows: shares([row for row in rows if not row["what"].endswith(cluster.TUTORIAL)]),
        published="TensorFlow Quantum's own run",
    ),
)
