"""`qloom diagnose`: whether a configuration's circuit will train, before it is trained."""

from __future__ import annotations

from typing import Annotated

import typer

from qloom.cli.pictures import check_picture, write_picture
from qloom.errors import ConfigError
from qloom.models.tables.architecture import Architecture, observables_of
from qloom.models.tables.starting import read_start
from qloom.trainability import diagnose as diagnose_circuit
from qloom.trainability.plot import plot_decay
from qloom.training import load_configuration


def diagnose(
    config: Annotated[str, typer.Argument(help="Configuration (.yaml) whose circuit is diagnosed.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of the configuration; may be repeated.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Random angles a width and observable.", min=2)] = 200,
    widths: Annotated[
        str | None, typer.Option(help="Numbers of qubits to look at, such as 4,8,12,50; up to four by default.")
    ] = None,
    plot: Annotated[str | None, typer.Option(help="Picture to write: .svg, .png or .pdf.")] = None,
) -> None:
    """Measure gradients of a configuration's circuit, at random angles and at the start: say whether it will train."""
    check_picture(plot)
    configuration = load_configuration(config, settings or [])
    model = configuration.model
    circuit = Architecture(1, 1, model.n_qubits, model.n_layers, model.ansatz).circuit()
    start = configuration.training.start_from
    what = circuit if start is None else read_start(start, "quantum").layer_of(circuit)
    found = diagnose_circuit(what, observables_of(model.n_qubits), _numbers(widths), n_samples=samples,
                             seed=configuration.seed, noise=configuration.engine.noise_model())  # fmt: skip
    layers = f"{model.n_layers} layer{'s' if model.n_layers > 1 else ''}"
    typer.echo(f"{model.ansatz}, {layers}, and the observables that the model learns from\n{found}")
    if configuration.engine.shots is not None:
        typer.echo(f"gradients here are those of exact values; a run measures them with {configuration.engine.title}")
    if plot is not None:
        write_picture(plot, plot_decay(found).figure)


def _numbers(widths: str | None) -> list[int] | None:
    if widths is None:
        return None
    try:
        return [int(width) for width in widths.split(",")]
    except ValueError:
        raise ConfigError(f"widths is {widths!r}, expected whole numbers and commas, such as 4,8,12") from None
