"""`qloom doctor`: what is installed, what the machine has, and whether a circuit comes out right."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from qloom import _native, ansatze, encoders
from qloom.circuits import Circuit
from qloom.cli.gpu import facts_of_gpu, guess, name_gpu, prepare_kernels, told_speed
from qloom.engines import Engine
from qloom.engines.evaluation import expectation
from qloom.gradients import gradient
from qloom.training.environment import describe_machine

if TYPE_CHECKING:
    from qloom.benchmarking.gpu import Place

_TOLERANCE = 1e-5


def doctor(
    torch: Annotated[
        bool, typer.Option("--torch", help="Load torch and check a layer of it too, some seconds.")
    ] = False,
    gpu: Annotated[
        bool, typer.Option("--gpu", help="Compile the kernels for the GPU, check and time them; loads torch.")
    ] = False,
) -> None:
    """Show versions and machine, and check a circuit and its gradient against their closed forms."""
    place = _gpu_place() if gpu else None  # where there is none, nothing else is asked
    described = {**describe(), "GPU": facts_of_gpu() if gpu else name_gpu() if torch else guess()}
    for name, text in described.items():
        _show(name, text)
    checks = {"self-check": check_engine} | ({"torch layer": check_layer} if torch else {})
    errors = [_show_check(name, check) for name, check in checks.items()]
    seconds = step_seconds()
    _show("speed", f"{seconds * 1e3:.1f} ms forward and backward, 256 rows, 8 qubits, 3 layers")
    if place is not None:
        errors.append(_show_gpu(place, seconds))
    if not all(error < _TOLERANCE for error in errors):  # NaN passes nothing
        raise typer.Exit(1)


def _show(name: str, text: str) -> None:
    typer.echo(f"{name:14s} {text}")


def _gpu_place() -> Place:
    from qloom.benchmarking.gpu import gpu_place  # which loads torch

    return gpu_place()


def _show_gpu(place: Place, cpu_seconds: float) -> float:
    """Its kernels, a check and its speed beside the CPU's; the check's error."""
    _show("GPU kernels", prepare_kernels(place))
    error = _show_check("GPU check", lambda: check_engine(place.engine))
    _show("GPU speed", told_speed(place, cpu_seconds))
    return error


def describe() -> dict[str, str]:
    """Versions and machine, a line each."""
    machine = describe_machine()
    memory = machine["memory_bytes"]
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), "none found")
    return {
        **{name: found or "not installed" for name, found in machine["packages"].items()},
        "python": f"{machine['python']} on {machine['platform']}",
        "processor": f"{machine['processor']}, {machine['cores']} cores",
        "memory": "unknown" if memory is None else f"{memory / 2**30:.1f} GiB",
        "compiler": compiler,
        "native engine": f"{_native.kernel_names()[0]} kernels, {_native.available_threads()} threads",
    }


def _show_check(name: str, check: Callable[[], float]) -> float:
    error = check()
    passed = "passed" if error < _TOLERANCE else "FAILED"
    _show(name, f"{passed}: Ramsey fringe and its slope off by {error:.1e}")
    return error


def ramsey() -> Circuit:
    """H, RZ(phi), H: <Z> is cos(phi)."""
    circuit = Circuit(1)
    phi = circuit.inputs(1)
    return circuit.h(0).rz(phi[0], 0).h(0)


def check_engine(engine: Engine | None = None) -> float:
    """The largest error of an engine's values and slopes of the Ramsey fringe."""
    angles = np.linspace(-3, 3, 50, dtype=np.float32).reshape(-1, 1)
    slopes, _ = gradient(ramsey(), None, angles, engine=engine)
    values = expectation(ramsey(), None, angles, engine=engine)
    return float(max(np.abs(values - np.cos(angles)).max(), np.abs(slopes + np.sin(angles)).max()))


def check_layer() -> float:
    """The same of a torch layer and of what autograd gives."""
    import torch

    from qloom.nn import QuantumLayer

    angles = torch.linspace(-3, 3, 50).reshape(-1, 1)
    given = angles.clone().requires_grad_()
    values = QuantumLayer(ramsey())(given)
    (slopes,) = torch.autograd.grad(values.sum(), given)
    errors = values.detach() - torch.cos(angles), slopes + torch.sin(angles)
    return float(torch.cat(errors).abs().max())


def step_seconds() -> float:
    """The time of one forward and backward pass of the engine, the best of ten."""
    circuit = encoders.angle(8) + ansatze.strongly_entangling(8, 3)
    x, weights = np.zeros((256, 8), np.float32), np.zeros(circuit.n_weights, np.float32)
    return min(_seconds(lambda: gradient(circuit, None, x, weights)) for _ in range(10))


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
