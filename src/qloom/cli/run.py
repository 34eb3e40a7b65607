"""`qloom run`: measure a circuit's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from qloom.circuits import Circuit
from qloom.cli.circuit_files import read_circuit
from qloom.cli.pictures import check_picture, write_picture
from qloom.engines.evaluation import counts
from qloom.engines.outcomes import distribution
from qloom.errors import ConfigError, MemoryLimitError
from qloom.files import write_json

# Outcomes that are shown, and probabilities beside them.
MOST_SHOWN, MOST_QUBITS_EXACT = 16, 16
_BAR = 40


def run(
    file: Annotated[Path, typer.Argument(help="OpenQASM 2 or 3, or a circuit's JSON.")],
    shots: Annotated[int, typer.Option(help="Measurements.", min=1)] = 1000,
    seed: Annotated[int | None, typer.Option(help="Of the measurements; fresh if not given.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file of all counts.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture to write: .svg, .png or .pdf.")] = None,
    page: Annotated[Path | None, typer.Option(help="HTML page to write: counts, probabilities, the circuit.")] = None,
) -> None:
    """Measure a circuit from a file: counts of its bits, or of all qubits where it has none, beside probabilities."""
    check_picture(plot)
    circuit = read_circuit(file)
    if circuit.n_inputs or circuit.n_weights:
        raise ConfigError(f"{file} has {circuit.n_inputs + circuit.n_weights} input parameters, expected numbers")
    if not circuit.n_bits:
        for qubit in range(circuit.n_qubits):
            circuit.measure(qubit, qubit)
    found: Any = counts(circuit, shots, seed=seed)
    exact = _exact(circuit)
    typer.echo(f"{circuit!r}\n{shots:,} shots, bit 0 leftmost, {len(found)} different outcomes")
    shown = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST_SHOWN]
    for bits, count in shown:
        beside = "" if exact is None else f"   probability {exact.get(bits, 0.0):.4f}"
        typer.echo(f"{bits}  {count:>{len(str(shots))}}  {'█' * round(_BAR * count / shown[0][1]):{_BAR}}{beside}")
    if len(found) > len(shown):
        typer.echo(
            f"... and {len(found) - len(shown)} more with {sum(found.values()) - sum(n for _, n in shown)} shots"
        )
    if out is not None:
        typer.echo(f"{write_json(out, {'shots': shots, 'seed': seed, 'counts': found})} written")
    if plot is not None:
        write_picture(plot, _drawn(dict(shown), exact, shots))
    if page is not None:
        from qloom.reports.measurement import write_measurement  # what draws takes a second to be there

        typer.echo(f"{write_measurement(page, file.name, circuit, found, exact, seed)} written")


def _exact(circuit: Circuit) -> dict[str, float] | None:
    """Probabilities, where these are quickly found."""
    if circuit.n_qubits > MOST_QUBITS_EXACT or circuit.n_bits > MOST_QUBITS_EXACT:
        return None
    try:
        found: Any = distribution(circuit)
    except MemoryLimitError:
        return None
    return dict(found)


def _drawn(shown: dict[str, int], exact: dict[str, float] | None, shots: int) -> Any:
    from matplotlib.figure import Figure

    from qloom.reports.measurement import bars_width, draw_counts

    figure = Figure(figsize=(bars_width(shown), 3.5), layout="constrained")
    draw_counts(figure, shown, exact, shots)
    return figure
