"""`qloom bench`: how fast this machine or its GPU is and how much of that the engine reaches, in a minute."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from qloom import _native
from qloom.benchmarking import CACHE_BYTES, MEMORY_BYTES, Timing, Work, copy_rate, fma_rate, measure
from qloom.benchmarking.gpu import Place, counted_launches, gpu_place
from qloom.benchmarking.gpu import measure_there as time_there
from qloom.benchmarking.gpu_floor import Limits, floor_of, has_room, limits_of, needs_of_forward, needs_of_step
from qloom.errors import ConfigError
from qloom.files import write_json
from qloom.training.environment import describe_environment

STEPS = (Work(4, 32, 2), Work(8, 32, 4), Work(8, 256, 4), Work(10, 128, 4), Work(12, 64, 4), Work(16, 16, 4))
STATES = (Work(16, 1, 10), Work(20, 1, 10), Work(22, 1, 10))
# On a GPU: of states that have no room there none is made.
GPU_STEPS = (
    Work(4, 32, 2), Work(8, 256, 4), Work(8, 4096, 4), Work(10, 4096, 4), Work(12, 1024, 4), Work(16, 64, 4),
)  # fmt: skip
GPU_STATES = (Work(20, 1, 10), Work(24, 1, 10), Work(28, 1, 10))


def bench(
    device: Annotated[str, typer.Option(help="What to measure: cpu, cuda, or one of several such as cuda:1.")] = "cpu",
    threads: Annotated[int | None, typer.Option(help="Threads to use, by default all.")] = None,
    seconds: Annotated[float, typer.Option(help="For each line of the table.")] = 1.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
) -> None:
    """Measure this machine: its limits, and training steps and large states as fractions of them."""
    if (threads is not None and threads < 1) or seconds <= 0:
        raise ConfigError(f"--threads {threads} --seconds {seconds}, expected at least 1 thread and more than 0 s")
    figures = bench_cpu(threads, seconds) if device == "cpu" else bench_gpu(checked_index(device, threads), seconds)
    if json_file is not None:
        write_json(json_file, {"environment": describe_environment(), **figures})
        typer.echo(f"{json_file} written")


def checked_index(device: str, threads: int | None) -> int:
    """The number of a GPU; ConfigError for what names none."""
    named = re.fullmatch(r"cuda(?::(\d+))?", device)
    if named is None:
        raise ConfigError(f"--device {device}, expected cpu, cuda, or one of several such as cuda:1")
    if threads is not None:
        raise ConfigError(
            f"--threads {threads} with --device {device}, expected none: threads are the CPU's; leave it out"
        )
    return int(named[1] or 0)


def bench_cpu(threads: int | None, seconds: float) -> dict[str, Any]:
    """Tables of the processor, and their figures."""
    threads = threads or _native.available_threads()
    torch.set_num_threads(threads)
    limits = measure_limits(threads)
    print_limits(limits)
    rows = [measure_step(work, threads, seconds) for work in STEPS]
    rows += [measure_state(work, threads, seconds) for work in STATES]
    print_rows(rows, threads)
    return {"threads": threads, "limits": limits, "rows": rows}


def bench_gpu(device_index: int, seconds: float) -> dict[str, Any]:
    """Tables of a GPU, and their figures."""
    place = gpu_place(device_index)
    limits = limits_of(place)
    print_gpu_limits(place.name, limits)
    rows = [measure_there(place, "training step", work, limits, seconds) for work in GPU_STEPS]
    states = (work for work in GPU_STATES if has_room(work, place))
    rows += [measure_there(place, "forward", work, limits, seconds) for work in states]
    print_gpu_rows(place.name, rows)
    return {"device": place.name, "limits": asdict(limits), "rows": rows}


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
        **_size(name, work), **_times(timing),
        "multiply_adds_per_second": multiply_adds / timing.median, "fraction": timing.fraction(multiply_adds),
    }  # fmt: skip


def _size(name: str, work: Work) -> dict[str, Any]:
    return {"work": name, "n_qubits": work.n_qubits, "batch": work.batch, "n_layers": work.n_layers}


def _times(timing: Timing) -> dict[str, Any]:
    return {"milliseconds": 1e3 * timing.median, "spread": timing.spread, "repeats": timing.repeats}


def measure_there(place: Place, name: str, work: Work, limits: Limits, seconds: float) -> dict[str, Any]:
    """One training step through a layer on a GPU, or one evaluation without gradients, beside the least it can take."""
    is_step = name == "training step"
    function = (work.step if is_step else work.forward)(engine=place.engine, device=place.device)
    with counted_launches(place) as launched:
        function()
    needs = (needs_of_step if is_step else needs_of_forward)(work, place, len(launched))
    floor, timing = floor_of(needs, limits), time_there(place, function, limits.multiply_adds, seconds)
    return {
        **_size(name, work), **_times(timing), "floor_milliseconds": 1e3 * floor.seconds, "binds": floor.binds,
        "fraction": floor.seconds / timing.median,
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
        table.add_row(*_sizes(row), f"{row['milliseconds']:.3g} ms", f"{row['fraction']:.1%}")
    Console().print(table)


def _sizes(row: dict[str, Any]) -> Iterator[str]:
    return (str(row[name]) for name in ("work", "n_qubits", "batch", "n_layers"))


def print_gpu_limits(name: str, limits: Limits) -> None:
    """The GPU's rates."""
    table = Table("rate", "a second", "how", title=name)
    table.add_row("float32 multiply-adds", f"{limits.multiply_adds / 1e9:,.0f} G", "from its units and clock")
    table.add_row("shared memory", f"{limits.shared_bytes / 1e9:,.0f} GB", "from its banks and clock")
    table.add_row("copy in memory", f"{limits.memory_bytes / 1e9:,.0f} GB", "measured, read and written")
    table.add_row("launches", f"{limits.launches:,.0f}", "taken for granted")
    Console().print(table)


def print_gpu_rows(name: str, rows: list[dict[str, Any]]) -> None:
    """What the engine takes on the GPU, beside the least that its rates allow."""
    title = f"The engine on {name}, float32, medians, beside the least time that one of the rates allows"
    table = Table("work", "qubits", "samples", "layers", "time", "least", "of it", "by", title=title)
    for row in rows:
        times = (f"{row[key]:.3g} ms" for key in ("milliseconds", "floor_milliseconds"))
        table.add_row(*_sizes(row), *times, f"{row['fraction']:.1%}", row["binds"])
    Console().print(table)
