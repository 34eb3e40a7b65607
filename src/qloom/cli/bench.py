"""`qloom bench`: how fast this machine is and how much of that the engine reaches, in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from qloom import _native
from qloom.benchmarking import CACHE_BYTES, MEMORY_BYTES, Work, copy_rate, fma_rate, measure
from qloom.errors import ConfigError
from qloom.files import write_json
from qloom.training.environment import describe_environment

STEPS = (Work(4, 32, 2), Work(8, 32, 4), Work(8, 256, 4), Work(10, 128, 4), Work(12, 64, 4), Work(16, 16, 4))
STATES = (Work(16, 1, 10), Work(20, 1, 10), Work(22, 1, 10))


def bench(
    threads: Annotated[int | None, typer.Option(help="Threads to use, by default all.")] = None,
    seconds: Annotated[float, typer.Option(help="For each line of the table.")] = 1.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
) -> None:
    """Measure this machine: its limits, and training steps and large states as fractions of them."""
    if (threads is not None and threads < 1) or seconds <= 0:
        raise ConfigError(f"--threads {threads} --seconds {seconds}, expected at least 1 thread and more than 0 s")
    threads = threads or _native.available_threads()
    torch.set_num_threads(threads)
    limits = measure_limits(threads)
    print_limits(limits)
    rows = [measure_step(work, threads, seconds) for work in STEPS]
    rows += [measure_state(work, threads, seconds) for work in STATES]
    print_rows(rows, threads)
    if json_file is not None:
        figures = {"environment": describe_environment(), "threads": threads, "limits": limits, "rows": rows}
        write_json(json_file, figures)
        typer.echo(f"{json_file} written")


def measure_limits(threads: int) -> list[dict[str, float]]:
    """The machine's rates, with one thread and with all."""
    return [
        {
            "threads": count,
            "multiply_adds_per_second": fma_rate(count, 0.1),
            "cache_bytes_per_second": copy_rate(count, CACHE_BYTES),
            "memory_bytes_per_second": copy_rate(count, MEMORY_BYTES),
        }
        for count in sorted({1, threads})
    ]


def measure_step(work: Work, threads: int, seconds: float) -> dict[str, Any]:
    """One training step through QuantumLayer and loss.backward()."""
    return _row("training step", work, work.step(threads), work.step_multiply_adds, threads, seconds)


def measure_state(work: Work, threads: int, seconds: float) -> dict[str, Any]:
    """One evaluation without gradients."""
    return _row("forward", work, work.forward(threads), work.forward_multiply_adds, threads, seconds)


def _row(name: str, work: Work, function: Any, multiply_adds: int, threads: int, seconds: float) -> dict[str, Any]:
    timing = measure(function, threads, seconds, least=3)
    return {
        "work": name, "n_qubits": work.n_qubits, "batch": work.batch, "n_layers": work.n_layers,
        "milliseconds": 1e3 * timing.median, "spread": timing.spread, "repeats": timing.repeats,
        "multiply_adds_per_second": multiply_adds / timing.median, "fraction": timing.fraction(multiply_adds),
    }  # fmt: skip


def print_limits(limits: list[dict[str, float]]) -> None:
    """The machine's rates."""
    table = Table("threads", "multiply-adds", "copy in cache", "copy in memory", title="This machine, a second")
    for row in limits:
        adds, *copies = (f"{row[name] / 1e9:.1f} G" for name in list(row)[1:])
        table.add_row(f"{row['threads']:.0f}", adds, *(f"{rate}B" for rate in copies))
    Console().print(table)


def print_rows(rows: list[dict[str, Any]], threads: int) -> None:
    """What the engine takes."""
    title = f"The engine, float32, {threads} thread{'s' * (threads > 1)}, medians, of the multiply-add rate"
    table = Table("work", "qubits", "samples", "layers", "time", "of the rate", title=title)
    for row in rows:
        size = (str(row[name]) for name in ("n_qubits", "batch", "n_layers"))
        table.add_row(row["work"], *size, f"{row['milliseconds']:.3g} ms", f"{row['fraction']:.1%}")
    Console().print(table)
