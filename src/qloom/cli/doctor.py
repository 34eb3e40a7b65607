"""`qloom doctor`: what is installed, what the machine has, and whether a circuit comes out right."""

from __future__ import annotations

import shutil
import time
from typing import Any

import torch
import typer

from qloom import _native, ansatze, encoders
from qloom.circuits import Circuit
from qloom.nn import QuantumLayer
from qloom.training.environment import describe_environment

_TOLERANCE = 1e-5


def doctor() -> None:
    """Show versions and machine, and check a circuit against its closed form."""
    environment = describe_environment()
    error = ramsey_error()
    passed = "passed" if error < _TOLERANCE else "FAILED"
    speed = f"{training_step_seconds() * 1e3:.1f} ms"
    lines = {
        **{name: found or "not installed" for name, found in environment["packages"].items()},
        **_machine(environment),
        "self-check": f"{passed}: Ramsey fringe off by {error:.1e}",
        "speed": f"{speed} forward and backward, 256 rows, 8 qubits, 3 layers",
    }
    for name, text in lines.items():
        typer.echo(f"{name:14s} {text}")
    if error >= _TOLERANCE:
        raise typer.Exit(1)


def _machine(environment: dict[str, Any]) -> dict[str, str]:
    memory = environment["memory_bytes"]
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), "none found")
    return {
        "python": f"{environment['python']} on {environment['platform']}",
        "processor": f"{environment['processor']}, {environment['cores']} cores",
        "memory": "unknown" if memory is None else f"{memory / 2**30:.1f} GiB",
        "torch threads": f"{environment['torch_threads']}",
        "compiler": compiler,
        "native engine": f"{_native.kernel_names()[0]} kernels, {_native.available_threads()} threads",
    }


def ramsey_error() -> float:
    """The largest error of <Z> after H, RZ(phi), H, which is cos(phi)."""
    circuit = Circuit(1)
    phi = circuit.inputs(1)
    circuit.h(0).rz(phi[0], 0).h(0)
    angles = torch.linspace(-3, 3, 50).reshape(-1, 1)
    with torch.no_grad():
        return float((QuantumLayer(circuit)(angles) - torch.cos(angles)).abs().max())


def training_step_seconds() -> float:
    """The time of one forward and backward pass, the best of ten."""
    layer = QuantumLayer(encoders.angle(8) + ansatze.strongly_entangling(8, 3))
    x = torch.zeros(256, 8, requires_grad=True)
    return min(_timed_step(layer, x) for _ in range(10))


def _timed_step(layer: torch.nn.Module, x: torch.Tensor) -> float:
    start = time.perf_counter()
    layer(x).sum().backward()
    return time.perf_counter() - start
