"""Entries of noise and error correction."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.noise import codes, devices, recorded
from benchmarks.results import Row
from docs.site.gallery.entry import Entry, Line, Rows, begins, is_true, newest_of
from docs.site.gallery.markdown import part_of
from docs.site.gallery.pictures import COLOURS, PUBLISHED, numbers, panels
from docs.site.gallery.sources import GIDNEY, METRIQ, QUANTINUUM, STEPHENS, STIM
from qloom.correction import LayerNoise

RATES = {
    "err2q": "error of a two-qubit gate", "err1q": "error of a one-qubit gate", "transport1q": "error of transport",
    "spam": "error of preparation and readout", "fit of": "counts of 15 programs, fit of",
}  # fmt: skip
PLAIN, CORRELATED = "matching", "matching with correlations"
# What is known of misses, as docs/correction.md has it.
SEE = "See [error correction](../correction.md)."
WHY = {
    f"with idles, surface X d=5 {PLAIN}": "By symmetry both bases are alike, and the published rate of the other one "
    f"is {codes.IDLES['Z', 5, False]:g}. {SEE}",
    f"with idles, surface X d=3 {CORRELATED}": f"Fewer errors than published; the cause was not found. {SEE}",
    "color X d=3": f"Fewer errors than published; the gates of our circuit have an order of their own. {SEE}",
}
THRESHOLD = ("bit flips", "circuit level", "repetition", "phenomenological", "slope", "crossing")


def code_lines(rows: Rows) -> list[Line]:
    return [
        Line(row["name"], asked_of(row), f"{float(row['found']):.4g}" + f"; {row['detail']}" * bool(row["detail"]),
             is_true(row["met"]), WHY.get(row["name"], ""))
        for row in rows
    ]  # fmt: skip


# As benchmarks.noise.codes.report judges.
NEAR = "within 15% or three standard errors"


def asked_of(row: Row) -> str:
    asked = f"{float(row['asked']):.4g}"
    words = {
        "bit flips": f"{asked}, exact",
        "slope": f"{asked} +- 0.04",
        "crossing": f"near {asked}",
        "with idles, d": f"below {asked}",
    }
    return next((text for start, text in words.items() if row["name"].startswith(start)), f"{asked} {NEAR}")


def idles_picture(rows: Rows) -> Figure:
    figure, (axes,) = panels(1, 5.5, 3.4)
    for colour, (basis, decoder) in zip(COLOURS, (("X", PLAIN), ("X", CORRELATED), ("Z", PLAIN)), strict=False):
        start = f"with idles, surface {basis} d="
        mine = [row for row in rows if row["name"].startswith(start) and row["name"].endswith(f" {decoder}")]
        _by(axes, mine, "d=", colour, f"surface code, {basis}, {decoder}")
    _by(axes, [row for row in rows if row["name"].startswith("color")], "d=", COLOURS[3], "color code, X and Z")
    axes.plot([], [], label="published", **PUBLISHED)
    axes.set(yscale="log", xlabel="distance", ylabel="errors a shot of 4 d rounds", xticks=(3, 5, 7, 9))
    axes.legend(fontsize=7)
    return figure


def _by(axes: Axes, rows: Rows, letter: str, colour: str, label: str) -> None:
    """Rates found and asked by a number that stands in the rows' names behind a letter."""
    points = sorted(
        (float(row["name"].partition(letter)[2].split()[0]), float(row["asked"]), float(row["found"])) for row in rows
    )
    places, asked, found = zip(*points, strict=True) if points else ((), (), ())
    axes.plot(places, found, "o-", color=colour, ms=5, label=label)
    axes.plot(places, asked, **PUBLISHED)


def threshold_picture(rows: Rows) -> Figure:
    figure, axes = panels(2)
    for panel, kind in zip(axes, ("circuit level, surface X", "phenomenological, surface Z"), strict=True):
        for colour, distance in zip(COLOURS, (3, 5), strict=False):
            mine = [row for row in rows if row["name"].startswith(f"{kind} d={distance} ")]
            _by(panel, mine, "p=", colour, f"distance {distance}")
        panel.plot([], [], label="reference", **PUBLISHED)
        panel.set(xscale="log", yscale="log", title=kind, xlabel="error rate p")
        panel.legend(fontsize=8)
    axes[0].set_ylabel("errors a shot")
    return figure


def device_lines(rows: Rows) -> list[Line]:
    return [
        Line(
            f"{_in_words(row['name'])}, {row['case'].replace('_', '-')}",
            f"{_with_error(row, 'asked')}, within {float(row['bound']):.2g}",
            _with_error(row, "found"),
            is_true(row["within"]),
        )
        for row in rows
    ]


def _in_words(name: str) -> str:
    start = next((start for start in RATES if name.startswith(start)), "")
    return RATES.get(start, "") + name.removeprefix(start)


def _with_error(row: Row, column: str) -> str:
    error = float(row[f"{column}_error"])
    return f"{float(row[column]):.4g}" + (f" +- {error:.1g}" if error else "")


def kernel_picture(rows: Rows) -> Figure:
    figure, (axes,) = panels(1, 5)
    qubits = [int(row["case"].partition("n=")[2]) for row in rows]
    asked, errors, found = numbers(rows, "asked", "asked_error", "found")
    axes.errorbar(qubits, asked, errors, label="recorded on the machine", capsize=3, **PUBLISHED)
    axes.plot(qubits, found, "o-", color=COLOURS[0], label="our model of its calibration")
    axes.set(xlabel="qubits", ylabel="share of all-zero outcomes, ideally 1", xticks=qubits, ylim=(0, 1.02))
    axes.legend(fontsize=8)
    return figure


REFERENCES = (
    "References of single rates are runs of the circuits that Stim 1.16 generates, decoded by PyMatching 2.4 in a "
    "program of its own; exact rates are sums over all errors. The literature has thresholds of the surface code "
    "from 0.5% to 1.14%, by what the noise in the circuit is; the one of this noise is near 1%."
)
IDLES = (
    "Memory experiments of four rounds for each unit of distance, in the basis X or Z; all rates of gates, idle "
    "qubits, resets and measurements are 0.001."
)
ENTRIES = (
    Entry(
        slug="surface-code",
        title="Error rates and threshold of the surface code",
        what="Logical error rates of small codes beside exact values and reference runs, and where distances cross.",
        sources=(STEPHENS, STIM),
        command="benchmarks.noise.codes exact circuit repetition phenomenological slope threshold",
        data="exact rates under bit flips, in `data/exact_oracles`",
        protocol=(REFERENCES, codes.slope, codes.threshold, codes.report),
        rows=newest_of("codes", "name", only=begins("name", *THRESHOLD)),
        lines=code_lines,
        took="about 1 min",
        picture=threshold_picture,
        caption="Errors a shot by the error rate of the circuit; crosses are the references.",
        published="reference",
    ),
    Entry(
        slug="color-code",
        title="Surface and color codes with idle qubits",
        what="Logical error rates that were published with the decoder Chromobius, at an error rate of 0.1%.",
        sources=(GIDNEY,),
        command="benchmarks.noise.codes idles color",
        data="",
        protocol=(IDLES, LayerNoise, codes.color, codes.report),
        rows=newest_of("codes", "name", only=begins("name", "with idles", "color")),
        lines=code_lines,
        took="about 3 min",
        picture=idles_picture,
        caption="Errors a shot by distance; crosses are published.",
    ),
    Entry(
        slug="trapped-ion-rates",
        title="Error rates of trapped-ion machines",
        what="Rates fitted to the counts that two machines recorded, beside the maker's own fits.",
        sources=(QUANTINUUM,),
        command="benchmarks.noise.devices",
        data="the counts, in `data/quantinuum_rb` (commit 8881b5f)",
        protocol=(
            part_of(devices, "Randomized benchmarking"),
            part_of(devices, "A fit of"),
            recorded.survival_counts,
            recorded.readout_error,
            devices.recorded_programs,
        ),
        rows=newest_of("noise_devices", "name", "case", only=begins("name", *RATES)),
        lines=device_lines,
        took="less than 1 min",
    ),
    Entry(
        slug="kernel-on-a-machine",
        title="A quantum kernel on a superconducting machine",
        what="What a noise model made of a machine's calibration says of a kernel that was run on it.",
        sources=(METRIQ,),
        command="benchmarks.noise.devices --only kernels",
        data="recorded values and a calibration, in `data/metriq` and `data/device_calibrations`",
        protocol=(part_of(devices, "A kernel"),),
        rows=newest_of("noise_devices", "name", "case", only=begins("name", "kernel")),
        lines=device_lines,
        took="about 10 s",
        picture=kernel_picture,
        caption="The kernel of a point with itself, by the number of qubits.",
        published="recorded",
    ),
)
